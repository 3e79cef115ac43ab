import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import type { ShownImage } from "../../../domain/event-image.ts";

/** An event as `catalog.get` answers it. */
export type PageEvent = {
  id: string;
  name: string;
  type: string;
  date: string;
  startsAt: string;
  timeZone: string;
  /** In minutes. */
  duration: number;
  location: string;
  country: string | null;
  status: "scheduled" | "cancelled" | "postponed";
  available: number;
  /** Absent: no picture. */
  image?: ShownImage;
};

/** What a page says before its script runs. `markup` is what `#app` contains. */
export type PaintedPage = { title: string; description: string; markup: string };

/** The module that the web app's build makes for Node: `public/src/server/pages.tsx`. */
export type PagePainter = {
  languages: readonly string[];
  paintPage(language: string, page: "browse" | "other" | "lost"): PaintedPage;
  paintEvent(language: string, event: PageEvent): PaintedPage;
  coverDocument(event: Pick<PageEvent, "id" | "type">): string;
};

const MODULE = join("server", "pages.cjs");

export function hasPainter(folder: string): boolean {
  return existsSync(join(folder, MODULE));
}

export function readPainter(folder: string): PagePainter {
  return createRequire(import.meta.url)(join(folder, MODULE)) as PagePainter;
}
