// Each special-purpose range is refused at its first and last address; its neighbors are not.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { isPublicAddress, SPECIAL_RANGES } from "../../tools/pictures/public-address.ts";

/** First and last address of ranges, by hand. */
const REFUSED: readonly (readonly [range: string, first: string, last: string])[] = [
  ["0.0.0.0/8", "0.0.0.0", "0.255.255.255"],
  ["10.0.0.0/8", "10.0.0.0", "10.255.255.255"],
  ["100.64.0.0/10", "100.64.0.0", "100.127.255.255"],
  ["127.0.0.0/8", "127.0.0.1", "127.255.255.255"],
  ["169.254.0.0/16", "169.254.0.0", "169.254.169.254"],
  ["172.16.0.0/12", "172.16.0.0", "172.31.255.255"],
  ["192.0.0.0/24", "192.0.0.0", "192.0.0.255"],
  ["192.0.2.0/24", "192.0.2.0", "192.0.2.255"],
  ["192.88.99.0/24", "192.88.99.0", "192.88.99.255"],
  ["192.168.0.0/16", "192.168.0.0", "192.168.255.255"],
  ["198.18.0.0/15", "198.18.0.0", "198.19.255.255"],
  ["198.51.100.0/24", "198.51.100.0", "198.51.100.255"],
  ["203.0.113.0/24", "203.0.113.0", "203.0.113.255"],
  ["224.0.0.0/4", "224.0.0.0", "239.255.255.255"],
  ["240.0.0.0/4", "240.0.0.0", "255.255.255.255"],
  ["::/96", "::", "::1"],
  ["::ffff:0:0:0/96", "::ffff:0:0:0", "::ffff:0:127.0.0.1"],
  ["64:ff9b::/96", "64:ff9b::", "64:ff9b::8.8.8.8"],
  ["64:ff9b:1::/48", "64:ff9b:1::", "64:ff9b:1:ffff:ffff:ffff:ffff:ffff"],
  ["100::/64", "100::", "100::ffff:ffff:ffff:ffff"],
  ["2001::/23", "2001::", "2001:1ff:ffff::1"],
  ["2001:db8::/32", "2001:db8::", "2001:db8:ffff::1"],
  ["2002::/16", "2002::", "2002:7f00:1::1"],
  ["3fff::/20", "3fff::", "3fff:fff:ffff::1"],
  ["5f00::/16", "5f00::", "5f00:ffff::1"],
  ["fc00::/7", "fc00::", "fdff:ffff::1"],
  ["fe80::/10", "fe80::", "febf:ffff::1"],
  ["fec0::/10", "fec0::", "feff:ffff::1"],
  ["ff00::/8", "ff00::", "ff02::1"],
];
const PUBLIC = [
  ...["1.1.1.1", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0", "126.255.255.255"],
  ...["128.0.0.0", "169.253.255.255", "169.255.0.0", "172.15.255.255", "172.32.0.0", "192.0.1.0"],
  ...["192.0.3.0", "192.88.98.255", "192.167.255.255", "192.169.0.0", "198.17.255.255"],
  ...["198.20.0.0", "198.51.99.255", "203.0.112.255", "203.0.114.0", "223.255.255.255"],
  ...["2001:200::1", "2001:4860:4860::8888", "2606:4700::1111", "2a00:1450:4001::200e"],
  ...["2003::1", "3ffe:ffff::1", "3fff:1000::1"],
];

describe("a public address", () => {
  it("S42: an address of a special-purpose range is not public", () => {
    assert.deepEqual(
      REFUSED.map(([range]) => range),
      SPECIAL_RANGES,
      "each range has a line",
    );
    for (const [range, ...ends] of REFUSED)
      for (const address of ends) assert.equal(isPublicAddress(address), false, range);
    for (const address of PUBLIC) assert.equal(isPublicAddress(address), true, address);
  });

  it("S42: an IPv4 address in IPv6 counts as itself, in every spelling", () => {
    for (const address of ["::ffff:127.0.0.1", "::ffff:7f00:1", "0:0:0:0:0:FFFF:a9fe:a9fe"])
      assert.equal(isPublicAddress(address), false, address);
    for (const address of ["::ffff:8.8.8.8", "::ffff:808:808"])
      assert.equal(isPublicAddress(address), true, address);
  });

  it("is an address, without a zone", () => {
    for (const text of ["", "localhost", "8.8.8", "0x7f.1", "fe80::1%eth0", "2606:4700::1111%lo"])
      assert.equal(isPublicAddress(text), false, text);
  });
});
