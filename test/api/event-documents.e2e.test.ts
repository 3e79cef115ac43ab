// The document of an event's page: for shared links, search engines, and the first paint.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, before, describe, it } from "node:test";
import sharp from "sharp";
import type { RunningNode } from "../../main.ts";
import { type Engine, startEngine } from "../support/engine.ts";
import { assertProblem, type HttpClient, httpClient } from "../support/http/http.ts";
import { waitFor } from "../support/wait-for.ts";

const SITE = "https://tickets.example";
const HOSTILE = `</script><script>alert(1)</script> "quoted" 'single' & <b> $& $\` <!--`;
const GERMAN = { "Accept-Language": "de-AT,de;q=0.9,en;q=0.8" };

describe("the document of an event", () => {
  let engine: Engine;
  let seller: RunningNode;
  let ask: HttpClient;
  let gatewayUrl = "";
  let eventId: string;
  before(async () => {
    engine = await startEngine({ SERVICES: "auth,ledger" });
    seller = await engine.startNode({ SERVICES: "catalog,purchasing" });
    const gateway = await engine.startNode({ SERVICES: "api", PUBLIC_URL: SITE });
    gatewayUrl = gateway.url ?? "";
    ask = httpClient(gatewayUrl);
    eventId = await engine.addEvent({ capacity: 3 });
    await waitFor(async () => (await ask("GET", `/api/events/${eventId}`)).status === 200);
  });
  after(() => engine.close());

  const pageOf = (id: string, headers: Record<string, string> = {}) =>
    ask("GET", `/events/${id}`, { headers });
  const dataIn = (html: string): Record<string, unknown> => {
    const [, json = ""] = /<script type="application\/ld\+json">(.*?)<\/script>/.exec(html) ?? [];
    return JSON.parse(json) as Record<string, unknown>;
  };
  const propertiesIn = (html: string): Map<string, string> =>
    new Map(
      [...html.matchAll(/<meta property="([^"]*)" content="([^"]*)">/g)].map(
        ([, property = "", content = ""]) => [property, content],
      ),
    );

  it("names it for shared links, at the public address, in the reader's language", async () => {
    const english = await pageOf(eventId);
    assert.equal(english.status, 200);
    assert.match(english.text, /<html lang="en">/);
    assert.match(english.text, /<title>Concert · Boxoffice<\/title>/);
    assert.match(english.text, /<meta name="description" content="Concert, Berlin · \w+day,? \d/);
    assert.ok(english.text.includes(`<link rel="canonical" href="${SITE}/events/${eventId}">`));
    const properties = propertiesIn(english.text);
    assert.equal(properties.get("og:title"), "Concert");
    assert.equal(properties.get("og:url"), `${SITE}/events/${eventId}`);
    assert.equal(properties.get("og:image"), `${SITE}/events/${eventId}/cover.png`);
    assert.equal(properties.get("twitter:card"), "summary_large_image");
    assert.equal(english.headers.get("vary"), "Accept-Language, Accept-Encoding");

    const german = await pageOf(eventId, GERMAN);
    assert.match(german.text, /<html lang="de">/);
    assert.match(
      german.text,
      /<meta name="description" content="Konzert, Berlin · \w+(?:tag|woch), \d/,
    );
  });

  it("describes it to search engines", async () => {
    const data = dataIn((await pageOf(eventId)).text);
    assert.equal(data["@context"], "https://schema.org");
    assert.equal(data["@type"], "MusicEvent");
    assert.equal(data.name, "Concert");
    assert.equal(data.eventStatus, "https://schema.org/EventScheduled");
    assert.equal(
      Date.parse(data.endDate as string) - Date.parse(data.startDate as string),
      120 * 60_000,
    );
    assert.equal(
      (data.offers as { availability: string }).availability,
      "https://schema.org/InStock",
    );
  });

  it("shows name, day and place before the script runs", async () => {
    const { text } = await pageOf(eventId);
    const [, painted = ""] = /<div id="app">([^]*)<noscript>/.exec(text) ?? [];
    assert.match(painted, /<h1>Concert<\/h1>/);
    assert.match(painted, /<p class="lead">\w+day,? \d+ \w+ \d{4} · Berlin<\/p>/);
    assert.match(painted, /<svg class="cover"/);
  });

  it("takes a hostile name as text", async () => {
    const id = await engine.addEvent();
    await engine.database.query({
      text: "UPDATE event SET name = $2 WHERE id = $1",
      values: [id, HOSTILE],
    });
    const { text } = await pageOf(id);
    assert.equal(dataIn(text).name, HOSTILE);
    assert.equal(text.match(/<script/g)?.length, 2, "the app's script and the structured data");
    assert.doesNotMatch(text, /<b>|<!--/);
    const title = propertiesIn(text).get("og:title");
    assert.ok(title?.startsWith("&lt;/script&gt;&lt;script&gt;alert(1)"), title);
  });

  it("is a 404 for an event that there is not, with the app's page", async () => {
    for (const path of [randomUUID(), "nonsense", `${eventId}0`]) {
      const lost = await pageOf(path);
      assert.deepEqual([lost.status, lost.headers.get("cache-control")], [404, "no-store"], path);
      assert.match(lost.text, /<title>Page not found · Boxoffice<\/title>/);
      assert.match(lost.text, /<script type="module"/);
    }
  });

  it("is known again by its ETag, per language", async () => {
    const first = await pageOf(eventId);
    const etag = first.headers.get("etag") ?? "";
    const again = await pageOf(eventId, { "If-None-Match": etag });
    assert.deepEqual([again.status, again.text], [304, ""]);
    const german = await pageOf(eventId, { ...GERMAN, "If-None-Match": etag });
    assert.equal(german.status, 200);
  });

  it("has a picture in the size of previews, drawn once", async () => {
    const path = `/events/${eventId}/cover.png`;
    const response = await fetch(`${gatewayUrl}${path}`);
    assert.equal(response.headers.get("content-type"), "image/png");
    assert.equal(response.headers.get("cross-origin-resource-policy"), "cross-origin");
    const bytes = Buffer.from(await response.arrayBuffer());
    const { width, height } = await sharp(bytes).metadata();
    assert.deepEqual([width, height], [1_200, 630]);
    assert.ok(bytes.length < 150_000, `${bytes.length} bytes`);
    const { channels } = await sharp(bytes).stats();
    assert.ok(
      channels.some(({ stdev }) => stdev > 10),
      "the picture is not blank",
    );
    assertProblem(await ask("GET", `/events/${randomUUID()}/cover.png`), 404, "EVENT_NOT_FOUND");
  });

  it("stays while no node runs the catalog; of others the app's frame comes as a 503", async () => {
    const seen = await pageOf(eventId);
    await seller.stop();
    await waitFor(async () => (await ask("GET", "/api/events?name=unseen")).status === 503);
    const kept = await pageOf(eventId);
    assert.deepEqual([kept.status, kept.text], [200, seen.text]);
    const other = await pageOf(randomUUID());
    assert.equal(other.status, 503);
    assert.equal(other.headers.get("cache-control"), "no-store");
    assert.equal(other.headers.get("retry-after"), "1");
    assert.match(other.text, /<script type="module"/);
  });
});
