import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type { World } from "../chaos/test-bed.ts";
import { startAlertmanager } from "../monitoring/alertmanager.ts";
import { type Notice, openPager, type Pager } from "../monitoring/pager.ts";
import { type Prometheus, startPrometheus, type Target } from "../monitoring/prometheus.ts";
import type { Incident } from "./incidents.ts";
import { startLoad } from "./load.ts";

export type Pace = {
  /** Seconds between scrapes and evaluations. Undefined: those of production. */
  intervalS?: number | undefined;
  /** Divides what alerts and notifications wait. */
  speed?: number;
  /** Quiet seconds before, more seconds after the page, and seconds after the recovery. */
  watchS: { before: number; after: number; recovery: number };
};
export type IncidentResult = {
  id: string;
  title: string;
  page: string;
  /** Seconds from the incident to the page. Undefined: none came. */
  pagedAfterS: number | undefined;
  /** What the person on call reads. */
  notice: Notice | undefined;
  /** Pages that should not have come, as `NAME after 12 s`. */
  wrong: string[];
  tickets: string[];
  /** What customers were answered, by kind and status. */
  answers: Record<string, number>;
  problems: string[];
};
export type Programs = { prometheus: string; alertmanager: string };

/** The promise: the right page within two minutes. */
export const PAGE_WITHIN_S = 120;
const LIVE_WITHIN_S = 90;
/** Alertmanager's group_wait, in alertmanager.yml. */
const GROUP_WAIT_S = 10;
const POLL_MS = 100;

/**
 * Plays one incident on a running cluster, watched by a Prometheus and an Alertmanager that know
 * nothing of earlier ones. Undoes the incident, and waits until the cluster is healthy again.
 */
export async function playIncident(
  world: World,
  incident: Incident,
  programs: Programs,
  pace: Pace,
): Promise<IncidentResult> {
  const { id, title, page } = incident;
  const folder = mkdtempSync(join(tmpdir(), "boxoffice-game-day-"));
  const undo: (() => unknown)[] = [() => rmSync(folder, { recursive: true, force: true })];
  const problems: string[] = [];
  try {
    const pager = await openPager();
    undo.push(() => pager.close());
    const { speed = 1, intervalS } = pace;
    const alertmanager = await startAlertmanager({
      program: programs.alertmanager,
      folder: join(folder, "alertmanager"),
      receiver: pager.url,
      speed,
    });
    undo.push(() => alertmanager.stop());
    const prometheus = await startPrometheus({
      program: programs.prometheus,
      folder: join(folder, "prometheus"),
      targets: targetsOf(world),
      intervalS,
      speed,
      alertmanagerPort: alertmanager.port,
    });
    undo.push(() => prometheus.stop());
    const load = await startLoad(world, incident.load ?? ["searches", "purchases", "sign-ins"]);
    undo.push(() => load.stop());
    await untilWatched(world, prometheus, pager);
    // A page that Alertmanager still holds back from the first evaluations comes within this time.
    await delay((GROUP_WAIT_S / speed + 1) * 1_000);
    const firstNotice = pager.notices.length;
    await delay(pace.watchS.before * 1_000);

    const struckMs = performance.now();
    let healed: (() => Promise<unknown>) | undefined;
    try {
      healed = await incident.strike(world);
      await until(() => pagesOf(pager.notices.slice(firstNotice), page).length > 0, PAGE_WITHIN_S);
      await delay(pace.watchS.after * 1_000);
    } finally {
      await healed?.();
    }
    await delay(pace.watchS.recovery * 1_000);
    const notices = pager.notices.slice(firstNotice);
    const [notice] = pagesOf(notices, page);
    const pagedAfterS = notice && seconds(notice.atMs - struckMs);
    if (notice === undefined) problems.push(`no page ${page} within ${PAGE_WITHIN_S} s`);
    else if (notice.atMs < struckMs) problems.push(`${page} came before the incident`);
    const told = (receiver: string): string[] => [
      ...new Set(
        notices
          .filter((one) => one.receiver === receiver && one.status === "firing")
          .filter(({ alert }) => receiver !== "page" || alert !== page)
          .map(({ alert, atMs }) => `${alert} after ${seconds(atMs - struckMs)} s`),
      ),
    ];
    const wrong = told("page");
    if (wrong.length > 0) problems.push(`wrong pages: ${wrong.join(", ")}`);
    const { answers } = load;
    const tickets = told("ticket");
    return { id, title, page, pagedAfterS, notice, wrong, tickets, answers, problems };
  } finally {
    for (const run of undo.reverse()) await run();
  }
}

const seconds = (ms: number): number => Math.round(ms / 100) / 10;

function pagesOf(notices: readonly Notice[], alert: string): Notice[] {
  return notices.filter(
    (one) => one.receiver === "page" && one.status === "firing" && one.alert === alert,
  );
}

function targetsOf({ cluster, servers }: World): Target[] {
  const rabbitmq = servers.prometheusUrl ?? "";
  return [
    ...cluster.nodes.map(({ metricsUrl }) => ({ job: "boxoffice", url: metricsUrl })),
    {
      job: "rabbitmq",
      url: `${rabbitmq}/detailed?family=queue_coarse_metrics&family=queue_consumer_count`,
    },
    { job: "rabbitmq-node", url: rabbitmq },
  ];
}

/**
 * Waits until every target is scraped, the dead man's switch has been heard of, and no page is due:
 * before its first scrape, a new Prometheus misses everything.
 */
async function untilWatched(world: World, prometheus: Prometheus, pager: Pager): Promise<void> {
  const targets = targetsOf(world).length;
  const watched = async (): Promise<boolean> =>
    (await prometheus.query("up == 1")).length === targets &&
    (await prometheus.alerts()).every(
      ({ labels, state }) => labels.severity !== "page" || state === "pending",
    ) &&
    pager.notices.some(({ receiver }) => receiver === "heartbeat");
  if (await until(watched, LIVE_WITHIN_S)) return;
  const down = (await prometheus.query("up == 0")).map(({ metric }) => metric.instance);
  throw new Error(`Not watched within ${LIVE_WITHIN_S} s; down: ${down.join(", ") || "none"}`);
}

async function until(fact: () => boolean | Promise<boolean>, withinS: number): Promise<boolean> {
  const deadline = performance.now() + withinS * 1_000;
  while (!(await fact())) {
    if (performance.now() > deadline) return false;
    await delay(POLL_MS);
  }
  return true;
}
