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

export function telephone(contact) {
  if (typeof contact !== "string" || !/^\+?[\d\s()/-]{2,24}$/.test(contact)) return null;
  return `tel:${contact.replace(/[^\d+]/g, "")}`;
}

export const hostOf = (address) => new URL(address).hostname.replace(/^www\./, "");
