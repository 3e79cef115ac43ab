// Memory that strangers can fill, measured in a gateway's own process.
import assert from "node:assert/strict";
import { once } from "node:events";
import { Agent, request } from "node:http";
import { connect, type Socket } from "node:net";
import { after, before, describe, it } from "node:test";
import { type FuzzServers, startFuzzServers } from "../../tools/fuzz/bytes/servers.ts";
import { outsideEnvironment } from "../../tools/process/outside-environment.ts";
import { temporaryFolder } from "../support/processes/processes.ts";
import { waitFor } from "../support/wait-for.ts";

const MIB = 1_048_576;
/** Without bounds, the queries below would fill 90 MiB and more. */
const GROWTH_MAX_MIB = 30;
/** Each query has an answer of ten kilobytes of its own. The first ones fill every cache. */
const FIRST_QUERIES = 3_000;
const QUERIES = 9_000;
const AT_ONCE = 32;
const HALF_HEADS = 500;
const HALF_HEAD = `GET / HTTP/1.1\r\nHost: x\r\nX-Large: ${"x".repeat(15_000)}\r\n`;

describe("memory of a gateway", () => {
  const { folder, remove } = temporaryFolder();
  const agent = new Agent({ keepAlive: true, maxSockets: AT_ONCE });
  let servers: FuzzServers;
  before(async () => {
    servers = await startFuzzServers({ ...outsideEnvironment(), DATA_DIR: folder });
  });
  after(async () => {
    agent.destroy();
    await servers.stop();
    remove();
  });

  const usedMib = async (): Promise<number> => (await servers.held()).usedBytes / MIB;
  const ask = (path: string, headers: Record<string, string>): Promise<number> =>
    new Promise((resolve, reject) => {
      request({ agent, host: "127.0.0.1", port: servers.gateway, path, headers }, (response) => {
        response.resume();
        response.once("end", () => resolve(response.statusCode ?? 0));
      })
        .once("error", reject)
        .end();
    });
  /** Distinct queries, names of hosts, tokens and cookies, some at once. */
  const flood = async (from: number, to: number): Promise<void> => {
    let next = from;
    const statuses = new Set<number>();
    const worker = async (): Promise<void> => {
      while (next < to) {
        const number = next++;
        statuses.add(
          await ask(`/api/events?name=${String(number).padStart(90, "x")}`, {
            Host: `host-${number}.example`,
            Authorization: `Bearer ${"t".repeat(2_000)}${number}`,
            Cookie: `c${number}=${"v".repeat(2_000)}`,
            "Accept-Encoding": `gzip;q=0.${number}`,
          }),
        );
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, worker));
    assert.deepEqual([...statuses], [200]);
  };

  it("S34: distinct queries, hosts and tokens, and half-sent heads fill no memory that does not come back", async (t) => {
    await flood(0, FIRST_QUERIES);
    const beforeMib = await usedMib();
    await flood(FIRST_QUERIES, FIRST_QUERIES + QUERIES);
    const sockets: Socket[] = [];
    for (let count = 0; count < HALF_HEADS; count += 1) {
      const socket = connect(servers.gateway, "127.0.0.1");
      socket.on("error", () => undefined);
      sockets.push(socket);
      await once(socket, "connect");
      socket.write(HALF_HEAD);
    }
    for (const socket of sockets) socket.destroy();
    await waitFor(async () => (await servers.held()).connections <= AT_ONCE + 1);
    const afterMib = await usedMib();
    t.diagnostic(`${beforeMib.toFixed(0)} MiB before, ${afterMib.toFixed(0)} MiB after`);
    assert.ok(afterMib - beforeMib < GROWTH_MAX_MIB, `${afterMib - beforeMib} MiB more`);
  });
});
