// Checks an event's place in the log in this browser: its inclusion proof (RFC 9162, 2.1.3.2) and the checkpoint's signature.
const bytesOf = (hex) => Uint8Array.from(hex.match(/../g) ?? [], (pair) => parseInt(pair, 16));
const unbased = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
const hexOf = (bytes) => [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");

export const canVerify = () => Boolean(globalThis.crypto?.subtle);

async function nodeHash(left, right) {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", new Uint8Array([1, ...left, ...right])));
}

export async function rootFrom(leaf, place, size, proof) {
  // How the root follows from a leaf, its place and the hashes beside its way up.
  let [index, last, hash] = [place, size - 1, leaf];
  for (const beside of proof) {
    if (last === 0) return null;
    if (index % 2 === 1 || index === last) {
      hash = await nodeHash(beside, hash);
      while (index % 2 === 0 && index !== 0) [index, last] = [Math.floor(index / 2), Math.floor(last / 2)];
    } else {
      hash = await nodeHash(hash, beside);
    }
    [index, last] = [Math.floor(index / 2), Math.floor(last / 2)];
  }
  return last === 0 ? hash : null;
}

export async function isIncluded(answer, expected) {
  if (answer.leaf_hash !== expected) return false;
  const [, size, root] = answer.checkpoint.split("\n");
  const found = await rootFrom(bytesOf(answer.leaf_hash), answer.n, Number(size), answer.proof.map(bytesOf));
  return found !== null && hexOf(found) === hexOf(unbased(root));
}

export async function isSigned(note, keyText) {
  // A signed note (C2SP): its text, an empty line, then `— NAME BASE64(key hash || signature)`.
  const end = note.lastIndexOf("\n\n");
  const text = note.slice(0, end + 1);
  const name = keyText.split("+", 1)[0];
  const line = note.slice(end + 2).split("\n").find((one) => one.startsWith(`\u2014 ${name} `));
  if (!line) return false;
  const key = await crypto.subtle.importKey("raw", unbased(keyText.slice(name.length + 10)).slice(1), "Ed25519", false, ["verify"]);
  const signature = unbased(line.split(" ").at(-1)).slice(4);
  return crypto.subtle.verify("Ed25519", key, signature, new TextEncoder().encode(text));
}
