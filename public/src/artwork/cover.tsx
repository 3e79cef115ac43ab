import { type ReactNode, useState } from "react";
import type { Event } from "../api/types.ts";
import { MOTIFS, type Palette, tiles } from "./motifs.tsx";
import { randomFrom } from "./random.ts";

/** Widths of the picture of an event's page: a thumbnail, or beside the panel of purchases. */
export const ART = "(min-width: 56rem) 48rem, 7rem";
/** Width of the small file, in pixels. */
const SMALL_WIDTH = 480;
const PALETTES: readonly Palette[] = [
  ["#16302b", "#f2a65a", "#eec170", "#58a08d"],
  ["#2b1d3a", "#ff7f6b", "#ffd29d", "#7b5ea7"],
  ["#0f2f4f", "#f7c548", "#e4572e", "#5b9bd5"],
  ["#f1e3c8", "#b3261e", "#1d3557", "#e9a23b"],
  ["#e8ece0", "#2f5d50", "#d1495b", "#edae49"],
  ["#3d0e1e", "#f28482", "#f6bd60", "#84a59d"],
  ["#f5d7c8", "#7a1f3d", "#2a6f77", "#f08a4b"],
  ["#14213d", "#fca311", "#e5e5e5", "#5c7aa8"],
  ["#dbe7f0", "#16425b", "#f25f4c", "#f4b942"],
  ["#23281f", "#c6d57e", "#d57e7e", "#a2cdcd"],
];

/** How a picture is asked for. `sizes`: its width on the page, as HTML writes it. */
type Look = { alt?: string; sizes?: string; eager?: boolean };

/**
 * Shows the picture of an event. Without one, or if it does not load, draws a poster. `alt` is
 * empty where the name stands beside it.
 */
export function Cover({
  event: { id, type, image },
  ...look
}: { event: Pick<Event, "id" | "type" | "image"> } & Look): ReactNode {
  const [lost, setLost] = useState<string>();
  if (image === undefined || image.url === lost) return <Poster id={id} type={type} />;
  return <Picture image={image} look={look} onLost={() => setLost(image.url)} />;
}

function Picture({
  image: { url, thumbnailUrl, width, height },
  look: { alt = "", sizes = "22rem", eager = false },
  onLost,
}: {
  image: NonNullable<Event["image"]>;
  look: Look;
  onLost: () => void;
}): ReactNode {
  return (
    <img
      className={height > width ? "cover cover-tall" : "cover"}
      src={url}
      srcSet={`${thumbnailUrl} ${Math.min(SMALL_WIDTH, width)}w, ${url} ${width}w`}
      sizes={sizes}
      width={width}
      height={height}
      alt={alt}
      loading={eager ? "eager" : "lazy"}
      decoding="async"
      onError={onLost}
    />
  );
}

/** Draws a poster: the motif from the type, the rest from the id. Hidden from screen readers. */
export function Poster({ id, type }: { id: string; type: string }): ReactNode {
  const random = randomFrom(id);
  const palette = PALETTES[Math.floor(random() * PALETTES.length)] ?? PALETTES[0];
  if (palette === undefined) return null;
  const draw = MOTIFS[type.toLowerCase()] ?? tiles;
  return (
    <svg
      className="cover"
      viewBox="0 0 320 200"
      preserveAspectRatio="xMidYMid slice"
      aria-hidden="true"
      focusable="false"
    >
      <rect width="320" height="200" fill={palette[0]} />
      {draw(random, palette)}
    </svg>
  );
}
