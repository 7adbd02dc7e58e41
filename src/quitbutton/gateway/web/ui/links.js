// Addresses from the server, made into links only if they are what they should be.
export function safeUrl(address) {
  if (typeof address !== "string" || !address) return null;
  try {
    const url = new URL(address, location.origin);
    return url.protocol === "https:" || url.protocol === "http:" ? url.href : null;
  } catch {
    return null;
  }
}

/** A way to reach somebody as [{text, href}], cut where it names numbers: these can be called, or texted where it says so. */
export function contactParts(contact) {
  const words = String(contact ?? "");
  const parts = [];
  let from = 0;
  for (const { 0: text, index } of words.matchAll(/\+?\d[\d\s()/-]*\d/g)) {
    const before = words.slice(from, index);
    const verbs = before.split(",").at(-1);
    const scheme = /\btext\b/.test(verbs) && !/\bcall\b/.test(verbs) ? "sms" : "tel";
    parts.push({ text: before }, { text, href: `${scheme}:${text.replace(/[^\d+]/g, "")}` });
    from = index + text.length;
  }
  return [...parts, { text: words.slice(from) }];
}

export const hostOf = (address) => new URL(address).hostname.replace(/^www\./, "");
