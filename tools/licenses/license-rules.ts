/**
 * Licenses (SPDX) of packages of the engine and its tools: they ask for a notice at most. Copyleft,
 * non-commercial and missing licenses are refused.
 */
const ALLOWED_LICENSES: ReadonlySet<string> = new Set([
  "MIT",
  "MIT-0",
  "X11",
  "ISC",
  "0BSD",
  "BSD-2-Clause",
  "BSD-3-Clause",
  "BSD-3-Clause-Clear",
  "Apache-2.0",
  "BlueOak-1.0.0",
  "Unlicense",
  "CC0-1.0",
  "WTFPL",
  "Zlib",
  "Python-2.0",
  "PostgreSQL",
  "Unicode-DFS-2016",
  "Unicode-3.0",
]);

/**
 * Licenses of packages of scope `dev`. The copyleft of the added ones covers their own files, which
 * the project neither changes nor passes on (Vite's CSS compiler, axe).
 */
const ALLOWED_FOR_TOOLS: ReadonlySet<string> = new Set([...ALLOWED_LICENSES, "MPL-2.0", "PSF-2.0"]);

/** libvips, in files of its own that sharp loads and anyone can replace, as the LGPL asks. */
const LIBVIPS = "node_modules/@img/sharp-";
const ALLOWED_FOR_LIBVIPS = new Set([...ALLOWED_LICENSES, "LGPL-3.0-or-later"]);

/** Returns the licenses that this package may have. */
export function allowedFor({ path, scope }: { path: string; scope: string }): ReadonlySet<string> {
  if (path.startsWith(LIBVIPS)) return ALLOWED_FOR_LIBVIPS;
  return scope === "dev" ? ALLOWED_FOR_TOOLS : ALLOWED_LICENSES;
}

/**
 * Whether an SPDX expression allows use: one license of "A OR B" is enough, "A AND B" needs both.
 * Anything else ("SEE LICENSE IN …", "UNLICENSED", an exception with WITH) is not allowed.
 */
export function isAllowedLicense(
  expression: string,
  allowed: ReadonlySet<string> = ALLOWED_LICENSES,
): boolean {
  const tokens = expression.match(/[()]|[^\s()]+/g) ?? [];
  let next = 0;

  const anyOf = (): boolean => {
    let good = allOf();
    while (tokens[next] === "OR") {
      next += 1;
      const other = allOf();
      good ||= other;
    }
    return good;
  };
  const allOf = (): boolean => {
    let good = one();
    while (tokens[next] === "AND") {
      next += 1;
      const other = one();
      good &&= other;
    }
    return good;
  };
  const one = (): boolean => {
    const token = tokens[next];
    next += 1;
    if (token !== "(") return token !== undefined && allowed.has(token);
    const good = anyOf();
    if (tokens[next] !== ")") return false;
    next += 1;
    return good;
  };
  return anyOf() && next === tokens.length;
}

/** Recognizes a license by its text, for old packages without one in package.json. */
export function licenseOfText(text: string): string | undefined {
  const flat = text.replaceAll(/\s+/g, " ");
  if (
    /Permission is hereby granted, free of charge, to any person obtaining a copy/i.test(flat) &&
    /without restriction/i.test(flat)
  )
    return "MIT";
  if (
    /Permission to use, copy, modify, and(?:\/or)? distribute this software for any purpose/i.test(
      flat,
    )
  )
    return "ISC";
  if (/Apache License,? Version 2\.0/i.test(flat)) return "Apache-2.0";
  return undefined;
}
