import { BlockList, isIPv4, isIPv6 } from "node:net";

/** IANA's special-purpose registries, and multicast: no server of the public internet. */
const SPECIAL_IPV4 = [
  "0.0.0.0/8",
  "10.0.0.0/8",
  "100.64.0.0/10",
  "127.0.0.0/8",
  "169.254.0.0/16",
  "172.16.0.0/12",
  "192.0.0.0/24",
  "192.0.2.0/24",
  "192.88.99.0/24",
  "192.168.0.0/16",
  "198.18.0.0/15",
  "198.51.100.0/24",
  "203.0.113.0/24",
  "224.0.0.0/4",
  "240.0.0.0/4",
] as const;
/** Also ranges that lead to an IPv4 address: NAT64, 6to4, IPv4-compatible and -translated. */
const SPECIAL_IPV6 = [
  "::/96",
  "::ffff:0:0:0/96",
  "64:ff9b::/96",
  "64:ff9b:1::/48",
  "100::/64",
  "2001::/23",
  "2001:db8::/32",
  "2002::/16",
  "3fff::/20",
  "5f00::/16",
  "fc00::/7",
  "fe80::/10",
  "fec0::/10",
  "ff00::/8",
] as const;
export const SPECIAL_RANGES: readonly string[] = [...SPECIAL_IPV4, ...SPECIAL_IPV6];

const ipv4 = blockList(SPECIAL_IPV4, "ipv4");
const ipv6 = blockList(SPECIAL_IPV6, "ipv6");
/** As `URL` writes ::ffff:0:0/96. */
const MAPPED = /^\[::ffff:([\da-f]{1,4}):([\da-f]{1,4})\]$/;

/**
 * Tells whether an IP address can be a server of the public internet. An IPv4 address in IPv6
 * counts as that IPv4 address. False for other text, and for an address with a zone.
 */
export function isPublicAddress(address: string): boolean {
  if (isIPv4(address)) return !ipv4.check(address, "ipv4");
  if (!isIPv6(address) || address.includes("%")) return false;
  const mapped = MAPPED.exec(new URL(`http://[${address}]`).hostname);
  if (mapped === null) return !ipv6.check(address, "ipv6");
  const [high, low] = mapped.slice(1).map((part) => Number.parseInt(part, 16));
  return isPublicAddress(dotted(high ?? 0, low ?? 0));
}

function dotted(high: number, low: number): string {
  return [high >> 8, high & 0xff, low >> 8, low & 0xff].join(".");
}

function blockList(ranges: readonly string[], family: "ipv4" | "ipv6"): BlockList {
  const list = new BlockList();
  for (const range of ranges) {
    const [network = "", prefix] = range.split("/");
    list.addSubnet(network, Number(prefix), family);
  }
  return list;
}
