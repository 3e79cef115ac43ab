// A feed with pictures, from a server of the internet to the gateway.
import assert from "node:assert/strict";
import { readdir, rm, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import sharp from "sharp";
import { type Engine as Joined, joinEngine } from "../../tools/engine/connect.ts";
import type { Answer } from "../../domain/refusal.ts";
import { importFeed } from "../../tools/feeds/import-feed.ts";
import type { Outcome } from "../../tools/feeds/feed-record.ts";
import { readFeed } from "../../tools/feeds/read-feed.ts";
import { createPictureImport, type PictureCounts } from "../../tools/pictures/import-pictures.ts";
import { type Engine, startEngine } from "../support/engine.ts";
import { assertProblem, type HttpClient, httpClient } from "../support/http/http.ts";
import {
  PICTURE_HOST,
  type PictureServer,
  startPictureServer,
} from "../support/http/picture-server.ts";
import { waitFor } from "../support/wait-for.ts";

const HOST = `https://${PICTURE_HOST}`;
const HOUR_MS = 3_600_000;

type Image = { url: string; thumbnailUrl: string; width: number; height: number };
type Event = { id: string; name: string; image?: Image };
type Imported = { counts: PictureCounts; told: { name: string; reason: string }[] };

const gig = (name: string, image?: unknown): object => ({
  "@type": "MusicEvent",
  "@id": name,
  name,
  startDate: "2099-05-05T20:00",
  location: { "@type": "Place", address: { addressLocality: "Oslo", addressCountry: "NO" } },
  image,
});
const photo = (color: string, width: number, height: number): Promise<Buffer> =>
  sharp({ create: { width, height, channels: 3, background: color } })
    .jpeg()
    .toBuffer();

describe("an import with pictures", () => {
  let engine: Engine;
  let joined: Joined;
  let server: PictureServer;
  let ask: HttpClient;
  const files = new Map<string, Buffer>();
  before(async () => {
    files.set("/wide.jpg", await photo("#c40", 2_000, 1_000));
    files.set("/small.jpg", await photo("#04c", 300, 200));
    files.set("/new.jpg", await photo("#0c4", 600, 400));
    server = await startPictureServer((request, response) => {
      const bytes = files.get(request.url ?? "");
      if (bytes === undefined) response.writeHead(404).end();
      else response.end(bytes);
    });
    engine = await startEngine();
    joined = await joinEngine(
      { ...engine.environment, LOG_LEVEL: "fatal" },
      { as: "import", needs: "catalog" },
    );
    ask = httpClient(engine.url);
  });
  after(async () => {
    await joined.broker.stop();
    await engine.close();
    await server.close();
  });

  const call = async <T>(action: string, params: object): Promise<T> => {
    const answer = await joined.broker.call<Answer<T>, object>(action, params);
    assert.ok(answer.ok, JSON.stringify(answer));
    return answer.value;
  };
  /** Imports as the command does, but for the network. */
  const importAll = async (events: readonly object[]): Promise<Imported> => {
    const told: Imported["told"] = [];
    const pictures = createPictureImport(
      engine.config.dataDir,
      {
        compare: (asked) => call("catalog.compareImages", { events: asked }),
        store: (images) => call("catalog.storeImages", { images }),
        used: (hashes) => call("catalog.usedImages", { hashes }),
        tell: (failure) => told.push(failure),
      },
      { network: server.network },
    );
    const chunks = (async function* () {
      yield JSON.stringify(events);
    })();
    const counts = { imported: 0, updated: 0, unchanged: 0, repeated: 0, refused: 0 };
    const { signal } = new AbortController();
    await importFeed(pictures.note(readFeed(chunks, {})), counts, {
      async send(records) {
        const { outcomes } = await call<{ outcomes: Outcome[] }>("catalog.import", { records });
        await pictures.offer(records);
        return outcomes;
      },
      upcoming: () => Promise.resolve([]),
      tell: () => undefined,
      progress: () => undefined,
      signal,
    });
    assert.equal(counts.refused, 0);
    await pictures.run(signal);
    return { counts: pictures.counts, told };
  };
  const listed = async (): Promise<Map<string, Event>> => {
    const { json } = await ask("GET", "/api/events?location=oslo");
    return new Map((json?.items as Event[]).map((event) => [event.name, event]));
  };
  /** The event as a search shows it once `isThere` is true: answers are a second old at most. */
  const eventNamed = (name: string, isThere: (event: Event) => boolean): Promise<Event> =>
    waitFor(async () => {
      const event = (await listed()).get(name);
      return event !== undefined && isThere(event) ? event : undefined;
    });
  const folder = (): string => join(engine.config.dataDir, "images");
  const bytesAt = async (path: string): Promise<Buffer> =>
    Buffer.from(await (await fetch(engine.url + path)).arrayBuffer());

  it("stores the pictures, names those that fail, and imports all events", async () => {
    const { counts, told } = await importAll([
      gig("Wide", ["ftp://x", { "@type": "ImageObject", contentUrl: `${HOST}/wide.jpg` }]),
      gig("Small", `${HOST}/small.jpg`),
      gig("Gone", `${HOST}/gone.jpg`),
      gig("Inside", "https://169.254.169.254/latest/meta-data"),
      gig("Plain", `http://${PICTURE_HOST}/small.jpg`),
      gig("None"),
    ]);
    assert.deepEqual(counts, { stored: 2, unchanged: 0, failed: 3, left: 0, removed: 0 });
    assert.deepEqual(
      new Map(told.map(({ name, reason }) => [name, reason])),
      new Map([
        ["Gone", "the server answered 404"],
        ["Inside", "its host is not on the public internet"],
        ["Plain", "its address is not https"],
      ]),
    );
    const { image } = await eventNamed("Wide", (event) => event.image !== undefined);
    assert.deepEqual([image?.width, image?.height], [1_280, 640]);
    const events = await listed();
    assert.equal(events.size, 6);
    for (const name of ["Gone", "Inside", "Plain", "None"])
      assert.ok(!("image" in (events.get(name) ?? {})), name);
  });

  it("S42: both files are served for a year, and no file of another name", async () => {
    await importAll([gig("Wide", `${HOST}/wide.jpg`)]);
    const { image } = await eventNamed("Wide", (event) => event.image !== undefined);
    assert.ok(image);
    assert.match(image.url, /^\/images\/[\da-f]{32}-1280\.webp$/);
    const response = await fetch(engine.url + image.url);
    assert.equal(response.status, 200);
    assert.deepEqual(
      ["content-type", "cache-control", "x-content-type-options"].map((name) =>
        response.headers.get(name),
      ),
      ["image/webp", "public, max-age=31536000, immutable", "nosniff"],
    );
    assert.equal((await sharp(Buffer.from(await response.arrayBuffer())).metadata()).width, 1_280);
    assert.equal((await sharp(await bytesAt(image.thumbnailUrl)).metadata()).width, 480);
    const etag = response.headers.get("etag") ?? "";
    const again = await ask("GET", image.url, { headers: { "If-None-Match": etag } });
    assert.equal(again.status, 304);

    await writeFile(join(engine.config.dataDir, "secret.webp"), "secret");
    await writeFile(join(folder(), "other.webp"), "secret");
    for (const path of [
      `/images/${"0".repeat(32)}-1280.webp`,
      image.url.replace("1280", "640"),
      image.url.toUpperCase().replace("/IMAGES/", "/images/"),
      "/images/other.webp",
      "/images/..%2fsecret.webp",
      "/images/%2e%2e%2fsecret.webp",
      "/images/",
    ])
      assertProblem(await ask("GET", path), 404, "NOT_FOUND");
    assert.equal((await ask("POST", image.url)).status, 405);
    await rm(join(folder(), "other.webp"));
  });

  it("shows them to shared links and search engines", async () => {
    const { id, image } = await eventNamed("Wide", (event) => event.image !== undefined);
    const { text } = await ask("GET", `/events/${id}`);
    const address = `${engine.url}${image?.url}`;
    assert.ok(text.includes(`<meta property="og:image" content="${address}">`), text);
    assert.match(text, /<meta property="og:image:type" content="image\/webp">/);
    const [, json = ""] = /<script type="application\/ld\+json">(.*?)<\/script>/.exec(text) ?? [];
    assert.deepEqual((JSON.parse(json) as { image: string[] }).image, [address]);
    assert.match(text, /<img class="cover"[^>]* alt="Picture of Wide"/);
  });

  it("downloads nothing again, but what is new or lost", async () => {
    const feed = [gig("Wide", `${HOST}/wide.jpg`), gig("Small", `${HOST}/small.jpg`)];
    const asked = server.asked.length;
    assert.deepEqual((await importAll(feed)).counts, {
      ...{ stored: 0, unchanged: 2, failed: 0, left: 0, removed: 0 },
    });
    assert.equal(server.asked.length, asked);

    const { image } = await eventNamed("Small", (event) => event.image !== undefined);
    await rm(join(engine.config.dataDir, image?.thumbnailUrl ?? ""));
    assertProblem(await ask("GET", image?.thumbnailUrl ?? ""), 404, "NOT_FOUND");
    const { counts } = await importAll(feed);
    assert.deepEqual([counts.stored, counts.unchanged], [1, 1]);
    assert.equal((await ask("GET", image?.thumbnailUrl ?? "")).status, 200);
  });

  it("keeps the picture that an event has while the new one fails; replaces and removes it", async () => {
    const { image: before } = await eventNamed("Small", (event) => event.image !== undefined);
    await importAll([gig("Small", `${HOST}/gone.jpg`)]);
    assert.deepEqual((await listed()).get("Small")?.image, before);
    await importAll([gig("Small", `${HOST}/new.jpg`)]);
    await eventNamed("Small", ({ image }) => image?.url !== before?.url);
    await importAll([gig("Small")]);
    await eventNamed("Small", ({ image }) => image === undefined);
  });

  it("removes files that no event uses, an hour later", async () => {
    const feed = [gig("Wide", `${HOST}/wide.jpg`)];
    const { image } = await eventNamed("Wide", (event) => event.image !== undefined);
    await writeFile(join(folder(), ".left-by-a-crash.tmp"), "");
    await writeFile(join(folder(), "notes.txt"), "");
    const names = await readdir(folder());
    assert.equal(names.length, 8, "three pictures of two files, and two others");
    assert.equal((await importAll(feed)).counts.removed, 0);

    const old = new Date(Date.now() - HOUR_MS - 1_000);
    for (const name of names) await utimes(join(folder(), name), old, old);
    assert.equal((await importAll(feed)).counts.removed, 2);
    const kept = [image?.url, image?.thumbnailUrl].map((path) => path?.replace("/images/", ""));
    assert.deepEqual((await readdir(folder())).sort(), [...kept, "notes.txt"].sort());
  });
});
