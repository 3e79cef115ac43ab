import { createHash } from "node:crypto";
import type { OpenApiDocument, Operation, Parameter } from "./openapi.ts";
import type { Schema } from "../routing/route.ts";

const STYLE = `
:root { color-scheme: light dark; --line: light-dark(#d4d4dc, #3c3c46);
  --soft: light-dark(#f4f4f8, #1f1f26); --quiet: light-dark(#595964, #a9a9b6); }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 0 auto; padding: 1rem; }
code { font: 0.9em ui-monospace, monospace; overflow-wrap: anywhere; }
h2 { margin-top: 3rem; } h3 { margin: 2.5rem 0 0.25rem; }
h4 { margin: 1rem 0 0.25rem; color: var(--quiet); }
nav ul { columns: 20rem; padding-left: 1.2rem; } nav li { break-inside: avoid; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; vertical-align: top; padding: 0.3rem 0.6rem 0.3rem 0;
  border-top: 1px solid var(--line); }
td:first-child { width: 14rem; } section > p { margin: 0.25rem 0; } .quiet { color: var(--quiet); }
.method { display: inline-block; min-width: 4rem; padding: 0 0.4rem; border-radius: 0.25rem;
  background: var(--soft); }
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
  const contents = groups.map(({ name, description, ofTag }) => {
    const links = ofTag.map(
      ({ method, path, operation: { operationId } }) =>
        `<li><a href="#${operationId}"><code>${method} ${escaped(path)}</code></a></li>`,
    );
    return `<li><a href="#${name}">${escaped(description)}</a><ul>${links.join("")}</ul></li>`;
  });
  const sections = groups.map(
    ({ name, description, ofTag }) =>
      `<h2 id="${name}">${escaped(description)}</h2>${ofTag.map(operationSection).join("")}`,
  );
  const schemas = Object.entries(components.schemas).map(
    ([name, schema]) =>
      `<section><h3 id="schema-${name}">${name}</h3>${membersOf(schema)}</section>`,
  );
  const paragraphs = info.description.split("\n\n").map((text) => `<p>${marked(text)}</p>`);
  const commonCodes = all[0]?.operation.responses.default?.description ?? "";
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>${info.title}</title><style>${STYLE}</style></head>
<body><header><h1>${info.title} ${info.version}</h1>${paragraphs.join("")}
<p>Every operation may also answer: ${marked(commonCodes)}.</p>
<p>Machine-readable: <a href="/api/openapi.json">openapi.json</a></p></header>
<nav aria-label="Operations"><ul>${contents.join("")}
<li><a href="#schemas">Schemas</a></li></ul></nav>
<main>${sections.join("")}<h2 id="schemas">Schemas</h2>${schemas.join("")}</main></body></html>
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
  return [
    `<section><h3 id="${operationId}">`,
    `<span class="method">${method}</span> <code>${escaped(path)}</code></h3>`,
    `<p>${marked(description)}</p><p class="quiet">${access}</p>`,
    parameters.length === 0 ? "" : `<h4>Parameters</h4>${parameterTable}`,
    body === undefined ? "" : `<h4>Body${optional}</h4>${membersOf(body)}`,
    `<h4>Responses</h4><table>${answers.join("")}</table></section>`,
  ].join("\n");
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
