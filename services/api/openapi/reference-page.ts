import { createHash } from "node:crypto";
import type { OpenApiDocument, Operation, Parameter } from "./openapi.ts";
import type { Schema } from "../routing/route.ts";

const STYLE = `
:root { color-scheme: light dark; --line: light-dark(#d4d4dc, #3c3c46);
  --soft: light-dark(#f4f4f8, #1f1f26); --quiet: light-dark(#595964, #a9a9b6);
  --link: light-dark(#0b57d0, #a8c7fa); --paper: light-dark(#fff, #121215);
  --ink: light-dark(#1b1b1f, #ececf1); background: var(--paper); color: var(--ink); }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 0 auto; padding: 1rem;
  overflow-wrap: anywhere; }
a { color: var(--link); }
code { font: 0.9em ui-monospace, monospace; }
h1 { margin: 0.5rem 0; line-height: 1.2; } h2 { margin: 2rem 0 0.5rem; font-size: 1.25rem; }
h3 { display: inline; font-size: 1rem; font-weight: 400; }
h4 { margin: 1rem 0 0.25rem; color: var(--quiet); }
details { border-top: 1px solid var(--line); }
summary { padding: 0.6rem 0; cursor: pointer; } summary h2 { display: inline; }
summary:hover { background: var(--soft); }
details > div { padding: 0 0 1rem 1.1rem; } p { margin: 0.25rem 0 0.5rem; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; vertical-align: top; padding: 0.3rem 0.6rem 0.3rem 0;
  border-top: 1px solid var(--line); }
td:first-child { width: 14rem; } .quiet { color: var(--quiet); }
.method { display: inline-block; min-width: 4.25rem; font-weight: 600; }
@media (max-width: 40rem) {
  tr { display: block; padding: 0.3rem 0; border-top: 1px solid var(--line); }
  td, td:first-child { display: block; width: auto; padding: 0; border: 0; }
}
`;

/** Renders the contract as one page without scripts. Its policy allows its own style only. */
export function referencePage(document: OpenApiDocument): {
  headers: Record<string, string>;
  text: string;
} {
  const hash = createHash("sha256").update(STYLE).digest("base64");
  const policy = [
    `default-src 'none'; style-src 'sha256-${hash}'; base-uri 'none'`,
    "form-action 'none'; frame-ancestors 'none'",
  ].join("; ");
  return {
    headers: { "Content-Type": "text/html; charset=utf-8", "Content-Security-Policy": policy },
    text: pageOf(document),
  };
}

type PathOperation = { method: string; path: string; operation: Operation };

