// Operators' commands: a change needs confirmation, from a pipe or at a terminal. Tab completion.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { connect } from "amqplib";
import { COMMANDS } from "../../cli/repl/commands.ts";
import { requireServers } from "../../config/index.ts";
import { ROOT } from "../../tools/root.ts";
import { inspectTopology, topologyOf } from "../../lib/queue/topology.ts";
import { type Engine, startEngine } from "../support/engine.ts";
import { type Repl, replOf } from "../support/processes/repl.ts";
import { waitFor } from "../support/wait-for.ts";

const TOPOLOGY = topologyOf();

describe("operators' commands", () => {
  let engine: Engine;
  let repl: Repl;
  before(async () => {
    engine = await startEngine({ SERVICES: "auth,catalog,ledger,purchasing" });
    repl = replOf(engine);
  });
  after(async () => {
    repl.close();
    await engine.close();
  });

  const count = async (text: string, values: unknown[] = []): Promise<number> => {
    const [row] = await engine.database.query<{ count: string }>({ text, values });
    return Number(row?.count);
  };

  it("worker ID shows the worker of an event, or that it has none", async () => {
    const [sold, quiet] = [await engine.addEvent({ capacity: 9 }), await engine.addEvent()];
    const { output } = await repl.piped([
      `call purchasing.buy --eventId ${sold} --quantity 2 --key ${randomUUID()}`,
      `worker ${sold}`,
      `worker ${quiet}`,
      "worker",
      "workers",
      "q",
    ]);
    const line = `${sold} {2}on node-1-\\S+ {2}epoch \\d{13} {2}7 left {2}mailbox 0 {2}largest batch 1 {2}sold 1\n`;
    assert.match(
      output,
      new RegExp(
        `${line}It has no worker: no purchase was sent to it lately\\.\nNothing is no event's id; search shows them\n${line}`,
      ),
    );
  });

  it("import FILE asks, then imports, names what is refused, and says where there is no file", async () => {
    const file = join(engine.config.dataDir, "feed.jsonl");
    const name = `Imported ${randomUUID()}`;
    const records = [
      { name, date: "2030-05-01", location: "Oslo", capacity: 40 },
      { name: "Bad", date: "2030-02-30", location: "Oslo", capacity: 40 },
    ];
    writeFileSync(file, records.map((record) => JSON.stringify(record)).join("\n"));
    const there = (): Promise<number> =>
      count("SELECT count(*) FROM event WHERE name = $1", [name]);
    const asked = await repl.piped([`import ${file}`, "import", "q"]);
    assert.match(
      asked.output,
      /Import \S+feed\.jsonl\?.* The input is no terminal: start with --yes to confirm\.\n.*import wants a file/,
    );
    assert.equal(await there(), 0, "nothing changes without confirmation");
    const done = await repl.piped(
      [`import ${file}`, `import ${file}`, `import ${file}.none`, "q"],
      {},
      ["--yes"],
    );
    assert.match(
      done.output,
      /record 2, Bad: date 2030-02-30 is not a day[^]*imported 1, updated 0, unchanged 0, repeated 0, refused 1[^]*imported 0, updated 0, unchanged 1, repeated 0, refused 1[^]*It failed: .*none/,
    );
    assert.equal(await there(), 1);
  });

  it("deadletters shows them, and replay moves them back after a yes only", async () => {
    const model = await connect(requireServers(engine.config).amqpUrl);
    try {
      const channel = await model.createChannel();
      const dead = async (): Promise<number> => (await inspectTopology(channel, TOPOLOGY)).dead;
      const eventId = await engine.addEvent();
      const letter = JSON.stringify({ eventId, transactionIds: [] });
      channel.sendToQueue(TOPOLOGY.deadQueue, Buffer.from(letter), { persistent: true });
      await waitFor(async () => (await dead()) === 1);
      const asked = await repl.piped(["deadletters", "deadletters replay", "q"]);
      assert.ok(asked.output.includes(letter), asked.output);
      assert.match(
        asked.output,
        /1 wait\.\n[^]*1 wait\.\nMove 1 back into the queue\? The input is no terminal: start with --yes to confirm\./,
      );
      assert.equal(await dead(), 1, "nothing changes without confirmation");
      const done = await repl.piped(["deadletters replay", "deadletters", "q"], {}, ["--yes"]);
      assert.match(done.output, /\{"replayed":1[^]*^0 wait\.$/m);
      assert.equal(await dead(), 0);
    } finally {
      await model.close();
    }
  });

  it("drain does nothing without a yes", async () => {
    const node = await engine.startNode({ SERVICES: "purchasing" });
    const { output } = await repl.piped([`drain ${node.broker.nodeID}`, "q"]);
    assert.match(output, /Stop \S+\? .* The input is no terminal: start with --yes to confirm\./);
    assert.doesNotMatch(output, /finishes what it has/);
    assert.ok((node.broker as unknown as { started: boolean }).started);
  });

  it("leave all of Moleculer's commands as they are, its metrics too", async () => {
    const { output, errors } = await repl.piped(["events", "cache keys", "metrics", "q"]);
    assert.doesNotMatch(errors, /metrics feature is disabled/i);
    assert.match(output, /║ Event /, "its table of events that services listen to");
    assert.match(output, /moleculer\.broker\.namespace/);
    const own = readdirSync(join(ROOT, "node_modules/moleculer-repl/src/commands")).map((file) =>
      file.replace(/\.js$/, ""),
    );
    assert.ok(own.includes("events") && own.includes("cache"));
    assert.deepEqual(
      [...COMMANDS.keys()].filter((name) => own.includes(name)),
      [],
    );
  });

  it("show their help, and do nothing then", async () => {
    const lines = [...COMMANDS.keys()].map((name, index) =>
      index % 2 === 0 ? `${name} --help` : `help ${name}`,
    );
    const { output, errors } = await repl.piped([...lines, "help nodes", "q"]);
    assert.equal(errors, "");
    for (const { words, help } of COMMANDS.values())
      assert.ok(output.includes(`${words}\n  ${help}\n`), `${words}: ${output}`);
    assert.doesNotMatch(output, /nothing sold|start with --yes|Nothing is/);
    assert.match(output, /Usage: .*nodes \[options\]/, "Moleculer's own");
  });

  it("sales goes on for long, until Ctrl-C", async () => {
    const typist = await repl.typist();
    typist.type("sales --live 6000\r");
    await typist.reads(/nothing sold/);
    typist.type("\u0003");
    await typist.reads(/boxoffice \$ /);
    typist.type("workers\r");
    await typist.reads(/Nothing is being sold|on node-1-/);
    assert.equal(await typist.leave(), 0);
  });

  it("at a terminal ask and take y for a yes, and complete words with Tab", async () => {
    const flushes = (): number =>
      readFileSync(engine.config.auditFile ?? "", "utf8").split('"what":"catalog.flush"').length -
      1;
    const typist = await repl.typist();
    typist.type("flush\r");
    await typist.reads(/Make every page of searches stale\?.* \[y\/N\] /);
    typist.type("\r");
    await typist.reads(/boxoffice \$ /);
    typist.type("flush\r");
    await typist.reads(/\[y\/N\] /);
    typist.type("no\r");
    await typist.reads(/boxoffice \$ /);
    typist.type("flush\r");
    await typist.reads(/\[y\/N\] /);
    typist.type("y\r");
    await typist.reads(/Done\. Gateways keep/);
    await typist.reads(/boxoffice \$ /);
    await waitFor(() => flushes() > 0);
    assert.equal(flushes(), 1, "Enter and no are no yes");

    typist.type("dead\t");
    await typist.reads(/deadletters/);
    typist.type("\r");
    await typist.reads(/0 wait\./);
    typist.type("deadletters r\t");
    await typist.reads(/deadletters replay/);
    // Two Tabs at once would be a text that was pasted.
    typist.type("\u0015work\t");
    await typist.reads(/worker/);
    typist.type("\t");
    await typist.reads(/workers\s+worker\b/);
    typist.type("s\r");
    await typist.reads(/on node-1-|Nothing is being sold/);
    assert.equal(await typist.leave(), 0);
  });
});
