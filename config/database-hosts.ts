/** libpq's list of servers, in the place of one: postgres://user@one:5432,two:5432/database. */
const LIST = /^(postgres(?:ql)?:\/\/(?:[^@/?#]*@)?)([^@/?#]*,[^@/?#]*)(.*)$/s;
const DEFAULT_PORT = "5432";

export const isHostList = (text: string): boolean => LIST.test(text.trim());

/**
 * Rewrites such a URL to one that every reader of URLs understands, and libpq (psql, pg_basebackup)
 * as well: the first server, and all of them in the parameters `host` and `port`. Wants a server
 * that takes writes. Returns other text as it is.
 */
export function withHostList(text: string): string {
  const [, beginning, list, rest] = LIST.exec(text.trim()) ?? [];
  if (beginning === undefined || list === undefined || rest === undefined) return text;
  const items = list.split(",");
  const servers = items.flatMap((item) => {
    const one = `postgres://${item}`;
    return URL.canParse(one) && new URL(one).hostname !== "" ? new URL(one) : [];
  });
  if (servers.length < items.length) return text;
  const url = new URL(`${beginning}${items[0]}${rest}`);
  const { searchParams } = url;
  searchParams.set("host", servers.map(({ hostname }) => bare(hostname)).join(","));
  searchParams.set("port", servers.map(({ port }) => port || DEFAULT_PORT).join(","));
  if (!searchParams.has("target_session_attrs"))
    searchParams.set("target_session_attrs", "read-write");
  return url.href;
}

/** Returns a URL for each server of a list that `withHostList` has rewritten; else the URL. */
export function urlsByHost(text: string): string[] {
  if (!URL.canParse(text)) return [text];
  const hosts = new URL(text).searchParams.get("host")?.split(",") ?? [];
  if (hosts.length < 2) return [text];
  const ports = (new URL(text).searchParams.get("port") ?? DEFAULT_PORT).split(",");
  return hosts.map((host, index) => {
    const url = new URL(text);
    url.hostname = host.includes(":") ? `[${host}]` : host;
    url.port = ports[index] ?? ports[0] ?? DEFAULT_PORT;
    for (const name of ["host", "port", "target_session_attrs"]) url.searchParams.delete(name);
    return url.href;
  });
}

/** Host and port of a server's URL, as a client of PostgreSQL takes them. */
export function addressOf(text: string): { host: string; port: number } {
  const { hostname, port } = new URL(text);
  return { host: bare(hostname), port: Number(port || DEFAULT_PORT) };
}

/** IPv6 without the brackets that it has in a URL. */
const bare = (hostname: string): string => hostname.replaceAll(/^\[|\]$/g, "");
