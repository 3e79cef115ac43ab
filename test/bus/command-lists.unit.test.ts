// Commands of one turn travel as one list, and results of one turn as one part. The gateway's and
// the owner's code meet in virtual time. Whatever becomes of a list, each command gets the result
// that a call of its own would have got.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { accepted, type Answer, refused } from "../../domain/refusal.ts";
import { LIST_MAX, type ListedCommand } from "../../lib/bus/command-list.ts";
import { settledCall } from "../../services/api/bus/call-errors.ts";
import { createCommandLists, type ListBus } from "../../services/api/bus/command-lists.ts";
import { CommandLists } from "../../services/purchasing/command-lists.ts";
import { Kernel } from "../simulation/model/kernel.ts";

const TIMEOUT_MS = 4_000;

/** What the owner does with a command: by its request id. */
type Owner = (requestId: string) => { afterMs: number; answer?: Answer<unknown>; fault?: Error };
const sale: Owner = (requestId) => ({ afterMs: 5, answer: accepted(requestId) });

const fault = (type: string, more: object = {}): Error =>
  Object.assign(new Error(type), { type, ...more });
const command = (requestId: string, token = `token-${requestId}`): ListedCommand => {
  return { action: "purchasing.buy", params: { requestId }, meta: { token }, requestId };
};
const namesOf = (count: number): string[] => Array.from({ length: count }, (_, at) => `c${at}`);

/**
 * Sends commands in one turn, or each at its own time. Returns each result and when it came, and
 * what crossed the bus.
 */
async function sendAll(
  names: readonly string[],
  {
    owner = sale,
    bus = () => ({}),
    atMs = () => 0,
    nodeOf = () => "owner",
    leaving = () => false,
  }: {
    owner?: Owner;
    /** Replaces calls. */
    bus?: (real: ListBus, kernel: Kernel) => Partial<ListBus>;
    atMs?: (name: string) => number;
    nodeOf?: (name: string) => string;
    leaving?: () => boolean;
  } = {},
) {
  const kernel = new Kernel(1);
  const wait = (delayMs: number): Promise<void> =>
    new Promise((resolve) => kernel.after(delayMs, "owner", resolve));
  const run = async ({ requestId }: ListedCommand): Promise<Answer<unknown>> => {
    const { afterMs, answer, fault: thrown } = owner(requestId);
    await wait(afterMs);
    if (thrown !== undefined) throw thrown;
    return answer ?? assert.fail();
  };
  const lists = new CommandLists({ nowMs: () => kernel.nowMs, endOfTurn: () => wait(1), leaving });
  const crossed: string[] = [];
  const plain = <T>(value: T): T => structuredClone(value);
  const real: ListBus = {
    takesLists: () => true,
    async one({ command: sent }) {
      crossed.push(`one ${sent.requestId}`);
      return plain(await run(plain(sent)));
    },
    async submit(nodeId, commands) {
      crossed.push(`list of ${commands.length} to ${nodeId}`);
      return plain(await lists.submit(plain(commands), run));
    },
    async collect(_nodeId, list, token) {
      crossed.push("collect");
      return plain(await lists.collect(list, token));
    },
    nowMs: () => kernel.nowMs,
    atEndOfTurn: (work) => void kernel.after(0, "gateway", work),
  };
  const send = createCommandLists({ ...real, ...bus(real, kernel) });
  const results: Record<string, { atMs: number; word: string }> = {};
  for (const name of names)
    kernel.after(atMs(name), "gateway", () => {
      const attempt = { nodeId: nodeOf(name), timeoutMs: TIMEOUT_MS, command: command(name) };
      void settledCall(send(attempt)).then(
        (result) => {
          const word =
            result.type !== "answered"
              ? result.type
              : result.answer.ok
                ? String(result.answer.value)
                : result.answer.refusal.code;
          results[name] = { atMs: kernel.nowMs, word };
        },
        (error: unknown) => (results[name] = { atMs: kernel.nowMs, word: String(error) }),
      );
    });
  await kernel.run(20_000);
  const words = Object.fromEntries(names.map((name) => [name, results[name]?.word ?? "nothing"]));
  return { words, results, crossed, lists, run };
}
const each = (names: readonly string[], word: string): Record<string, string> =>
  Object.fromEntries(names.map((name) => [name, word]));

