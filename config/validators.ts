import { isIP } from "node:net";
import { EnvError, makeExactValidator } from "envalid";
import { SERVICE_NAMES, type ServiceName } from "./services.ts";

// A validator's message continues the name of its variable: "PORT" + " is …; give …".

export function wholeNumber(least: number, most: number) {
  return makeExactValidator<number>((text) => {
    const number = /^\d{1,10}$/.test(text) ? Number(text) : Number.NaN;
    if (number >= least && number <= most) return number;
    throw new EnvError(`is "${text}"; give a whole number from ${least} to ${most}`);
  });
}

export function oneOf<const T extends string>(words: readonly T[]) {
  return makeExactValidator<T>((text) => {
    const word = words.find((candidate) => candidate === text);
    if (word !== undefined) return word;
    throw new EnvError(`is "${text}"; give one of ${words.join(", ")}`);
  });
}

/** Any text. */
export const text = makeExactValidator<string>((value) => value);

export function matching(pattern: RegExp, expected: string) {
  return makeExactValidator<string>((value) => {
    if (pattern.test(value)) return value;
    throw new EnvError(`is "${value}"; give ${expected}`);
  });
}

/** A URL. The message does not repeat it, since it may have a password. */
export function url(...protocols: readonly string[]) {
  return makeExactValidator<string>((value) => urlOf(value, protocols));
}

export function urls(...protocols: readonly string[]) {
  return makeExactValidator<string[]>((value) =>
    itemsOf(value).map((item) => urlOf(item, protocols)),
  );
}

function urlOf(value: string, protocols: readonly string[]): string {
  if (URL.canParse(value) && protocols.includes(new URL(value).protocol)) return value;
  const beginnings = protocols.map((protocol) => `${protocol}//`).join(" or ");
  throw new EnvError(`is not a URL that begins with ${beginnings}`);
}

/** A secret. The message does not repeat it. */
export const secret = makeExactValidator<string>((value) => {
  if (value.length >= 32) return value;
  throw new EnvError("is shorter than 32 characters; draw one: openssl rand -base64 48");
});

export const share = makeExactValidator<number>((value) => {
  if (/^(?:0(?:\.\d+)?|1(?:\.0+)?)$/.test(value)) return Number(value);
  throw new EnvError(`is "${value}"; give a number from 0 to 1, as 0.05`);
});

export const services = makeExactValidator<ServiceName[]>((value) => {
  const known = (name: string): boolean => SERVICE_NAMES.some((service) => service === name);
  const names = listOf(value, known, `known are ${SERVICE_NAMES.join(", ")}`);
  // In the order in which a node starts them.
  return SERVICE_NAMES.filter((name) => names.length === 0 || names.includes(name));
});

/** Addresses and ranges, or one number: how many proxies are in front. */
export const proxies = makeExactValidator<string[]>((value) =>
  /^[1-9]$/.test(value.trim())
    ? [value.trim()]
    : listOf(
        value,
        isAddressRange,
        "give IP addresses or ranges like 10.1.0.0/16, or a number of proxies from 1 to 9",
      ),
);

export const origin = makeExactValidator<string>((value) => {
  if (isOrigin(value)) return value;
  throw new EnvError("must be scheme, host and port, without a path: https://tickets.example");
});

export const origins = makeExactValidator<string[]>((value) =>
  listOf(value, isOrigin, "give scheme, host and port as browsers do, https://shop.example"),
);

/** Reads a list separated by commas. The message names every bad item. */
function listOf(value: string, isValid: (item: string) => boolean, remedy: string): string[] {
  const items = itemsOf(value);
  const bad = items.filter((item) => !isValid(item));
  if (bad.length === 0) return items;
  throw new EnvError(`names ${bad.map((item) => `"${item}"`).join(", ")}; ${remedy}`);
}

function isOrigin(value: string): boolean {
  return URL.canParse(value) && new URL(value).origin === value;
}

function itemsOf(value: string): string[] {
  return value
    .split(",")
    .map((item) => item.trim())
    .filter(Boolean);
}

/** An IP address, or one with the length of its network part. */
export function isAddressRange(value: string): boolean {
  const [address = "", prefix, ...rest] = value.split("/");
  const bits = { 0: -1, 4: 32, 6: 128 }[isIP(address)] ?? -1;
  return (
    rest.length === 0 &&
    bits > 0 &&
    (prefix === undefined || (/^\d{1,3}$/.test(prefix) && Number(prefix) <= bits))
  );
}
