import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { text } from "node:stream/consumers";
import { join, resolve } from "node:path";

const KUBERNETES = resolve(import.meta.dirname, "../../kubernetes");
const USAGE = `npm run kubernetes-images -- list                      the images that the manifests name, one a line
npm run kubernetes-images -- OVERLAY < DIGESTS         pins each in kubernetes/overlays/OVERLAY/images; a line of DIGESTS is IMAGE@sha256:…,
                                                       or IMAGE=YOUR/NAME@sha256:… where you keep it under another name`;

const LINE = /^([^\s=@]+)(?:=([^\s=@]+))?@(sha256:[0-9a-f]{64})$/;
const withoutTag = (image: string): string => image.replace(/:[^:/]+$/, "");

/** The images that manifests under this folder name, with their tags. */
export function imagesOf(kubernetes: string): string[] {
  const files = ["base", "monitoring"].flatMap((part) =>
    readdirSync(join(kubernetes, part), { recursive: true, encoding: "utf8" })
      .filter((name) => name.endsWith(".yaml"))
      .map((name) => join(kubernetes, part, name)),
  );
  const named = files.flatMap((file) =>
    [...readFileSync(file, "utf8").matchAll(/^ +image: (\S+)$/gm)].map(([, image = ""]) => image),
  );
  return [...new Set(named)].sort();
}

/** The kustomization that puts digests in place of tags, or what keeps it from being whole. */
export function pinned(
  images: readonly string[],
  lines: readonly string[],
): { kustomization: string } | { problems: string[] } {
  const problems: string[] = [];
  const given = new Map<string, { newName: string | undefined; digest: string }>();
  for (const line of lines.map((each) => each.trim()).filter(Boolean)) {
    const [, image = "", newName, digest = ""] = LINE.exec(line) ?? [];
    if (!images.includes(image)) problems.push(`"${line}" names no image with its digest`);
    else given.set(image, { newName, digest });
  }
  for (const image of images) if (!given.has(image)) problems.push(`${image} has no digest`);
  if (problems.length > 0) return { problems };
  const entries = [...given].map(([image, { newName, digest }]) => {
    return `  - { name: ${withoutTag(image)}, ${newName === undefined ? "" : `newName: ${newName}, `}digest: "${digest}" }\n`;
  });
  return {
    kustomization: `apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\nimages:\n${entries.join("")}`,
  };
}

/** Writes it where the overlay looks for it. */
export function writeImages(overlay: string, kustomization: string): void {
  mkdirSync(join(overlay, "images"), { recursive: true });
  writeFileSync(join(overlay, "images", "kustomization.yaml"), kustomization);
}

if (import.meta.main) {
  const word = process.argv[2] ?? "";
  const overlay = join(KUBERNETES, "overlays", word);
  if (word === "list") console.log(imagesOf(KUBERNETES).join("\n"));
  else if (!/^[\w-]+$/.test(word) || !existsSync(overlay)) {
    console.error(USAGE);
    process.exitCode = 1;
  } else {
    const result = pinned(imagesOf(KUBERNETES), (await text(process.stdin)).split("\n"));
    if ("problems" in result) {
      console.error(result.problems.join("\n"));
      process.exitCode = 1;
    } else {
      writeImages(overlay, result.kustomization);
      console.log(
        `Wrote ${join("kubernetes", "overlays", word, "images")}; keep it with your manifests.`,
      );
    }
  }
}
