// What the browser keeps: conversations in IndexedDB; preferences and drafts in localStorage, which is written at once.
const memory = new Map();

function opened() {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open("quitbutton", 1);
    request.onupgradeneeded = () => request.result.createObjectStore("conversations", { keyPath: "id" });
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
    request.onblocked = () => reject(new Error("blocked"));
  });
}

let database;

async function transact(mode, act) {
  database ??= opened();
  const transaction = (await database).transaction("conversations", mode);
  const request = act(transaction.objectStore("conversations"));
  return new Promise((resolve, reject) => {
    transaction.oncomplete = () => resolve(request.result);
    transaction.onerror = transaction.onabort = () => reject(transaction.error);
  });
}

export const loadConversations = () => transact("readonly", (store) => store.getAll());
export const loadConversation = (id) => transact("readonly", (store) => store.get(id));
export const saveConversation = (conversation) => transact("readwrite", (store) => store.put(conversation));
export const deleteConversation = (id) => transact("readwrite", (store) => store.delete(id));

export function recall(name, otherwise = null) {
  try {
    const kept = localStorage.getItem(`quitbutton.${name}`);
    return kept === null ? otherwise : JSON.parse(kept);
  } catch {
    return memory.get(name) ?? otherwise;
  }
}

export function keep(name, value) {
  memory.set(name, value);
  try {
    if (value === null || value === "") localStorage.removeItem(`quitbutton.${name}`);
    else localStorage.setItem(`quitbutton.${name}`, JSON.stringify(value));
  } catch {
    // A full or forbidden storage costs the reload, not the chat.
  }
}
