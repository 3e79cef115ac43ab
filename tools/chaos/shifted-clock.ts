/**
 * Shifts the wall clock of a node by `ms`, not its monotonic clock. Preloaded with `node --import
 * …/shifted-clock.ts?ms=90000`.
 */
const offsetMs = Number(new URL(import.meta.url).searchParams.get("ms"));
const RealDate = Date;
const now = (): number => RealDate.now() + offsetMs;

globalThis.Date = new Proxy(RealDate, {
  construct: (target, args: unknown[], self) =>
    Reflect.construct(target, args.length === 0 ? [now()] : args, self) as object,
  apply: () => new RealDate(now()).toString(),
  get: (target, name, self) =>
    name === "now" ? now : (Reflect.get(target, name, self) as unknown),
});
