import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { getPriority } from "node:os";
import { after, before, describe, it } from "node:test";
import { freePort } from "../../tools/dev-servers/ports.ts";
import { startedAt } from "../../tools/dev-servers/process-identity.ts";
import { outsideEnvironment } from "../../tools/process/outside-environment.ts";
import { BOXOFFICE, startProgram } from "../support/processes/boxoffice.ts";
import { freshDatabase, type FreshDatabase } from "../support/database.ts";
import { type Answered, httpClient } from "../support/http/http.ts";
import { peopleAt } from "../support/fixtures/accounts.ts";
import { temporaryFolder } from "../support/processes/processes.ts";
import { patientClient } from "../support/fixtures/sales.ts";
import { claimSlot, type Slot } from "../support/processes/servers.ts";
import { waitFor } from "../support/wait-for.ts";

/**
 * An engine of many processes by one command: it sells through every gateway, and nothing stays
 * behind however it ends.
 */
describe("boxoffice cluster", () => {
  const { folder, remove } = temporaryFolder();
  let database: FreshDatabase;
  let slot: Slot;
  let port: number;
  before(async () => {
    [database, slot, port] = await Promise.all([freshDatabase(), claimSlot(), freePort(2)]);
  });
  after(async () => {
    await Promise.all([database.drop(), slot.release()]);
    remove();
  });

  /** Under npm, or by the launcher alone: at Ctrl-C npm exec itself ends by the signal. */
  function cluster({ byNpm }: { byNpm: boolean }) {
    const environment = {
      ...outsideEnvironment(),
      DATABASE_URL: database.url,
      ...slot.urls,
      DATA_DIR: folder,
      BUS_NAMESPACE: `test-${randomUUID()}`,
      RATE_LIMITS: "off",
    };
    const launch = byNpm
      ? (["npm", "exec", "--no", "boxoffice", "--"] as const)
      : ([process.execPath, BOXOFFICE] as const);
    const counts = ["--api", "2", "--purchasing", "2", "--ledger", "1", "--port", String(port)];
    const npm = startProgram([...launch, "cluster", ...counts], environment, { detached: true });
    const { said, child } = npm;
    const pid = child.pid ?? assert.fail("npm did not start");
    return {
      said,
      ended: npm.ended,
      kill: (signal: NodeJS.Signals) => child.kill(signal),
      /** As at a terminal: everybody in the foreground gets it, and npm passes it on once more. */
      ctrlC: () => process.kill(-pid, "SIGINT"),
      /** The nodes' processes, once all of them run. */
      async nodes() {
        await waitFor(() => said().includes("8 nodes run") || child.exitCode !== null, {
          withinMs: 300_000,
          what: "all nodes run",
        });
        assert.equal(child.exitCode, null, said());
        const pids = [...said().matchAll(/"process (\d+) is ([^"]+)"/g)].map(([, node, name]) => ({
          name,
          pid: Number(node),
        }));
        assert.deepEqual(
          pids.map(({ name }) => name).sort(),
          [
            "api-1",
            "api-2",
            "auth-1",
            "catalog-1",
            "ledger-1",
            "notifier-1",
            "purchasing-1",
            "purchasing-2",
          ],
          said(),
        );
        return pids.map((node) => ({
          ...node,
          started: startedAt(node.pid) ?? assert.fail(`${node.name ?? ""} does not run`),
        }));
      },
    };
  }
  const running = (nodes: readonly { pid: number; started: string }[]): number[] =>
    nodes.filter(({ pid, started }) => startedAt(pid) === started).map((node) => node.pid);

  it("sells through every gateway, and stops all of it with Ctrl-C and exit code 0", async () => {
    const npm = cluster({ byNpm: false });
    const nodes = await npm.nodes();
    const nice = nodes.filter(({ pid }) => getPriority(pid) > getPriority());
    assert.deepEqual(
      nice.map(({ name }) => name),
      ["notifier-1"],
      "sales come before mails",
    );
    const urls = [...npm.said().matchAll(/(api-\d) serves on ([^\s"]+)/g)].map(
      ([, , url]) => url ?? "",
    );
    assert.deepEqual(urls, [`http://127.0.0.1:${port}`, `http://127.0.0.1:${port + 1}`]);
    const [first, second] = urls.map((url) => patientClient(httpClient(url)));
    assert.ok(first && second);
    const events = (await first("GET", "/api/events?limit=20")).json?.items as { id: string }[];
    const { accessToken: token } = await peopleAt(first).signedIn();
    for (const { id } of events.slice(0, 6)) {
      const headers = { "Idempotency-Key": id };
      const bought: Answered = await first("POST", `/api/events/${id}/tickets`, {
        token,
        json: { quantity: 2 },
        headers,
      });
      assert.equal(bought.status, 201, bought.text);
      const again: Answered = await second("POST", `/api/events/${id}/tickets`, {
        token,
        json: { quantity: 2 },
        headers,
      });
      assert.deepEqual(
        [again.json?.transactionId, again.headers.get("idempotent-replayed")],
        [bought.json?.transactionId, "true"],
      );
    }
    npm.ctrlC();
    assert.equal(await npm.ended, 0, npm.said());
    assert.deepEqual(running(nodes), []);
    const lines = npm.said().split("\n");
    for (const { name = "" } of nodes) {
      const ofNode = lines.filter((line) => line.includes(`${name} `));
      assert.ok(
        ofNode.some((line) => line.includes(`"${name} ended (exit code 0)"`)),
        ofNode.join("\n"),
      );
    }
  });

  it("starts a node again that was killed, which then serves as before", async () => {
    const npm = cluster({ byNpm: false });
    const nodes = await npm.nodes();
    for (const name of ["api-1", "catalog-1"]) {
      const { pid } = nodes.find((node) => node.name === name) ?? assert.fail(name);
      process.kill(pid, "SIGKILL");
      await waitFor(() => npm.said().includes(`${name} is back`), {
        withinMs: 120_000,
        what: `${name} is back`,
      });
      assert.match(npm.said(), new RegExp(`${name} ended \\(SIGKILL\\); starting it again now`));
    }
    const answer = await waitFor(async () => {
      const asked = await fetch(`http://127.0.0.1:${port}/api/events?limit=2`).catch(() => null);
      return asked?.status === 200 ? asked : undefined;
    });
    assert.equal(((await answer.json()) as { items: unknown[] }).items.length, 2);
    const again = [...npm.said().matchAll(/"process (\d+) is (api-1|catalog-1)"/g)];
    assert.equal(new Set(again.map(([, pid]) => pid)).size, 4, "two processes of each");
    npm.ctrlC();
    assert.equal(await npm.ended, 0, npm.said());
    for (const [, pid] of again) assert.equal(startedAt(Number(pid)), undefined, `process ${pid}`);
  });

  it("leaves nothing when npm is killed", async () => {
    const npm = cluster({ byNpm: true });
    const nodes = await npm.nodes();
    npm.kill("SIGKILL");
    await waitFor(() => running(nodes).length === 0, {
      withinMs: 120_000,
      what: "every node has ended",
    });
  });
});
