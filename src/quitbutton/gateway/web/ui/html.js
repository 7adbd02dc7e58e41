// Preact and htm, tied together; and `memo`, which draws a component again only when its properties changed.
import { Component, h, htm } from "../vendor/vendor.js";

export { Component, createRef, render, useEffect, useLayoutEffect, useMemo, useRef, useState } from "../vendor/vendor.js";

export const html = htm.bind(h);

export function memo(draw) {
  return class extends Component {
    shouldComponentUpdate(next) {
      const names = new Set([...Object.keys(this.props), ...Object.keys(next)]);
      return [...names].some((name) => this.props[name] !== next[name]);
    }
    render(props) {
      return h(draw, props);
    }
  };
}
