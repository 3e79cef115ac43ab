// A full disk under the files of a node: nothing is lost, the engine sells, and /readyz says so.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";
import { mailShop } from "../support/mail/mail-shop.ts";
import { startWatchedEngine, type WatchedEngine } from "../support/monitoring/watched-engine.ts";
import { CAN_MOUNT, mountSmallDisk, type SmallDisk } from "../support/processes/small-disk.ts";
import { waitFor } from "../support/wait-for.ts";
import { ROOT } from "../../tools/root.ts";

const PROGRAM = join(ROOT, "test", "support", "monitoring", "log-lines.ts");

/** Runs `work` with a small disk in a folder of its own. */
async function onSmallDisk(work: (folder: string, disk: SmallDisk) => Promise<void>) {
  const parent = mkdtempSync(join(tmpdir(), "boxoffice-small-disk-"));
  const folder = join(parent, "disk");
  const disk = mountSmallDisk(folder);
  try {
    await work(folder, disk);
  } finally {
    disk.unmount();
    rmSync(parent, { recursive: true, force: true });
  }
}

describe("a full disk", { skip: !CAN_MOUNT && "needs root for a small disk" }, () => {
  it("of e-mails: they wait, and are written when there is room", async () => {
    const watched = await startWatchedEngine();
    const { engine } = watched;
    const disk = mountSmallDisk(join(engine.config.dataDir, "mail"));
    try {
      const shop = mailShop(engine);
      const customer = await shop.addCustomer();
      disk.fill();
      await shop.buy(customer, await engine.addEvent());
      await watched.untilTroubles("mail (disk-full)");
      const [row] = await shop.rows(customer.id);
      assert.equal(row?.state, "waiting");
      disk.free();
      const hurry = setInterval(() => void shop.hurry(), 500);
      const { key } = await shop.until(customer, "receipt", "sent");
      clearInterval(hurry);
      assert.match(
        readFileSync(join(engine.config.dataDir, "mail", `${key}.eml`), "utf8"),
        /^Message-ID/m,
      );
      await watched.untilTroubles();
    } finally {
      disk.unmount();
      await engine.close();
    }
  });

  it("of the audit trail: the node lives, and no line is lost", async () => {
    await onSmallDisk(async (folder, disk) => {
      const file = join(folder, "audit.log");
      const watched: WatchedEngine = await startWatchedEngine({ AUDIT_FILE: file });
      const event = await watched.engine.addEvent();
      const sales = (): number =>
        readFileSync(file, "utf8").match(/"what":"purchase"/g)?.length ?? 0;
      try {
        assert.equal(await watched.buy(event), 201);
        await waitFor(() => sales() === 1);
        disk.fill();
        // More than the rest of the file's last block.
        for (let count = 0; count < 40; count += 1) assert.equal(await watched.buy(event), 201);
        await watched.untilTroubles("audit (disk-full)");
        disk.free();
        await watched.untilTroubles();
        await waitFor(() => sales() === 41, {
          withinMs: 10_000,
          what: "All sales are in the trail",
        });
      } finally {
        await watched.engine.close();
      }
    });
  });

  it("of the log: the process lives, and no line is lost", async () => {
    await onSmallDisk(async (folder, disk) => {
      const file = join(folder, "log");
      const child = spawn(process.execPath, [PROGRAM], {
        stdio: ["pipe", openSync(file, "a"), "pipe"],
      });
      let said = "";
      child.stderr?.on("data", (chunk: Buffer) => (said += chunk.toString()));
      const ended = new Promise((resolve) => child.once("close", resolve));
      await waitFor(() => readFileSync(file, "utf8").includes("line 3 "));
      disk.fill();
      await waitFor(() => said.includes("is full"), { withinMs: 30_000, what: "It is full" });
      disk.free();
      await waitFor(() => said.includes("has room again"));
      child.stdin?.end();
      assert.equal(await ended, 0, said);
      assert.equal(said.split("\n").length, 3, said);
      const numbers = readFileSync(file, "utf8")
        .trimEnd()
        .split("\n")
        .map((line) => Number(/^line (\d+) x{100}$/.exec(line)?.[1]));
      assert.deepEqual(
        numbers,
        numbers.map((_, index) => index + 1),
      );
    });
  });
});
