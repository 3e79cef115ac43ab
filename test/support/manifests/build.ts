import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { cpSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseAllDocuments } from "yaml";
import {
  imagesOf,
  pinned,
  writeImages,
} from "../../../cli/commands/operators/kubernetes-images.ts";
import { drawSecrets, writeSecrets } from "../../../cli/commands/operators/kubernetes-secrets.ts";
import { ROOT } from "../../../tools/root.ts";

/** A Kubernetes object as the builder writes it. */
export type Manifest = {
  apiVersion: string;
  kind: string;
  metadata: {
    name: string;
    namespace?: string;
    labels?: Record<string, string>;
    annotations?: Record<string, string>;
  };
  spec?: unknown;
  data?: Record<string, string>;
};

/** What only the owner of a cluster knows. The repository has no values for it. */
const SETTINGS: Readonly<Record<string, string>> = {
  "engine.env": "TRUSTED_PROXIES=10.244.0.0/16\n",
  "edge.env": "HOST_NAME=tickets.example.com\nEMAIL=operators@example.com\n",
};

export const OVERLAYS = ["minikube", "production"] as const;

/** The arguments of the program that builds, whichever is installed; undefined where neither is. */
export function findBuilder(): readonly [program: string, ...args: string[]] | undefined {
  for (const candidate of [
    ["kubectl", "kustomize"],
    ["kustomize", "build"],
  ] as const) {
    try {
      execFileSync(candidate[0], [...candidate.slice(1), "--help"], { stdio: "ignore" });
      return candidate;
    } catch {
      // Not installed.
    }
  }
  return undefined;
}

/** What a registry would say an image is. */
export const digestOf = (image: string): string =>
  `sha256:${createHash("sha256").update(image).digest("hex")}`;

/** Copies kubernetes/ with drawn secrets and invented digests, which the repository lacks. */
export function copyManifests(folder: string): string {
  const target = join(folder, "kubernetes");
  cpSync(join(ROOT, "kubernetes"), target, {
    recursive: true,
    filter: (source) => !/overlays\/\w+\/(?:secrets|images|\w+\.env)$/.test(source),
  });
  for (const overlay of OVERLAYS)
    writeSecrets(join(target, "overlays", overlay, "secrets"), drawSecrets());
  const production = join(target, "overlays", "production");
  for (const [file, text] of Object.entries(SETTINGS)) writeFileSync(join(production, file), text);
  const images = imagesOf(target);
  const result = pinned(
    images,
    images.map((image) => {
      const renamed = image.startsWith("boxoffice") ? "=registry.example.com/boxoffice" : "";
      return `${image}${renamed}@${digestOf(image)}`;
    }),
  );
  if ("problems" in result) throw new Error(result.problems.join("\n"));
  writeImages(production, result.kustomization);
  return target;
}

/** The objects of an overlay. Throws with the builder's words where it cannot be built. */
export function build(
  builder: readonly [string, ...string[]],
  kubernetes: string,
  overlay: string,
): Manifest[] {
  const [program, ...args] = builder;
  const text = execFileSync(program, [...args, join(kubernetes, "overlays", overlay)], {
    encoding: "utf8",
    stdio: ["ignore", "pipe", "pipe"],
  });
  const manifests = parseAllDocuments(text).map((document) => document.toJS() as Manifest);
  // kustomize wraps long base64 text, which Kubernetes accepts and the schemas do not.
  for (const { kind, data } of manifests)
    if (kind === "Secret" && data !== undefined)
      for (const [key, value] of Object.entries(data)) data[key] = value.replaceAll(/\s/g, "");
  return manifests;
}

/** Replaces a text that must be there in a file of the copy, and answers how to put it back. */
export function plant(file: string, from: string, to: string): () => void {
  const before = readFileSync(file, "utf8");
  if (!before.includes(from)) throw new Error(`${file} has no ${from}`);
  writeFileSync(file, before.replace(from, to));
  return () => writeFileSync(file, before);
}