describe("the commands of one turn", () => {
  it("travel as one list to each node, and each gets its own answer", async () => {
    const names = namesOf(40);
    const nodeOf = (name: string): string => (Number(name.slice(1)) % 2 === 0 ? "even" : "odd");
    const { words, crossed } = await sendAll(names, { nodeOf });
    assert.deepEqual(words, Object.fromEntries(names.map((name) => [name, name])));
    assert.deepEqual(crossed, ["list of 20 to even", "list of 20 to odd"]);
  });

  it("travel alone if there is one, or if the node takes no lists", async () => {
    const alone = await sendAll(["a", "b"], { atMs: (name) => (name === "a" ? 0 : 50) });
    assert.deepEqual(alone.crossed, ["one a", "one b"]);
    const names = namesOf(3);
    const older = await sendAll(names, { bus: () => ({ takesLists: () => false }) });
    assert.deepEqual(older.crossed, ["one c0", "one c1", "one c2"]);
    assert.deepEqual(older.words, { c0: "c0", c1: "c1", c2: "c2" });
  });

  it("F30: get what is thrown while they are sent, and those to other nodes are sent", async () => {
    const nodeOf = (name: string): string => (name < "c2" ? "broken" : "owner");
    const takesLists = (id: string) => id === "owner" || assert.fail("planted");
    const { words, crossed } = await sendAll(namesOf(4), { nodeOf, bus: () => ({ takesLists }) });
    const planted = "AssertionError [ERR_ASSERTION]: planted";
    assert.deepEqual(words, { c0: planted, c1: planted, c2: "c2", c3: "c3" });
    assert.deepEqual(crossed, ["list of 2 to owner"]);
  });

  it("are bounded: more of them make several lists", async () => {
    const names = namesOf(2 * LIST_MAX + 1);
    const { words, crossed } = await sendAll(names);
    assert.deepEqual(crossed, [
      `list of ${LIST_MAX} to owner`,
      `list of ${LIST_MAX} to owner`,
      "one c500",
    ]);
    assert.deepEqual(words, Object.fromEntries(names.map((name) => [name, name])));
  });

  it("fit into a message of NATS, with the longest token, key and ids", () => {
    const longest = command("r".repeat(128), "t".repeat(400));
    longest.params = {
      eventId: "e".repeat(36),
      key: '"'.repeat(255),
      quantity: 10,
      insteadOf: "n".repeat(255),
    };
    longest.meta.traceparent = "p".repeat(55);
    const list = JSON.stringify(Array.from({ length: LIST_MAX }, () => longest));
    assert.ok(list.length < 1_000_000 / 2, `${list.length} bytes`);
  });
});

