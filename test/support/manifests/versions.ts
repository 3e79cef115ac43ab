import { readFileSync } from "node:fs";
import { join } from "node:path";
import { ROOT } from "../../../tools/root.ts";
import type { Manifest } from "./build.ts";

/** Which program knows the objects of an API group that is not Kubernetes' own. */
const GROUPS: Readonly<Record<string, string>> = {
  "barmancloud.cnpg.io": "Barman Cloud plugin",
  "cert-manager.io": "cert-manager",
  "external-secrets.io": "External Secrets",
  "gateway.networking.k8s.io": "Gateway API",
  "keda.sh": "KEDA",
  "monitoring.coreos.com": "Prometheus operator",
  "postgresql.cnpg.io": "CloudNativePG",
  "rabbitmq.com": "RabbitMQ cluster operator",
};

/**
 * What the manifests use that is younger than the rest, with the first version that has it without
 * a feature gate, as the program's own documentation says.
 */
const FEATURES: readonly { words: string; program: string; since: string }[] = [
  { words: '"unhealthyPodEvictionPolicy"', program: "Kubernetes", since: "1.27" },
  { words: '"preStop":{"sleep"', program: "Kubernetes", since: "1.30" },
  { words: '"gatewayHTTPRoute"', program: "cert-manager", since: "1.15" },
  { words: '"gateway.networking.k8s.io/v1"', program: "Gateway API", since: "1.0" },
  { words: '"gatewayClassName":"traefik"', program: "Traefik", since: "3.1" },
  { words: '"behavior":"currentReplicasIfHigher"', program: "KEDA", since: "2.17" },
];

/** The same of the components, which not every overlay has. */
const OF_COMPONENTS: typeof FEATURES = [
  { words: '"dataDurability"', program: "CloudNativePG", since: "1.25" },
  { words: '"isWALArchiver"', program: "CloudNativePG", since: "1.26" },
  { words: '"external-secrets.io/v1"', program: "External Secrets", since: "0.16" },
];

/** The table of docs/kubernetes.md: the least version of each program. */
export function documentedVersions(
  page = readFileSync(join(ROOT, "docs", "kubernetes.md"), "utf8"),
): Map<string, string> {
  const rows = page.matchAll(/^\| ([A-Z\w][\w -]*?) \| (\d+\.\d+) \| /gm);
  return new Map([...rows].map(([, program = "", version = ""]) => [program, version]));
}

/** Names what the manifests use and the documented versions do not have, or do not name. */
export function versionErrors(
  manifests: readonly Manifest[],
  documented: ReadonlyMap<string, string>,
): string[] {
  const text = JSON.stringify(manifests);
  const groups = [...new Set(manifests.map(({ apiVersion }) => apiVersion))]
    .map((apiVersion) => GROUPS[apiVersion.split("/")[0] ?? ""])
    .filter((program) => program !== undefined && !documented.has(program))
    .map((program) => `${program} is used, and has no minimum version`);
  const features = [...FEATURES, ...OF_COMPONENTS]
    .filter(({ words }) => text.includes(words))
    .flatMap(({ words, program, since }) => {
      const version = documented.get(program);
      if (version === undefined) return [`${program} has no minimum version`];
      return isOlder(version, since)
        ? [`${program} ${version} does not know ${words}, which is of ${since}`]
        : [];
    });
  return [...groups, ...features];
}

/** Features of the list that no manifest uses any more. */
export function unusedFeatures(manifests: readonly Manifest[]): string[] {
  const text = JSON.stringify(manifests);
  return FEATURES.map(({ words }) => words).filter((words) => !text.includes(words));
}

function isOlder(version: string, than: string): boolean {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  const [needsMajor = 0, needsMinor = 0] = than.split(".").map(Number);
  return major < needsMajor || (major === needsMajor && minor < needsMinor);
}
