// Which page the address names: `#/ends?model=m` is the page `ends` with that query. Filters live in the address.
import { useEffect, useState } from "../ui/html.js";

export function here() {
  const [path, query = ""] = location.hash.replace(/^#\/?/, "").split("?");
  const [page = "", ...rest] = path.split("/").map(decoded);
  return { page: page || "overview", id: rest.join("/"), query: Object.fromEntries(new URLSearchParams(query)) };
}

export function link(page, id = "", query = {}) {
  const given = Object.entries(query).filter(([, value]) => value);
  const search = new URLSearchParams(given).toString();
  return `#/${[page, id].filter(Boolean).map(encodeURIComponent).join("/")}${search ? `?${search}` : ""}`;
}

export function go(...place) {
  location.hash = link(...place);
}

export function useRoute() {
  const [route, setRoute] = useState(here);
  useEffect(() => {
    const listener = () => setRoute(here());
    addEventListener("hashchange", listener);
    return () => removeEventListener("hashchange", listener);
  }, []);
  return route;
}

function decoded(part) {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
