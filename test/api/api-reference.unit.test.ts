// The OpenAPI document and its page, as the gateway serves them.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { after, before, describe, it } from "node:test";
import { API_DOCUMENT } from "../../services/api/routes/index.ts";
import { assertProblem, type HttpClient, httpClient } from "../support/http/http.ts";
import { startLoneGateway } from "../support/fixtures/lone-gateway.ts";

describe("the reference", () => {
  let gateway: Awaited<ReturnType<typeof startLoneGateway>>;
  let ask: HttpClient;
  before(async () => {
    gateway = await startLoneGateway();
    ask = httpClient(gateway.url);
  });
  after(() => gateway.stop());

  it("serves the document as JSON and as a page", async () => {
    const document = await ask("GET", "/api/openapi.json");
    assert.equal(document.headers.get("content-type"), "application/json");
    assert.deepEqual(document.json, JSON.parse(JSON.stringify(API_DOCUMENT)));
    const page = await ask("GET", "/api/docs");
    assert.equal(page.headers.get("content-type"), "text/html; charset=utf-8");
    for (const [path, methods] of Object.entries(API_DOCUMENT.paths))
      for (const [method, { operationId }] of Object.entries(methods))
        assert.match(
          page.text,
          new RegExp(
            `id="${operationId}"[^]{0,80}${method.toUpperCase()}[^]{0,80}` +
              `${path.replaceAll(/[{}.]/g, ".")}<`,
          ),
        );
    for (const [, target] of page.text.matchAll(/href="#([^"]*)"/g))
      assert.ok(page.text.includes(` id="${target}"`), `#${target} is there`);
    // The policy names the hash of the only style sheet; a browser loads and runs nothing else.
    const policy = page.headers.get("content-security-policy") ?? "";
    const style = createHash("sha256")
      .update(/<style>([^]*?)<\/style>/.exec(page.text)?.[1] ?? "")
      .digest("base64");
    assert.equal(
      policy,
      `default-src 'none'; style-src 'sha256-${style}'; base-uri 'none'; ` +
        "form-action 'none'; frame-ancestors 'none'",
    );
    assert.doesNotMatch(page.text, /<script|<link|<img|<iframe|\son\w+=|style=|https?:\/\//);
    for (const path of ["/api/openapi.json?x=1", "/api/docs?x"])
      assertProblem(await ask("GET", path), 422, "VALIDATION_ERROR");
  });
});