describe("the results of a list", () => {
  it("come in parts: none waits for a slower one, and those of a turn come together", async () => {
    const names = namesOf(30);
    const slow = new Set(["c3", "c7"]);
    const owner: Owner = (name) => ({ afterMs: slow.has(name) ? 700 : 5, answer: accepted(name) });
    const { results, words, crossed } = await sendAll(names, { owner });
    assert.deepEqual(words, Object.fromEntries(names.map((name) => [name, name])));
    for (const name of names)
      assert.ok((results[name]?.atMs ?? Infinity) <= (slow.has(name) ? 701 : 6), name);
    assert.deepEqual(crossed, ["list of 30 to owner", "collect"]);
  });

  it("come as a whole from a node that leaves, since it takes no call that collects", async () => {
    const names = namesOf(30);
    const owner: Owner = (name) => ({ afterMs: name === "c3" ? 700 : 5, answer: accepted(name) });
    const { words, crossed } = await sendAll(names, { owner, leaving: () => true });
    assert.deepEqual(words, Object.fromEntries(names.map((name) => [name, name])));
    assert.deepEqual(crossed, ["list of 30 to owner"]);
  });

  it("are bounded by their tickets, so that a part fits into a message of NATS", async () => {
    const tickets = Array.from({ length: 10 }, () => ({ text: "x".repeat(1_500) }));
    const sizes: number[] = [];
    const names = namesOf(LIST_MAX);
    const { words } = await sendAll(names, {
      owner: () => ({ afterMs: 5, answer: accepted({ tickets }) }),
      bus: (real) => {
        const measured = async <T>(part: Promise<T>): Promise<T> => {
          sizes.push(JSON.stringify(await part).length);
          return part;
        };
        return {
          submit: (...sent) => measured(real.submit(...sent)),
          collect: (...sent) => measured(real.collect(...sent)),
        };
      },
    });
    assert.deepEqual(words, each(names, "[object Object]"), "each has its answer");
    assert.equal(sizes.length, 5);
    assert.ok(Math.max(...sizes) < 1_000_000, String(sizes));
  });

  it("are each command's own: a refusal or a fault of one is no other's", async () => {
    const owner: Owner = (name) => {
      if (name === "c1") return { afterMs: 5, answer: refused("EVENT_SOLD_OUT") };
      if (name === "c2") return { afterMs: 5, fault: fault("VALIDATION_ERROR", { data: [] }) };
      if (name === "c3") return { afterMs: 5, fault: fault("SERVICE_NOT_AVAILABLE") };
      if (name === "c4") return { afterMs: 5, fault: new Error("a bug") };
      return { afterMs: 5, answer: accepted(name) };
    };
    const { words } = await sendAll(namesOf(6), { owner });
    assert.deepEqual(words, {
      c0: "c0",
      c1: "EVENT_SOLD_OUT",
      c2: "VALIDATION_ERROR",
      c3: "not-sent",
      c4: "Error: a bug",
      c5: "c5",
    });
  });

  it("are given only to who has the token of one of the list's commands, and are forgotten in time", async () => {
    const owner: Owner = (name) => ({
      afterMs: name === "slow" ? 100 : 1,
      answer: accepted(name),
    });
    let nowMs = 0;
    const waiting: (() => void)[] = [];
    const lists = new CommandLists({
      nowMs: () => nowMs,
      endOfTurn: () => Promise.resolve(),
      leaving: () => false,
    });
    const run = async ({ requestId }: ListedCommand): Promise<Answer<unknown>> => {
      if (requestId === "slow") await new Promise<void>((resolve) => waiting.push(resolve));
      return owner(requestId).answer ?? assert.fail();
    };
    const list = [command("fast"), command("slow")];
    const { results, rest = "" } = await lists.submit(list, run);
    assert.deepEqual(results, [[0, { answer: accepted("fast") }]]);
    assert.deepEqual(await lists.collect(rest, "token-other"), { results: [] });
    assert.deepEqual(await lists.collect(rest, undefined), { results: [] });
    const collected = lists.collect(rest, "token-slow");
    waiting.pop()?.();
    assert.deepEqual(await collected, { results: [[1, { answer: accepted("slow") }]] });
    assert.deepEqual(await lists.collect(rest, "token-slow"), { results: [] }, "it is complete");

    const abandoned = await lists.submit(list, run);
    waiting.pop()?.();
    nowMs += 5_001;
    await lists.submit([command("fast")], run);
    assert.deepEqual(await lists.collect(abandoned.rest ?? "", "token-slow"), { results: [] });
  });
});

describe("a list that fails", () => {
  const names = namesOf(5);

  it("is lost for each of its commands if it gets no answer, and not sent if it was not sent", async () => {
    for (const [type, word] of [
      ["REQUEST_TIMEOUT", "lost"],
      ["REQUEST_REJECTED", "lost"],
      ["SERVICE_NOT_AVAILABLE", "not-sent"],
      ["SERVICE_NOT_FOUND", "not-sent"],
    ] as const) {
      const { words } = await sendAll(names, {
        bus: () => ({ submit: () => Promise.reject(fault(type)) }),
      });
      assert.deepEqual(words, each(names, word), type);
    }
  });

  it("is lost for the commands without a result, whatever happens to the call that collects", async () => {
    const owner: Owner = (name) => ({ afterMs: name === "c4" ? 700 : 5, answer: accepted(name) });
    for (const type of ["REQUEST_TIMEOUT", "SERVICE_NOT_AVAILABLE", "VALIDATION_ERROR"]) {
      const { words, results } = await sendAll(names, {
        owner,
        bus: () => ({ collect: () => Promise.reject(fault(type)) }),
      });
      assert.deepEqual(words, { c0: "c0", c1: "c1", c2: "c2", c3: "c3", c4: "lost" }, type);
      assert.ok((results.c0?.atMs ?? Infinity) <= 6);
    }
    const restarted = await sendAll(names, {
      owner,
      bus: () => ({ collect: () => Promise.resolve({ results: [] }) }),
    });
    assert.equal(restarted.words.c4, "lost", "the owner has forgotten the list");
  });

  it("is collected no longer than its callers wait", async () => {
    const waits: number[] = [];
    const { words } = await sendAll(names, {
      owner: (name) => ({ afterMs: name === "c0" ? 5 : 1_500, answer: accepted(name) }),
      bus: (_real, kernel) => ({
        collect: (_nodeId, list, _token, timeoutMs) => {
          waits.push(timeoutMs);
          return new Promise((resolve) =>
            kernel.after(timeoutMs, "gateway", () => resolve({ results: [], rest: list })),
          );
        },
      }),
    });
    assert.deepEqual(words, { ...each(names, "lost"), c0: "c0" });
    assert.deepEqual(waits, [TIMEOUT_MS - 6]);
  });
});
