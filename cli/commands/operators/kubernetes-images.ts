import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import type { Command } from "commander";
import { ServerProblem } from "../../../tools/dev-servers/server-problem.ts";
import { ROOT } from "../../../tools/root.ts";
import { examples, exiting } from "../../options.ts";

const KUBERNETES = join(ROOT, "kubernetes");

export function define(command: Command): void {
  command
    .description(
      "Pins the images of an overlay: writes kubernetes/overlays/OVERLAY/images from standard " +
        "input. A line is IMAGE@sha256:…, or IMAGE=YOUR/NAME@sha256:… where you keep a copy.",
    )
    .argument("[overlay]", "its name, as production; none with --list")
    .option("--list", "print the images that the manifests name, one a line")
    .addHelpText(
      "after",
      examples(
        ["kubernetes-images --list", "prints one image a line"],
        ["kubernetes-images production < digests", "pins them"],
      ),
    )
    .action(
      exiting((overlay: string | undefined, { list }: { list?: boolean }) => {
        if (overlay === undefined && list) return printImages();
        if (overlay === undefined || list) command.error("error: give an overlay, or --list alone");
        return pin(overlay);
      }),
    );
}

function printImages(): number {
  console.log(imagesOf(KUBERNETES).join("\n"));
  return 0;
}

async function pin(name: string): Promise<number> {
  const overlay = overlayFolder(name);
  const result = pinned(imagesOf(KUBERNETES), (await text(process.stdin)).split("\n"));
  if ("problems" in result) throw new ServerProblem(result.problems.join("\n"));
  writeImages(overlay, result.kustomization);
  console.log(`Wrote kubernetes/overlays/${name}/images; keep it with your manifests.`);
  return 0;
}

/** The folder of an overlay. Throws a ServerProblem for an unknown one. */
export function overlayFolder(name: string): string {
  const overlays = join(KUBERNETES, "overlays");
  const folder = join(overlays, name);
  if (/^[\w-]+$/.test(name) && existsSync(folder)) return folder;
  throw new ServerProblem(
    `There is no overlay ${name}. Known: ${readdirSync(overlays).join(", ")}.`,
  );
}

const LINE = /^([^\s=@]+)(?:=([^\s=@]+))?@(sha256:[0-9a-f]{64})$/;
const withoutTag = (image: string): string => image.replace(/:[^:/]+$/, "");

/** The images, with tags, that the manifests under this folder name. */
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

/** Makes the kustomization that replaces tags by digests; else says what is missing. */
export function pinned(
  images: readonly string[],
  lines: readonly string[],
): { kustomization: string } | { problems: string[] } {
  const problems: string[] = [];
  const given = new Map<string, { newName: string | undefined; digest: string }>();
  for (const line of lines.map((each) => each.trim()).filter(Boolean)) {
    const [, image = "", newName, digest = ""] = LINE.exec(line) ?? [];
    if (!images.includes(image))
      problems.push(`"${line}" is not a line IMAGE@sha256:… of a known image`);
    else given.set(image, { newName, digest });
  }
  for (const image of images) if (!given.has(image)) problems.push(`${image} has no digest`);
  if (problems.length > 0) return { problems };
  const entries = [...given].map(([image, { newName, digest }]) => {
    const renamed = newName === undefined ? "" : `newName: ${newName}, `;
    return `  - { name: ${withoutTag(image)}, ${renamed}digest: "${digest}" }\n`;
  });
  const head = "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\nimages:\n";
  return { kustomization: head + entries.join("") };
}

/** Writes the kustomization where the overlay looks for it. */
export function writeImages(overlay: string, kustomization: string): void {
  mkdirSync(join(overlay, "images"), { recursive: true });
  writeFileSync(join(overlay, "images", "kustomization.yaml"), kustomization);
}
