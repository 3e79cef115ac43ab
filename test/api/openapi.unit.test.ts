// The served OpenAPI document: complete, and in agreement with docs/api/openapi.yaml.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { parse } from "yaml";
import { readContract } from "../../tools/fuzz/contract.ts";
import { API_DOCUMENT, API_ROUTES } from "../../services/api/routes/index.ts";
import { type Difference, differences } from "../support/http/compare-contracts.ts";

const CONTRACT = fileURLToPath(new URL("../../docs/api/openapi.yaml", import.meta.url));

/** The served document is stricter here. No cursor is longer, so the answer is a 422 anyway. */
const STRICTER = [
  "get /api/events: query cursor maxLength",
  "get /api/tickets: query cursor maxLength",
];

const document = JSON.parse(JSON.stringify(API_DOCUMENT)) as typeof API_DOCUMENT;

describe("the OpenAPI document", () => {
  it("describes every route once, by a unique name, with every parameter of its path", () => {
    const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, operation]) => ({ path, method, operation })),
    );
    const named = operations.map(({ operation }) => operation.operationId);
    assert.equal(new Set(named).size, named.length);
    assert.ok(operations.length > API_ROUTES.length, "with the probes");
    for (const { path, method } of API_ROUTES)
      assert.ok(document.paths[path]?.[method.toLowerCase()] !== undefined, `${method} ${path}`);
    for (const { path, operation } of operations) {
      const inPath = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
      const declared = (operation.parameters ?? []).filter((one) => one.in === "path");
      assert.deepEqual(
        declared.map(({ name }) => name),
        inPath,
        path,
      );
      assert.ok(declared.every(({ required }) => required));
      assert.ok(operation.description !== "" && operation.responses.default !== undefined, path);
    }
  });

  it("has every schema that it refers to, and no unused one", () => {
    const text = JSON.stringify(document);
    const used = new Set(
      [...text.matchAll(/"#\/components\/schemas\/(\w+)"/g)].map(([, name]) => name),
    );
    assert.deepEqual([...used].sort(), Object.keys(document.components.schemas).sort());
    assert.doesNotThrow(() => readContract(text));
  });
});

describe("the contract and the served document", () => {
  const yaml = readFileSync(CONTRACT, "utf8");
  const contract = () => parse(yaml) as typeof document;
  const messages = (found: readonly Difference[]): string[] =>
    found.map(({ where, what }) => `${where}: ${what}`).sort();

  it("agree: every path, method, status, code, parameter and schema, and requests are no stricter", () => {
    const expected = STRICTER.map((one) => `${one}: is more than the contract asks`);
    assert.deepEqual(messages(differences(contract(), document)), expected.sort());
  });

  it("have the same closed list of codes", () => {
    const [promised, served] = [readContract(yaml), readContract(JSON.stringify(document))];
    assert.deepEqual([...served.statusOfCode].sort(), [...promised.statusOfCode].sort());
  });

  it("are found to differ by each of these changes", () => {
    const before = messages(differences(contract(), document));
    const buy = ["paths", "/api/events/{eventId}/tickets", "post"];
    const body = [...buy, "requestBody", "content", "application/json", "schema"];
    const schemas = ["components", "schemas"];
    const changes: [where: string[], value: unknown][] = [
      [["paths", "/api/auth/me"], undefined],
      [["paths", "/api/tickets/{ticketId}", "delete"], undefined],
      [[...buy, "responses", "409"], undefined],
      [[...buy, "responses", "409", "content"], {}],
      [[...buy, "requestBody"], undefined],
      [["paths", "/api/auth/login", "post", "requestBody", "required"], false],
      [[...buy, "parameters", "1"], document.paths["/api/tickets"]?.get?.parameters?.[0]],
      [[...buy, "security"], []],
      [[...body, "properties", "quantity", "maximum"], 9],
      [[...body, "required"], ["quantity"]],
      [["paths", "/api/events", "get", "parameters", "0", "schema", "maxLength"], 50],
      [[...schemas, "Event", "properties", "available"], undefined],
      [[...schemas, "Ticket", "required"], ["id"]],
      [
        [...schemas, "User", "properties", "role", "enum"],
        ["customer", "operator", "root"],
      ],
    ];
    for (const [where, value] of changes)
      assert.notDeepEqual(
        messages(differences(contract(), changed(document, where, value))),
        before,
        where.join(" "),
      );
  });
});

/** Copies the document with another value at a path, or without it. */
function changed<T extends object>(whole: T, where: readonly string[], value: unknown): T {
  const copy = structuredClone(whole);
  let place = copy as Record<string, unknown>;
  for (const name of where.slice(0, -1)) place = place[name] as Record<string, unknown>;
  const last = where.at(-1) ?? "";
  assert.notDeepEqual(place[last], value, `${where.join(" ")} has another value already`);
  if (value === undefined) Reflect.deleteProperty(place, last);
  else place[last] = value;
  return copy;
}
