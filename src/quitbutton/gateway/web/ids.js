// Random identifiers; crypto.randomUUID is missing on plain http, so they are drawn by hand.
const LETTERS = "0123456789abcdefghjkmnpqrstvwxyz";

export function newId(prefix) {
  const bytes = crypto.getRandomValues(new Uint8Array(24));
  return `${prefix}_${Array.from(bytes, (byte) => LETTERS[byte & 31]).join("")}`;
}
