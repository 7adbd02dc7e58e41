// The list of chats as a drawer, on narrow screens.
import { store } from "../store.js";

export const openDrawer = () => store.set({ drawer: true });

export function closeDrawer() {
  store.set({ drawer: false });
  requestAnimationFrame(() => document.getElementById("open-list")?.focus());
}
