import { join } from "node:path";
import ts from "typescript";
import { ROOT } from "../../../tools/root.ts";
import type { Manifest } from "./build.ts";

/** The packages that know the groups of API which are not Kubernetes' own. */
const PACKAGES: Record<string, string> = {
  "keda.sh": "@kubernetes-models/keda",
  "external-secrets.io": "@kubernetes-models/external-secrets",
  "cert-manager.io": "@kubernetes-models/cert-manager",
  "gateway.networking.k8s.io": "@kubernetes-models/gateway-api",
  "monitoring.coreos.com": "@kubernetes-models/prometheus-operator",
};

/** The module that describes the objects of an apiVersion. */
function moduleOf({ apiVersion }: Manifest): string {
  const group = apiVersion.includes("/") ? (apiVersion.split("/")[0] ?? "") : "";
  return `${PACKAGES[group] ?? "kubernetes-models"}/${apiVersion}`;
}

const titleOf = ({ kind, metadata }: Manifest): string => `${kind} ${metadata.name}`;

/** Validates objects by Kubernetes' schemas, which accept unknown fields; see `typeErrors`. */
export async function schemaErrors(manifests: readonly Manifest[]): Promise<string[]> {
  const errors: string[] = [];
  for (const manifest of manifests) {
    const models = (await import(moduleOf(manifest)).catch(() => ({}))) as Record<
      string,
      new (object: Manifest) => { validate(): void }
    >;
    const Model = models[manifest.kind];
    if (Model === undefined) {
      errors.push(`${titleOf(manifest)}: no such kind in ${manifest.apiVersion}`);
      continue;
    }
    try {
      new Model(manifest).validate();
    } catch (error) {
      errors.push(
        `${titleOf(manifest)}: ${error instanceof Error ? error.message : String(error)}`,
      );
    }
  }
  return errors;
}

/** Type-checks objects as literals of Kubernetes' types, which finds unknown fields. */
export function typeErrors(manifests: readonly Manifest[]): string[] {
  const lines = manifests.map((manifest, index) => {
    const name = `M${index}`;
    const type = `import { type I${manifest.kind} as ${name} } from "${moduleOf(manifest)}";`;
    return `${type}\nexport const m${index}: ${name} = ${JSON.stringify(manifest)};`;
  });
  const file = join(ROOT, "test", "manifests-as-literals.ts");
  const options: ts.CompilerOptions = {
    strict: true,
    noEmit: true,
    skipLibCheck: true,
    types: [],
    target: ts.ScriptTarget.ESNext,
    module: ts.ModuleKind.NodeNext,
    moduleResolution: ts.ModuleResolutionKind.NodeNext,
  };
  const host = ts.createCompilerHost(options);
  const text = lines.join("\n");
  const program = ts.createProgram([file], options, {
    ...host,
    fileExists: (path) => path === file || host.fileExists(path),
    readFile: (path) => (path === file ? text : host.readFile(path)),
    getSourceFile: (path, ...rest) =>
      path === file
        ? ts.createSourceFile(path, text, ts.ScriptTarget.ESNext)
        : host.getSourceFile(path, ...rest),
  });
  return ts
    .getPreEmitDiagnostics(program)
    .map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, " "))
    .filter((message, index, all) => all.indexOf(message) === index);
}
