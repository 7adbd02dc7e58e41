// Turns a reply's Markdown into safe DOM; while it streams only the blocks that changed are made anew.
import { DOMPurify, Marked } from "./vendor/vendor.js";

const TAGS =
  "p br hr h1 h2 h3 h4 h5 h6 strong em del code pre blockquote ul ol li a table thead tbody tr th td sup sub".split(" ");

const marked = new Marked({
  gfm: true,
  breaks: true,
  renderer: {
    // Markup in a reply is shown as it was written; images become links, so that no other host is ever asked.
    html: ({ text }) => escaped(text),
    image: ({ href, text }) => `<a href="${escaped(href)}">${escaped(text || href)}</a>`,
    checkbox: ({ checked }) => (checked ? "☑ " : "☐ "),
    heading({ tokens, depth }) {
      // The page has its own h1 and h2.
      const level = Math.min(depth + 2, 6);
      return `<h${level}>${this.parser.parseInline(tokens)}</h${level}>`;
    },
  },
});

function escaped(text) {
  const names = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" };
  return text.replace(/[&<>"']/g, (sign) => names[sign]);
}

function fragmentOf(token) {
  const fragment = DOMPurify.sanitize(marked.parser([token]), {
    ALLOWED_TAGS: TAGS,
    ALLOWED_ATTR: ["href", "title", "start", "align", "class"],
    ALLOWED_URI_REGEXP: /^(?:https?|mailto):/i,
    RETURN_DOM_FRAGMENT: true,
  });
  for (const link of fragment.querySelectorAll("a")) {
    link.target = "_blank";
    link.rel = "noopener noreferrer";
  }
  for (const block of fragment.querySelectorAll("pre, table")) {
    // Whatever scrolls sideways can be reached by keyboard.
    block.tabIndex = 0;
  }
  return fragment;
}

/** Headings that skip no level, whatever the model wrote: people leap from one to the next. */
function inOrder(tokens) {
  let above = 0;
  marked.walkTokens(tokens, (token) => {
    if (token.type === "heading") above = token.depth = Math.min(token.depth, above + 1);
  });
  return tokens;
}

/** Shows `text` in `element`, which remembers its blocks between calls. */
export function renderInto(element, text) {
  const tokens = inOrder(marked.lexer(text));
  // A link may be defined after it is used, so a new definition can change any block.
  const links = JSON.stringify(tokens.links);
  const before = element.blocks ?? [];
  let same = 0;
  const known = element.links === links;
  element.links = links;
  while (known && same < before.length && same < tokens.length && before[same].raw === tokens[same].raw) same += 1;
  for (const block of before.slice(same)) for (const node of block.nodes) node.remove();
  element.blocks = before.slice(0, same);
  for (const token of tokens.slice(same)) {
    const fragment = fragmentOf(token);
    element.blocks.push({ raw: token.raw, nodes: [...fragment.childNodes] });
    element.append(fragment);
  }
}
