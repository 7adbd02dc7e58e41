// Loading: one answer, or a list that goes on page by page. Answers that come too late are dropped.
import { useEffect, useRef, useState } from "../ui/html.js";
import { get } from "./api.js";

export function useLoaded(path, query = {}) {
  const [shown, setShown] = useState({ data: null, failed: null });
  const turn = useRef(0);
  const load = async () => {
    const mine = ++turn.current;
    const put = (next) => mine === turn.current && setShown(next);
    await get(path, query).then((data) => put({ data, failed: null }), (failed) => put({ data: null, failed }));
  };
  useEffect(() => {
    setShown({ data: null, failed: null });
    load();
    return () => void turn.current++;
  }, [path, JSON.stringify(query)]);
  return { ...shown, load };
}

export function useList(path, name, query = {}, going = "before") {
  const [shown, setShown] = useState({ rows: null, next: null, failed: null, busy: false });
  const turn = useRef(0);
  const fetchPage = async (rows, next) => {
    const mine = ++turn.current;
    const put = (patch) => mine === turn.current && setShown((old) => ({ ...old, busy: false, ...patch }));
    setShown((old) => ({ ...old, busy: true, failed: null, rows }));
    await get(path, { ...query, ...(next ? { [going]: next } : {}) }).then(
      (page) => put({ rows: [...(rows ?? []), ...page[name]], next: page.next ?? null, page }),
      (failed) => put({ failed }),
    );
  };
  useEffect(() => {
    fetchPage(null, null);
    return () => void turn.current++;
  }, [path, JSON.stringify(query)]);
  return { ...shown, load: () => fetchPage(null, null), more: () => fetchPage(shown.rows, shown.next) };
}
