import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import { addressOf, ConfigError, readConfig, urlsByHost } from "../../config/index.ts";

describe("a list of PostgreSQL's servers", () => {
  const folder = mkdtempSync(join(tmpdir(), "boxoffice-hosts-"));
  after(() => rmSync(folder, { recursive: true, force: true }));
  const read = (url: string, more = {}): string =>
    readConfig({ DATA_DIR: folder, DATABASE_URL: url, ...more }).databaseUrl ?? "";
  const problemsOf = (url: string, more = {}): string => {
    try {
      read(url, more);
      return "";
    } catch (error) {
      assert.ok(error instanceof ConfigError);
      return error.message;
    }
  };

  it("F20: is written as for libpq, and still is one URL for libpq", () => {
    const url = read("postgres://ada:p%40ss@one:5433,two,[::1]:5434/shop?connect_timeout=3");
    const { hostname, port, password, pathname, searchParams } = new URL(url);
    assert.deepEqual([hostname, port, password, pathname], ["one", "5433", "p%40ss", "/shop"]);
    assert.deepEqual(Object.fromEntries(searchParams), {
      connect_timeout: "3",
      host: "one,two,::1",
      port: "5433,5432,5434",
      target_session_attrs: "read-write",
    });
    const each = urlsByHost(url);
    assert.equal(each[1], "postgres://ada:p%40ss@two:5432/shop?connect_timeout=3");
    assert.deepEqual(each.map(addressOf), [
      { host: "one", port: 5433 },
      { host: "two", port: 5432 },
      { host: "::1", port: 5434 },
    ]);
    assert.equal(read(url), url, "also as it was rewritten");
  });

  it("leaves a single server as it is", () => {
    for (const url of ["postgres://a:b@one/shop", "postgresql://one?sslmode=disable"]) {
      assert.equal(read(url), url);
      assert.deepEqual(urlsByHost(url), [url]);
    }
  });

  it("is refused if it is no list, or if a standby would do", () => {
    for (const list of ["one,", "one:x,two", ",two"])
      assert.match(
        problemsOf(`postgres://a:b@${list}/shop`),
        /DATABASE_URL (?:is not a URL|has a host in its list)/,
        list,
      );
    const standby = "postgres://a:b@one,two/shop?target_session_attrs=any";
    assert.match(problemsOf(standby), /DATABASE_URL has a target_session_attrs .* read-write/);
    assert.equal(problemsOf(standby.replace("any", "primary")), "");
  });

  it("F20: is checked host by host", () => {
    const ca = join(folder, "secrets", "none.pem");
    assert.match(problemsOf("postgres://a:b@one,two/shop", { SERVERS_CA_FILE: ca }), /SERVERS_CA/);
    const production = problemsOf("postgres://a:b0xUnguessable77@one,two/shop", {
      NODE_ENV: "production",
    });
    assert.doesNotMatch(production, /DATABASE_URL/);
    const open = problemsOf("postgres://a@one,two/shop", { NODE_ENV: "production" });
    assert.match(open, /DATABASE_URL names a server without a password/);
  });
});
