// How the gateway serves the web app: pages, files with names for ever, and the policy of what a
// page may do.
import assert from "node:assert/strict";
import { createHash, randomUUID } from "node:crypto";
import { get } from "node:http";
import { after, before, describe, it } from "node:test";
import { brotliDecompressSync, gunzipSync } from "node:zlib";
import { PATHS } from "../../public/src/paths.ts";
import { type Engine, startEngine } from "../support/engine.ts";
import { type HttpClient, assertProblem, httpClient } from "../support/http/http.ts";

const BROWSER = { Accept: "text/html,application/xhtml+xml" };

describe("the web app", () => {
  let engine: Engine;
  let ask: HttpClient;
  before(async () => {
    engine = await startEngine();
    ask = httpClient(engine.url);
  });
  after(() => engine.close());

  /** Bytes as they come, which fetch would decompress. */
  function raw(
    path: string,
    encoding: string,
  ): Promise<{ encoding: string | undefined; vary: string | undefined; body: Buffer }> {
    return new Promise((resolve, reject) => {
      get(engine.url + path, { headers: { "Accept-Encoding": encoding } }, (response) => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk: Buffer) => chunks.push(chunk));
        response.on("end", () => {
          const { "content-encoding": used, vary } = response.headers;
          resolve({ encoding: used, vary, body: Buffer.concat(chunks) });
        });
      }).on("error", reject);
    });
  }

  it("is what every address of its pages gives, with nothing inline and nothing foreign allowed", async () => {
    const first = await ask("GET", "/");
    const script = /<script type="module" crossorigin src="\/assets\/[\w-]+\.js">/.exec(first.text);
    assert.ok(script, first.text);
    const style = /<style>([^]*?)<\/style>/.exec(first.text)?.[1] ?? "";
    const hash = createHash("sha256").update(style).digest("base64");
    for (const path of Object.values(PATHS).filter((one) => one !== PATHS.event)) {
      const page = await ask("GET", `${path.replace(/:\w+/, randomUUID())}?a=b`);
      assert.equal(page.status, 200, path);
      assert.ok(page.text.includes(script[0]), path);
      assert.doesNotMatch(page.text, /<script(?![^>]* src="\/assets\/)|style=|\son\w+="/);
      assert.equal(page.headers.get("content-type"), "text/html; charset=utf-8");
      assert.equal(page.headers.get("cache-control"), "no-cache");
      assert.equal(page.headers.get("vary"), "Accept-Language, Accept-Encoding");
      const policy = page.headers.get("content-security-policy") ?? "";
      assert.ok(
        policy.startsWith(
          `default-src 'none'; script-src 'self'; style-src 'self' 'sha256-${hash}'; ` +
            "img-src 'self'; font-src 'self'; connect-src 'self'; ",
        ),
        policy,
      );
      assert.doesNotMatch(policy, /unsafe|http|\*/);
    }
    const known = await ask("GET", "/", {
      headers: { "If-None-Match": first.headers.get("etag") ?? "" },
    });
    assert.deepEqual([known.status, known.text], [304, ""]);
    assertProblem(await ask("POST", "/tickets"), 405, "METHOD_NOT_ALLOWED");
  });

  it("is shown to browsers at an address that there is not, as a 404; programs hear it in JSON", async () => {
    const lost = await ask("GET", "/no/such/page", { headers: BROWSER });
    assert.equal(lost.status, 404);
    assert.match(lost.text, /<title>Page not found · Boxoffice<\/title>/);
    assert.equal(lost.headers.get("cache-control"), "no-store");
    assertProblem(await ask("GET", "/no/such/page"), 404, "NOT_FOUND");
    for (const path of ["/api/no-such", "/assets/old-12345678.js", "/.well-known/x"])
      assertProblem(await ask("GET", path, { headers: BROWSER }), 404, "NOT_FOUND");
    for (const path of [
      "/index.html",
      "/pages.json",
      "/.stamp",
      "/.vite/manifest.json",
      "/assets/../pages.json",
    ])
      assertProblem(await ask("GET", path), 404, "NOT_FOUND");
  });

  it("comes with its reader's texts and with the answer to its first question, where the address alone tells which that is", async () => {
    const linked = async (
      path: string,
      language = "de-AT,de;q=0.9,en;q=0.8",
    ): Promise<string[]> => {
      const { headers } = await ask("GET", path, { headers: { "Accept-Language": language } });
      return (headers.get("link") ?? "")
        .split(", ")
        .map((link) => link.replace(/-[\w-]{8}\.js/, ".js"));
    };
    const german = "</assets/de-texts.js>; rel=modulepreload";
    const asked = (path: string): string => `<${path}>; rel=preload; as=fetch; crossorigin`;
    assert.deepEqual(await linked("/"), [german, asked("/api/events?limit=24")]);
    const eventId = await engine.addEvent();
    assert.deepEqual(await linked(`/events/${eventId}`), [german, asked(`/api/events/${eventId}`)]);
    assert.equal((await ask("GET", `/api/events/${eventId}`)).status, 200);
    for (const path of ["/?name=jazz", "/tickets", `/events/${eventId}?quantity=2`])
      assert.deepEqual(await linked(path), [german], path);
    for (const language of ["", "fr, constructor", "EN-gb;q=0.1"])
      assert.deepEqual(
        await linked("/tickets", language),
        ["</assets/en-texts.js>; rel=modulepreload"],
        language,
      );
  });

  it("has files that are kept for ever, compressed beforehand", async () => {
    const { text } = await ask("GET", "/");
    const files = [...text.matchAll(/(?:src|href)="(\/assets\/[^"]+)"/g)].map(
      ([, path = ""]) => path,
    );
    assert.ok(
      files.some((path) => path.endsWith(".js")) && files.some((path) => path.endsWith(".css")),
    );
    for (const path of files) {
      const plain = await ask("GET", path, { headers: { "Accept-Encoding": "identity" } });
      assert.equal(plain.headers.get("cache-control"), "public, max-age=31536000, immutable");
      assert.match(
        plain.headers.get("content-type") ?? "",
        /^text\/(?:javascript|css); charset=utf-8$/,
      );
      const [br, gzip] = [await raw(path, "gzip, br"), await raw(path, "gzip")];
      if (plain.text.length < 1_024) continue;
      assert.deepEqual(
        [br.encoding, gzip.encoding, br.vary, gzip.vary],
        ["br", "gzip", "Accept-Encoding", "Accept-Encoding"],
      );
      assert.equal(brotliDecompressSync(br.body).toString(), plain.text);
      assert.equal(gunzipSync(gzip.body).toString(), plain.text);
    }
  });
});
