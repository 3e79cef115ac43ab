// What PostgreSQL's errors say of the server is logged once, not with each statement.
import assert from "node:assert/strict";
import { it } from "node:test";
import {
  damagesOf,
  isDiskFull,
  isSlow,
  logTroubles,
  noteRoom,
  noteNoAnswer,
  noteServerError,
  timeoutsOf,
} from "../../lib/database/server-troubles.ts";

function watched(url: string): { lines: string[]; end: () => void } {
  const lines: string[] = [];
  const note = (text: string): void => void lines.push(text);
  return { lines, end: logTroubles(url, { error: note, info: note }) };
}

it("a full disk is logged when it is full, and when it has room again", () => {
  const url = "postgres://full";
  const { lines } = watched(url);
  for (let count = 0; count < 3; count += 1) noteServerError(url, "53100", "No space left");
  assert.equal(isDiskFull(url), true);
  noteRoom(url);
  noteRoom(url);
  assert.equal(isDiskFull(url), false);
  assert.equal(lines.length, 2, lines.join("\n"));
  assert.match(lines[0] ?? "", /disk is full.*\(SQLSTATE 53100: No space left\)$/);
  assert.match(lines[1] ?? "", /has room$/);
});

it("damage is logged with its place, once a minute, and every statement counts", (context) => {
  context.mock.method(performance, "now", () => nowMs);
  let nowMs = 0;
  const url = "postgres://damaged";
  const { lines, end } = watched(url);
  const meet = (code: string): void =>
    noteServerError(url, code, "invalid page in block 7 of relation base/5/16384");
  for (const code of ["XX001", "XX002", "XX001"]) meet(code);
  assert.equal(lines.length, 1);
  assert.match(lines[0] ?? "", /found damage.*SQLSTATE XX001: invalid page in block 7/);
  nowMs = 60_000;
  meet("XX001");
  assert.equal(lines.length, 2);
  assert.equal(damagesOf(url), 4);
  end();
  nowMs = 120_000;
  meet("XX001");
  assert.equal(lines.length, 2, "a stopped node logs nothing");
});

it("slowness is logged once a minute, and ends when no statement is late", (context) => {
  context.mock.method(performance, "now", () => nowMs);
  let nowMs = 0;
  const url = "postgres://slow";
  const { lines } = watched(url);
  noteServerError(url, "57014", "canceling statement due to statement timeout");
  noteNoAnswer(url, new Error("Query read timeout"));
  noteNoAnswer(url, new Error("Connection terminated"));
  assert.equal(lines.length, 1);
  assert.match(lines[0] ?? "", /slow.*SQLSTATE 57014: canceling statement due to/);
  assert.deepEqual([timeoutsOf(url), isSlow(url)], [2, true]);
  nowMs = 10_000;
  assert.equal(isSlow(url), false);
});

it("other errors and other servers say nothing", () => {
  const { lines } = watched("postgres://one");
  noteServerError("postgres://one", "23505", "duplicate key");
  noteServerError("postgres://two", "XX001", "invalid page");
  assert.deepEqual(
    [lines, damagesOf("postgres://one"), isDiskFull("postgres://one")],
    [[], 0, false],
  );
});
