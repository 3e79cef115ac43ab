import { InvalidArgumentError } from "commander";

/**
 * Wraps a command's action. Its exit code ends the process at once: a bus that was never reached
 * would keep it alive with its retries. An action without an exit code leaves the process running.
 */
export function exiting<Args extends unknown[]>(
  run: (...args: Args) => unknown,
): (...args: Args) => Promise<void> {
  return async (...args) => {
    const code = await run(...args);
    if (typeof code !== "number") return;
    // A pipe may still have output to take.
    await new Promise((resolve) => process.stdout.write("", resolve));
    process.exit(code);
  };
}

/** Reads a whole number from `least` to `most`. */
export function wholeNumber(least: number, most: number): (text: string) => number {
  return (text) => {
    const number = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
    if (number >= least && number <= most) return number;
    throw new InvalidArgumentError(`Give a whole number from ${least} to ${most}.`);
  };
}

/** Reads a value by `read`, which returns undefined for a bad one. */
export function valueOf<T>(
  read: (text: string) => T | undefined,
  expected: string,
): (text: string) => T {
  return (text) => {
    const value = read(text.trim());
    if (value === undefined) throw new InvalidArgumentError(`Give ${expected}.`);
    return value;
  };
}

/** Help text with examples, each a command line and what it does. */
export function examples(...rows: readonly (readonly [line: string, what: string])[]): string {
  const width = Math.max(...rows.map(([line]) => line.length));
  return [
    "\nExamples:",
    ...rows.map(([line, what]) => `  npx boxoffice ${line.padEnd(width)}  ${what}`),
  ].join("\n");
}
