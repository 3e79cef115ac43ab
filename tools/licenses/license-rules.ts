/**
 * Licences under which a package may be part of the engine or of its tools (SPDX identifiers): they ask for a notice at most. Copyleft, "no
 * commercial use", "ask me" and no licence at all are refused by not being here.
 */
export const ALLOWED_LICENCES: ReadonlySet<string> = new Set([
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
 * Allowed beside those for packages of scope `dev`: their copyleft is about their own files, which we neither change nor pass on. Vite's CSS compiler and
 * axe are under it.
 */
export const ALLOWED_FOR_WORK: ReadonlySet<string> = new Set([
  ...ALLOWED_LICENCES,
  "MPL-2.0",
  "PSF-2.0",
]);

/**
 * Whether an SPDX expression lets us use the package: of "A OR B" one allowed licence is enough, of "A AND B" both are needed. What cannot be
 * read ("SEE LICENSE IN …", "UNLICENSED", an exception with WITH) is not allowed.
 */
export function isAllowedLicence(
  expression: string,
  allowed: ReadonlySet<string> = ALLOWED_LICENCES,
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

/** The licence that a file's text is, for old packages that name none in package.json. */
export function licenceOfText(text: string): string | undefined {
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
