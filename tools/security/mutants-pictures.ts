import { type Mutant, without } from "./mutant.ts";

const ADDRESSES = "tools/pictures/public-address.ts";
const DOWNLOAD = "tools/pictures/download-picture.ts";
const RESIZE = "tools/pictures/resize-picture.ts";
const PLAIN = "S42: other addresses";
const HOSTS = "S42: hosts and literals";
const REDIRECTS = "S42: each redirect";

/** S42: pictures of feeds. */
export const PICTURES_MUTANTS: readonly Mutant[] = [
  without("the private addresses", "S42: an address of a special", [
    ADDRESSES,
    '  "10.0.0.0/8",\n',
    "",
  ]),
  without("the local addresses of IPv6", "S42: an address of a special", [
    ADDRESSES,
    '  "fc00::/7",\n',
    "",
  ]),
  without("the IPv4 address in an IPv6 address", "S42: an IPv4 address", [
    ADDRESSES,
    "return isPublicAddress(dotted(high ?? 0, low ?? 0));",
    "return dotted(high ?? 0, low ?? 0) !== undefined;",
  ]),
  without("that only https is fetched", PLAIN, [DOWNLOAD, 'url.protocol !== "https:"', "false"]),
  without("the port of https", PLAIN, [DOWNLOAD, 'url.port !== ""', "false"]),
  without("the refusal of names and passwords", PLAIN, [
    DOWNLOAD,
    'url.username !== "" || url.password !== ""',
    "false",
  ]),
  without("the judgement of addresses", HOSTS, [DOWNLOAD, "!addresses.every(", "!addresses.map("]),
  without("that all addresses of a host are judged", HOSTS, [
    DOWNLOAD,
    "!addresses.every(",
    "!addresses.some(",
  ]),
  without("the judgement of redirects", REDIRECTS, [
    DOWNLOAD,
    'url = parsed(headers.location ?? "", url);',
    'url = new URL(headers.location ?? "", url);',
  ]),
  without("the bound of redirects", REDIRECTS, [
    DOWNLOAD,
    "redirects === limits.redirectsMax",
    "redirects === 30",
  ]),
  without("that the judged address is connected to", "S42: the connection", [
    DOWNLOAD,
    "      lookup: pinned,\n",
    "",
  ]),
  without("the count of bytes", "S42: a download stops at", [
    DOWNLOAD,
    "if (bytes > bytesMax) throw tooLarge;",
    "",
  ]),
  without("the bound of the time", "S42: a download stops after", [
    DOWNLOAD,
    "AbortSignal.timeout(limits.timeoutMs)",
    "AbortSignal.timeout(600_000)",
  ]),
  without("the look at a file's first bytes", "S42: SVG, TIFF", [
    RESIZE,
    "!FORMATS.some((isFormat) => isFormat(head))",
    "false",
  ]),
  without(
    "the bound of pixels",
    "S42: a picture of more",
    [RESIZE, "width * height > PIXELS_MAX", "false"],
    [RESIZE, "limitInputPixels: PIXELS_MAX", "limitInputPixels: false"],
  ),
  without("the pattern of served names", "S42: both files", [
    "services/api/routes/image.routes.ts",
    "if (hashOfFile(name) === undefined)",
    'if (name === "")',
  ]),
];
