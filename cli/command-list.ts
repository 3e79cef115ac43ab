import type { Command } from "commander";

/** What a file of cli/commands exports. */
export type CommandModule = {
  /** Adds description, arguments, options, examples and the action. */
  define(command: Command): void;
};

export type ListedCommand = {
  name: string;
  /** One line of `boxoffice --help`. */
  summary: string;
  group: "Engine" | "Operators" | "Development";
  load(): Promise<CommandModule>;
};

type Row = readonly [name: string, summary: string, load: ListedCommand["load"]];

const ENGINE: readonly Row[] = [
  ["start", "start servers and engine on this machine", () => import("./commands/engine/start.ts")],
  [
    "cluster",
    "start servers and an engine of many processes",
    () => import("./commands/engine/cluster.ts"),
  ],
  ["node", "run one node of an engine", () => import("./commands/engine/node.ts")],
  ["migrate", "bring a database's schema up to date", () => import("./commands/engine/migrate.ts")],
  ["upgrade", "back up, then run newer code", () => import("./commands/engine/upgrade.ts")],
  ["rollback", "run the code of before again", () => import("./commands/engine/rollback.ts")],
];

const OPERATORS: readonly Row[] = [
  ["import", "import a feed of events", () => import("./commands/operators/import.ts")],
  ["demo", "add demo events", () => import("./commands/operators/demo.ts")],
  ["user", "grant and revoke the operator role", () => import("./commands/operators/user.ts")],
  ["keys", "rotate the keys of access tokens", () => import("./commands/operators/keys.ts")],
  ["ledger", "reconcile, dead letters, repair", () => import("./commands/operators/ledger.ts")],
  ["mail", "e-mails that could not be sent", () => import("./commands/operators/mail.ts")],
  ["repl", "operate a running engine interactively", () => import("./commands/operators/repl.ts")],
  ["backup", "back up the private PostgreSQL", () => import("./commands/operators/backup.ts")],
  ["restore", "restore a backup, or try it", () => import("./commands/operators/restore.ts")],
  [
    "retention",
    "delete old sales and audit files",
    () => import("./commands/operators/retention.ts"),
  ],
  [
    "kubernetes-secrets",
    "generate an overlay's secrets",
    () => import("./commands/operators/kubernetes-secrets.ts"),
  ],
  [
    "kubernetes-images",
    "pin an overlay's images by digest",
    () => import("./commands/operators/kubernetes-images.ts"),
  ],
  ["image", "build the engine's image", () => import("./commands/operators/image.ts")],
];

const DEVELOPMENT: readonly Row[] = [
  ["test", "run tests", () => import("./commands/development/test.ts")],
  ["check", "check types, lint and format", () => import("./commands/development/check.ts")],
  ["format", "format all files", () => import("./commands/development/format.ts")],
  ["build", "build the web app", () => import("./commands/development/build.ts")],
  ["api-types", "generate the client's types", () => import("./commands/development/api-types.ts")],
  [
    "docs",
    "generate docs/cli.md, docs/configuration.md",
    () => import("./commands/development/docs.ts"),
  ],
  [
    "licenses",
    "check licenses, print the SBOM",
    () => import("./commands/development/licenses.ts"),
  ],
  ["bench", "measure a scenario", () => import("./commands/development/bench.ts")],
  ["chaos", "play faults against a cluster", () => import("./commands/development/chaos.ts")],
  [
    "game-day",
    "play incidents, and see who is paged",
    () => import("./commands/development/game-day.ts"),
  ],
  [
    "coverage",
    "list the files that one request runs through",
    () => import("./commands/development/coverage.ts"),
  ],
  ["fuzz", "send absurd requests to an engine", () => import("./commands/development/fuzz.ts")],
  [
    "fuzz-bytes",
    "send raw bytes and floods to a gateway",
    () => import("./commands/development/fuzz-bytes.ts"),
  ],
  ["simulate", "play seeded histories", () => import("./commands/development/simulate.ts")],
  ["security", "run the security checklist", () => import("./commands/development/security.ts")],
  ["scaling", "compute the capacity table", () => import("./commands/development/scaling.ts")],
];

const group = (name: ListedCommand["group"], rows: readonly Row[]): ListedCommand[] =>
  rows.map(([command, summary, load]) => ({ name: command, summary, group: name, load }));

/**
 * Every subcommand. Each file is imported when its command runs: an image has no development tools.
 */
export const COMMANDS: readonly ListedCommand[] = [
  ...group("Engine", ENGINE),
  ...group("Operators", OPERATORS),
  ...group("Development", DEVELOPMENT),
];
