// A button that opens a short menu: arrow keys move, Escape closes, focus goes back to the button.
import { html, useRef } from "./html.js";
import { Icon } from "./icons.js";

export function Menu({ id, label, items }) {
  const button = useRef();
  const list = useRef();
  const place = () => {
    const at = button.current.getBoundingClientRect();
    const menu = list.current;
    const left = Math.min(at.right - menu.offsetWidth, innerWidth - menu.offsetWidth - 8);
    const below = at.bottom + 4 + menu.offsetHeight < innerHeight;
    menu.style.left = `${Math.max(8, left)}px`;
    menu.style.top = `${below ? at.bottom + 4 : at.top - menu.offsetHeight - 4}px`;
  };
  const onToggle = (event) => button.current?.setAttribute("aria-expanded", String(event.newState === "open"));
  const onClick = (event) => {
    // Done at once, not by the attribute: keys pressed right after must already find the menu.
    event.preventDefault();
    if (!list.current.togglePopover()) return;
    place();
    list.current.querySelector("button").focus();
  };
  const onKeyDown = (event) => {
    const steps = { ArrowDown: 1, ArrowUp: -1 };
    const buttons = [...list.current.querySelectorAll("button")];
    if (event.key in steps) {
      event.preventDefault();
      const next = buttons.indexOf(document.activeElement) + steps[event.key];
      buttons[(next + buttons.length) % buttons.length].focus();
    } else if (event.key === "Tab") {
      list.current.hidePopover();
    }
  };
  const choose = (act) => () => {
    list.current.hidePopover();
    act();
  };
  return html`
    <button type="button" class="icon-button" ref=${button} aria-label=${label} title=${label} popovertarget=${id}
      aria-haspopup="menu" aria-expanded="false" onClick=${onClick}>
      <${Icon} name="more" />
    </button>
    <div class="menu" role="menu" aria-label=${label} id=${id} popover="auto" ref=${list} onToggle=${onToggle}
      onKeyDown=${onKeyDown}>
      ${items.map(
        ({ icon, text, act, grave }) => html`
          <button type="button" role="menuitem" tabindex="-1" key=${text} class=${grave ? "grave" : ""} onClick=${choose(act)}>
            <${Icon} name=${icon} /> ${text}
          </button>
        `,
      )}
    </div>
  `;
}
