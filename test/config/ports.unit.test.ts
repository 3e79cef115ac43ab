import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { after, describe, it } from "node:test";
import { text } from "node:stream/consumers";
import { freePort } from "../../tools/dev-servers/ports.ts";
import { ROOT } from "../../tools/root.ts";

/**
 * Of 12,000 ports: two processes that know nothing of each other would both take about 13 of them.
 */
const EACH = 400;
const ASK = `
  import { freePort } from "./tools/dev-servers/ports.ts";
  const ports = [];
  for (let asked = 0; asked < ${EACH}; asked += 1) ports.push(await freePort());
  process.stdout.end(JSON.stringify(ports));
  process.stdin.resume();
`;

/** Test files, clusters and engines start side by side, each a process of its own. */
describe("free ports", () => {
  const children: ReturnType<typeof asker>[] = [];
  const asker = () => {
    const child = spawn(process.execPath, ["--input-type=module-typescript", "--eval", ASK], {
      cwd: ROOT,
      stdio: ["pipe", "pipe", "inherit"],
    });
    return {
      child,
      ports: text(child.stdout).then((said) => JSON.parse(said) as number[]),
      ended: once(child, "close"),
    };
  };
  after(async () => {
    for (const { child } of children) child.stdin.end();
    await Promise.all(children.map(({ ended }) => ended));
  });

  it(
    "are given to one process, before any process listens on them",
    { skip: process.platform !== "linux" },
    async () => {
      children.push(asker(), asker());
      const asked = (await Promise.all(children.map(({ ports }) => ports))).flat();
      assert.equal(asked.length, 2 * EACH);
      assert.equal(new Set(asked).size, asked.length);
    },
  );

  it("come in a row where several are asked for", async () => {
    const first = await freePort(3);
    const others = await Promise.all(Array.from({ length: 50 }, () => freePort()));
    assert.deepEqual(
      others.filter((port) => port >= first && port < first + 3),
      [],
    );
  });
});
