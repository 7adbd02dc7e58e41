// The API reference: the gateway's own OpenAPI document, made readable.
import { html, render } from "../ui/html.js";

const METHODS = ["get", "post", "put", "patch", "delete"];

const root = document.getElementById("app");
try {
  const document_ = await (await fetch("/v1/quitbutton/openapi.json", { cache: "no-store" })).json();
  render(html`<${Reference} about=${document_} />`, root);
} catch {
  render(html`<p role="alert">The document could not be loaded. Is the gateway running?</p>`, root);
}

function Reference({ about }) {
  const all = Object.entries(about.paths).flatMap(([path, methods]) =>
    METHODS.filter((method) => method in methods).map((method) => ({ path, method, ...methods[method] })),
  );
  const groups = [
    ["For chat clients", all.filter((one) => !one.tags?.includes("operators"))],
    ["For operators and auditors", all.filter((one) => one.tags?.includes("operators"))],
  ];
  return html`<article class="sheet">
    <header>
      <p class="kind">quitbutton ${about.info.version}</p>
      <h1>API reference</h1>
      <p><${Text} text=${about.info.description} /></p>
      <p class="quiet">
        The model endpoints take and give what OpenAI and Anthropic document. This page is made from${" "}
        <a href="/v1/quitbutton/openapi.json">the OpenAPI document</a>.
      </p>
    </header>
    ${groups.map(([title, operations]) => html`<section>
      <h2>${title}</h2>
      ${operations.map((one) => html`<${Operation} one=${one} />`)}
    </section>`)}
  </article>`;
}

function Operation({ one }) {
  const body = one.requestBody?.content?.["application/json"]?.schema;
  const answers = Object.entries(one.responses).filter(([status]) => status.startsWith("2"));
  return html`<details class="operation">
    <summary><span class=${`method ${one.method}`}>${one.method.toUpperCase()}</span> <code>${one.path}</code> <span>${one.summary}</span></summary>
    ${one.parameters?.length > 0 && html`<${Members} title="Parameters" rows=${one.parameters.map((given) => [given.name, typeOf(given.schema), given.description ?? "", given.required])} />`}
    ${body && html`<${Members} title="Body" rows=${membersOf(body)} />`}
    ${answers.map(([status, answer]) => html`<${Answer} status=${status} answer=${answer} />`)}
  </details>`;
}

function Answer({ status, answer }) {
  const schema = answer.content?.["application/json"]?.schema;
  return html`<p class="quiet">${status}: <${Text} text=${answer.description} /></p>
    ${schema && membersOf(schema).length > 0 && html`<${Members} title="Answer" rows=${membersOf(schema)} />`}`;
}

// What stands between backticks is code.
function Text({ text }) {
  return text.split("`").map((part, i) => (i % 2 ? html`<code>${part}</code>` : part));
}

function Members({ title, rows }) {
  return html`<div class="members">
    <h3>${title}</h3>
    <table>
      <tbody>
        ${rows.map(([name, type, text, required]) => html`<tr>
          <th scope="row"><code>${name}</code>${required ? "" : html` <span class="quiet">optional</span>`}</th>
          <td><code>${type}</code> <${Text} text=${text} /></td>
        </tr>`)}
      </tbody>
    </table>
  </div>`;
}

function membersOf(schema) {
  const required = schema.required ?? [];
  return Object.entries(schema.properties ?? {}).map(([name, one]) => [name, typeOf(one), one.description ?? "", required.includes(name)]);
}

function typeOf(schema) {
  if (schema.enum) return schema.enum.map((one) => JSON.stringify(one)).join(" | ");
  const types = [schema.type ?? "any"].flat();
  return types.map((type) => (type === "array" ? `${typeOf(schema.items ?? {})}[]` : type)).join(" | ");
}
