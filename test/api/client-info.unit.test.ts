// Client addresses: only the entries of X-Forwarded-For that trusted proxies have written count.
import assert from "node:assert/strict";
import type { IncomingMessage } from "node:http";
import { describe, it } from "node:test";
import fc from "fast-check";
import { createClientReader } from "../../services/api/http/client-info.ts";

const PROXIES = ["10.0.0.0/8", "192.0.2.7", "2001:db8:aa::/48"];

function requestFrom(peer: string, forwardedFor?: string, more: object = {}): IncomingMessage {
  const headers = {
    ...(forwardedFor !== undefined && { "x-forwarded-for": forwardedFor }),
    ...more,
  };
  return { socket: { remoteAddress: peer }, headers } as unknown as IncomingMessage;
}

describe("the address of a client", () => {
  const { addressOf, transportOf } = createClientReader(PROXIES);
  const seenFrom = (peer: string) => (forwardedFor?: string) =>
    addressOf(requestFrom(peer, forwardedFor));
  const proxied = seenFrom("10.1.2.3");

  it("is the peer's, if the peer is no trusted proxy", () => {
    for (const peer of ["203.0.113.9", "11.0.0.1", "192.0.2.8", "2001:db8:ab::1", "127.0.0.1"])
      assert.equal(seenFrom(peer)("198.51.100.1"), peer);
    assert.equal(seenFrom("::ffff:203.0.113.9")("198.51.100.1"), "203.0.113.9");
    assert.equal(createClientReader([]).addressOf(requestFrom("10.1.2.3", "1.1.1.1")), "10.1.2.3");
  });

  it("is the entry that the trusted proxies name, with a port or without, in one spelling", () => {
    const spellings: [entry: string, address: string][] = [
      ["1.2.3.4", "1.2.3.4"],
      ["1.2.3.4:5678", "1.2.3.4"],
      ["2001:db8::1", "2001:db8::1"],
      ["[2001:db8::1]", "2001:db8::1"],
      ["[2001:db8::1]:443", "2001:db8::1"],
      ["2001:DB8:0:0:0:0:0:1", "2001:db8::1"],
      ["::ffff:1.2.3.4", "1.2.3.4"],
      ["[::ffff:1.2.3.4]:80", "1.2.3.4"],
      ["::ffff:102:304", "1.2.3.4"],
      ["  1.2.3.4\t", "1.2.3.4"],
    ];
    for (const [entry, address] of spellings) {
      assert.equal(proxied(entry), address, entry);
      assert.equal(seenFrom("::ffff:10.1.2.3")(entry), address, `${entry}, IPv4 peer as IPv6`);
      assert.equal(seenFrom("2001:db8:aa::5")(entry), address, `${entry}, IPv6 proxy`);
    }
  });

  it("is the first from the right that no trusted proxy has", () => {
    assert.equal(proxied("9.9.9.9, 1.2.3.4, 10.0.0.9"), "1.2.3.4");
    assert.equal(proxied("9.9.9.9, 1.2.3.4:99, 10.0.0.9:1234, [2001:db8:aa::2]:5"), "1.2.3.4");
    assert.equal(proxied("10.0.0.9, 192.0.2.7"), "10.0.0.9", "all are proxies: the first of them");
    assert.equal(proxied("10.0.0.9 , , 1.2.3.4,"), "1.2.3.4", "empty entries");
    assert.equal(proxied(""), "10.1.2.3");
    assert.equal(proxied(), "10.1.2.3");
  });

  it("is the last trusted proxy's where the next entry is no address", () => {
    for (const garbage of [
      "unknown",
      "_hidden",
      "for=1.2.3.4",
      "1.2.3",
      "1.2.3.4.5",
      "1.2.3.4:",
      "1.2.3.4:123456",
      "1.2.3.4:5:6",
      "[1.2.3.4",
      "[]:80",
      "[::1",
      "::1]:80",
      "0x0a.1",
      "167772161",
      "10.1",
      "\u{fffd}",
      "<script>",
    ]) {
      assert.equal(proxied(`9.9.9.9, ${garbage}`), "10.1.2.3", garbage);
      assert.equal(proxied(`9.9.9.9, ${garbage}, 10.9.9.9:80`), "10.9.9.9", garbage);
    }
  });

  it("is always an address, and never one from beyond the first stranger", () => {
    const entry = fc.oneof(
      fc.ipV4(),
      fc.ipV6(),
      fc.string({ maxLength: 20 }).map((text) => text.replaceAll(",", "")),
      fc.tuple(fc.ipV4(), fc.nat(70_000)).map(([address, port]) => `${address}:${port}`),
      fc.tuple(fc.ipV6(), fc.nat(70_000)).map(([address, port]) => `[${address}]:${port}`),
    );
    fc.assert(
      fc.property(fc.array(entry, { maxLength: 6 }), (entries) => {
        const forged = entries.join(",");
        assert.equal(proxied(`${forged},203.0.113.77`), "203.0.113.77");
        assert.match(proxied(forged), /^[\da-f.:]+$/);
      }),
    );
  });

  it("may come from a header of every peer, if all are trusted", () => {
    for (const [range, peer] of [
      ["0.0.0.0/0", "203.0.113.9"],
      ["::/0", "2001:db8::9"],
    ] as const)
      assert.equal(createClientReader([range]).addressOf(requestFrom(peer, "1.2.3.4")), "1.2.3.4");
  });

  it("is counted from the right, if a number of proxies is trusted", () => {
    const list = "9.9.9.9, 1.2.3.4:80, [2001:db8::1]:443";
    for (const [count, address] of [
      ["1", "2001:db8::1"],
      ["2", "1.2.3.4"],
      ["3", "9.9.9.9"],
      ["9", "9.9.9.9"],
    ] as const) {
      const reader = createClientReader([count]);
      assert.equal(reader.addressOf(requestFrom("203.0.113.9", list)), address, count);
      assert.equal(reader.addressOf(requestFrom("203.0.113.9")), "203.0.113.9");
      assert.equal(reader.transportOf(requestFrom("203.0.113.9")), "near");
    }
    const two = createClientReader(["2"]);
    assert.equal(two.addressOf(requestFrom("203.0.113.9", "1.2.3.4, unknown")), "203.0.113.9");
  });

  it("leaves the transport to X-Forwarded-Proto of a trusted proxy", () => {
    const https = { "x-forwarded-proto": "https" };
    const transports: [peer: string, headers: object, expected: string][] = [
      ["10.1.2.3", https, "secure"],
      ["10.1.2.3", { "x-forwarded-proto": "https, http" }, "near"],
      ["10.1.2.3", {}, "near"],
      ["127.0.0.1", https, "near"],
      ["::1", https, "near"],
      ["203.0.113.9", https, "exposed"],
    ];
    for (const [peer, headers, expected] of transports)
      assert.equal(transportOf(requestFrom(peer, undefined, headers)), expected, peer);
  });
});
