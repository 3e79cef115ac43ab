import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import { processEnvironment } from "../../config/index.ts";
import { isExecutable } from "../dev-servers/binaries.ts";
import { ServerProblem, secondsSince, type Report } from "../dev-servers/server-problem.ts";

const NAMES = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];
const PLACES = [
  "/Applications/Chromium.app/Contents/MacOS/Chromium",
  "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
];
/** With fonts: without one a browser shows boxes. */
const DEBIAN_PACKAGES = ["chromium", "fonts-liberation", "fonts-dejavu-core"];
const ADVICE = [
  "The tests of the web app need Chromium. Install it:",
  `  Debian, Ubuntu:  sudo apt-get update && sudo apt-get install -y --no-install-recommends ${DEBIAN_PACKAGES.join(" ")}`,
  "  Fedora:          sudo dnf install -y chromium",
  "  macOS:           brew install --cask chromium",
].join("\n");

/** Finds an installed Chromium or Chrome. */
export function findBrowser(): string | undefined {
  const folders = [
    ...(processEnvironment().PATH ?? "").split(delimiter).filter((folder) => folder !== ""),
    "/usr/bin",
  ];
  return [...folders.flatMap((folder) => NAMES.map((name) => join(folder, name))), ...PLACES].find(
    isExecutable,
  );
}

/**
 * Installs Chromium where it is missing, as root on Debian or Ubuntu. Else throws a ServerProblem
 * that says what to do.
 */
export function provideBrowser(report: Report): void {
  if (findBrowser() !== undefined) return;
  if (
    process.getuid?.() !== 0 ||
    !existsSync("/etc/debian_version") ||
    !existsSync("/usr/bin/apt-get")
  )
    throw new ServerProblem(ADVICE);
  const started = performance.now();
  report("installing chromium from the system's packages, for the tests of the web app");
  const lock = ["-o", "DPkg::Lock::Timeout=300"];
  apt("-q", "update");
  apt("install", "-q", "-y", "--no-install-recommends", ...lock, ...DEBIAN_PACKAGES);
  if (findBrowser() === undefined)
    throw new ServerProblem(`${ADVICE}\n(It is still not there after apt-get install.)`);
  report(`installed chromium (${secondsSince(started)})`);
}

/** Ignores a failed update: old package lists may suffice. */
function apt(...args: string[]): void {
  const env = { ...processEnvironment(), DEBIAN_FRONTEND: "noninteractive" };
  const { status, stderr } = spawnSync("apt-get", args, { env, encoding: "utf8" });
  if (status !== 0 && args[0] === "install")
    throw new ServerProblem(
      `${ADVICE}\napt-get install failed: ${stderr.trim().split("\n").at(-1) ?? ""}`,
    );
}
