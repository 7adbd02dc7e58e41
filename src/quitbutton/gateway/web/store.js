// The page's state in one place: read it with `store.state`, change it with `store.set`, draw it with `useStore`.
import { useEffect, useState } from "./vendor/vendor.js";

const listeners = new Set();

export const store = {
  state: {
    ready: false,
    unsaved: false, // this browser does not let us keep conversations
    conversations: {},
    current: null, // null: a new chat that has no message yet
    running: {}, // conversation id -> the turn in progress
    editing: null, // id of the message being edited
    drawer: false,
    dialog: null, // {kind: "rename" | "delete", id}
    said: "", // what screen readers are told
    about: null,
    models: [],
    model: null,
    isIntroduced: false, // the server has told its models, or could not
    language: "en",
    theme: "system",
    noteDismissed: false,
  },
  set(patch) {
    this.state = { ...this.state, ...patch };
    for (const listener of listeners) listener();
  },
};

export function useStore() {
  const [, draw] = useState(0);
  useEffect(() => {
    const listener = () => draw((count) => count + 1);
    listeners.add(listener);
    return () => listeners.delete(listener);
  }, []);
  return store.state;
}

export function until(holds) {
  return new Promise((resolve) => {
    const look = () => {
      if (!holds(store.state)) return;
      listeners.delete(look);
      resolve();
    };
    listeners.add(look);
    look();
  });
}

export function say(words) {
  // A space makes the same words twice in a row an event of their own.
  store.set({ said: store.state.said === words ? `${words}\u00a0` : words });
}