function pageOf({ info, paths, tags, components }: OpenApiDocument): string {
  const all = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]): PathOperation => ({
      method: method.toUpperCase(),
      path,
      operation,
    })),
  );
  const groups = tags.map(({ name, description }) => {
    const ofTag = all.filter(({ operation }) => operation.tags.includes(name));
    return { name, description, ofTag };
  });
  const sections = groups.map(
    ({ name, description, ofTag }) =>
      `<h2 id="${name}">${escaped(description)}</h2>${ofTag.map(operationSection).join("")}`,
  );
  const schemas = Object.entries(components.schemas).map(([name, schema]) =>
    details(`<h3 id="schema-${name}"><code>${name}</code></h3>`, membersOf(schema)),
  );
  const paragraphs = info.description.split("\n\n").map((text) => `<p>${marked(text)}</p>`);
  const commonCodes = all[0]?.operation.responses.default?.description ?? "";
  const rules =
    paragraphs.join("") + `<p>Every operation may also answer: ${marked(commonCodes)}.</p>`;
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>${info.title}</title><style>${STYLE}</style></head>
<body><header><h1>${info.title} ${info.version}</h1>
<p>Machine-readable: <a href="/api/openapi.json">openapi.json</a></p></header>
<main>${details("<h2>Errors, limits and retries</h2>", rules)}
${sections.join("")}<h2 id="schemas">Schemas</h2>${schemas.join("")}</main></body></html>
`;
}

function operationSection({ method, path, operation }: PathOperation): string {
  const { operationId, description, security, parameters = [], requestBody, responses } = operation;
  const body = requestBody?.content["application/json"]?.schema;
  const own = Object.entries(responses).filter(([status]) => status !== "default");
  const answers = own.map(([status, response]) => {
    const [type, media] = Object.entries(response.content ?? {})[0] ?? [];
    const is =
      type === undefined || type === "application/problem+json"
        ? ""
        : media?.schema === undefined
          ? type
          : typeOf(media.schema);
    return row(status, marked(response.description), is);
  });
  const access = security === undefined ? "Needs an access token" : "Public";
  const optional = requestBody?.required === true ? "" : " (optional)";
  const parameterTable = `<table>${parameters.map(parameterRow).join("")}</table>`;
  return details(
    `<h3 id="${operationId}"><span class="method">${method}</span> ` +
      `<code>${escaped(path)}</code></h3>`,
    [
      `<p>${marked(description)}</p><p class="quiet">${access}</p>`,
      parameters.length === 0 ? "" : `<h4>Parameters</h4>${parameterTable}`,
      body === undefined ? "" : `<h4>Body${optional}</h4>${membersOf(body)}`,
      `<h4>Responses</h4><table>${answers.join("")}</table>`,
    ].join("\n"),
  );
}

/** Closed at first, so that the page is a list of contents that opens in place. */
function details(summary: string, content: string): string {
  return `<details><summary>${summary}</summary><div>${content}</div></details>\n`;
}

function parameterRow({ name, in: place, required, description = "", schema }: Parameter): string {
  return row(
    `<code>${escaped(name)}</code>`,
    marked(description),
    `${place}${required ? "" : ", optional"}: ${typeOf(schema)}`,
  );
}

function membersOf(schema: Schema): string {
  const { properties = {}, required = [] } = schema as {
    properties?: Record<string, Schema>;
    required?: readonly string[];
  };
  const rows = Object.entries(properties).map(([name, { description, ...rules }]) =>
    row(
      `<code>${escaped(name)}</code>`,
      marked(typeof description === "string" ? description : ""),
      `${required.includes(name) ? "" : "optional: "}${typeOf(rules)}`,
    ),
  );
  return `<table>${rows.join("")}</table>`;
}

/** Describes a schema in a few words, with links to named ones. */
function typeOf(schema: Schema): string {
  const {
    $ref,
    type,
    items,
    properties,
    format,
    pattern,
    enum: values,
    const: constant,
    default: defaultValue,
    ...bounds
  } = schema as Rules;
  if ($ref !== undefined) {
    const name = $ref.split("/").at(-1) ?? "";
    return `<a href="#schema-${name}">${name}</a>`;
  }
  if (items !== undefined) return `list of ${typeOf(items)}`;
  if (properties !== undefined)
    return `{ ${Object.entries(properties)
      .map(([name, rules]) => `<code>${escaped(name)}</code>: ${typeOf(rules)}`)
      .join(", ")} }`;
  if (constant !== undefined) return `<code>${escaped(JSON.stringify(constant))}</code>`;
  if (values !== undefined)
    return (
      values.map((value) => `<code>${escaped(value)}</code>`).join(" ") + defaultOf(defaultValue)
    );
  const limits = Object.entries(bounds)
    .filter(([name]) => /^(?:min|max)/.test(name))
    .map(([name, value]) => `${name} ${String(value)}`);
  const kind = [
    [type ?? "anything"].flat().join(" or "),
    format,
    pattern && `<code>${escaped(pattern)}</code>`,
    ...limits,
  ];
  return kind.filter(Boolean).join(", ") + defaultOf(defaultValue);
}

type Rules = {
  $ref?: string;
  type?: string | string[];
  items?: Schema;
  properties?: Record<string, Schema>;
  format?: string;
  pattern?: string;
  enum?: string[];
  const?: unknown;
  default?: unknown;
};

function defaultOf(value: unknown): string {
  return value === undefined ? "" : `; default <code>${escaped(JSON.stringify(value))}</code>`;
}

function row(...cells: string[]): string {
  return `<tr>${cells.map((cell) => `<td>${cell}</td>`).join("")}</tr>`;
}

/** Escapes text and marks what is between backticks as code. */
function marked(text: string): string {
  return escaped(text).replaceAll(/`([^`]+)`/g, "<code>$1</code>");
}

function escaped(text: string): string {
  return text
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;");
}
