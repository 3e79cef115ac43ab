// Each static check of `npm test` must be able to fail: it is run on a planted violation.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, before, describe, it } from "node:test";
import { ESLint } from "eslint";
import tseslint from "typescript-eslint";
import { ROOT } from "../../tools/root.ts";
import { CHECKS } from "../../tools/testing/static-checks.ts";

type Ran = { code: number; output: string };

/** Runs a check's program, with its arguments but those that name the project's own folders. */
function run(program: string, args: readonly string[], cwd: string): Promise<Ran> {
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      [join(ROOT, "node_modules", ".bin", program), ...args],
      { cwd, timeout: 60_000 },
      (error, stdout, stderr) =>
        resolve({ code: Number(error?.code ?? 0), output: stdout + stderr }),
    );
  });
}

describe("eslint", () => {
  // The planted files exist in memory only, so rules that need types are off.
  const eslint = new ESLint({
    cwd: ROOT,
    overrideConfig: [
      tseslint.configs.disableTypeChecked as ESLint.Options["overrideConfig"] & object,
      { languageOptions: { parserOptions: { projectService: false } } },
    ].flat() as never,
  });
  const rulesBrokenBy = async (path: string, text: string): Promise<(string | null)[]> => {
    const [result] = await eslint.lintText(text, { filePath: join(ROOT, path) });
    return (result?.messages ?? []).map(({ ruleId }) => ruleId);
  };

  const planted = {
    "max-lines": ["lib/planted.ts", "export {};\n".repeat(301)],
    "max-len": ["lib/planted.ts", `// ${"long ".repeat(25)}\nexport {};\n`],
    "no-restricted-properties": ["services/planted.ts", "export const port = process.env.PORT;\n"],
    "no-restricted-imports": ["lib/planted.ts", 'export { env } from "node:process";\n'],
    "no-restricted-globals": ["domain/planted.ts", "export const now = () => performance.now();\n"],
    "no-restricted-syntax": ["domain/planted.ts", "export const today = new Date();\n"],
    "no-console": ["services/planted.ts", 'console.log("here");\n'],
    eqeqeq: ["lib/planted.ts", "export const same = (a: unknown, b: unknown) => a == b;\n"],
  } as const;
  for (const [rule, [path, text]] of Object.entries(planted))
    it(`fails on a planted violation of ${rule}`, async () => {
      assert.deepEqual(new Set(await rulesBrokenBy(path, text)), new Set([rule]));
    });

  it("forbids clocks and randomness in domain/", async () => {
    for (const call of ["Math.random()", "Date.now()"]) {
      const broken = await rulesBrokenBy("domain/planted.ts", `export const value = ${call};\n`);
      assert.deepEqual(broken, ["no-restricted-properties"], call);
    }
  });

  it("reads the environment in config/ only", async () => {
    const text = "export const port = process.env.PORT;\n";
    assert.deepEqual(await rulesBrokenBy("config/planted.ts", text), []);
  });
});

describe("a planted violation", () => {
  let folder: string;
  const plant = (files: Record<string, string>): void => {
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(dirname(join(folder, path)), { recursive: true });
      writeFileSync(join(folder, path), text);
    }
  };
  const copyFromRoot = (name: string): void => cpSync(join(ROOT, name), join(folder, name));
  before(() => {
    folder = mkdtempSync(join(tmpdir(), "boxoffice-checks-"));
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  it("of the import rule makes dependency-cruiser fail, one for each boundary", async () => {
    copyFromRoot(".dependency-cruiser.cjs");
    copyFromRoot("tsconfig.json");
    const imports = {
      "domain-is-pure": ["domain/a.ts", "../lib/target.ts"],
      "lib-knows-no-feature": ["lib/b.ts", "../services/api/target.ts"],
      "mixins-know-no-service": ["mixins/c.ts", "../services/api/target.ts"],
      "services-meet-on-the-bus": ["services/auth/d.ts", "../api/target.ts"],
      "only-main-imports-services": ["tools/e.ts", "../services/api/target.ts"],
      "production-imports-no-tools": ["services/api/f.ts", "../../tools/target.ts"],
      "tools-import-no-command": ["tools/g.ts", "../cli/target.ts"],
      "web-app-talks-http-only": ["public/h.ts", "../lib/target.ts"],
    } as const;
    const targets = ["lib/target.ts", "services/api/target.ts", "tools/target.ts", "cli/target.ts"];
    plant(Object.fromEntries(targets.map((path) => [path, "export {};\n"])));
    plant(
      Object.fromEntries(
        Object.values(imports).map(([path, target]) => [path, `export * from "${target}";\n`]),
      ),
    );
    plant({ "lib/one.ts": 'import "./two.ts";\n', "lib/two.ts": 'import "./one.ts";\n' });
    const rooms = ["domain", "lib", "mixins", "services", "tools", "cli", "public"];
    const { code, output } = await run("depcruise", ["--config", "--", ...rooms], folder);
    assert.notEqual(code, 0);
    for (const rule of [...Object.keys(imports), "no-circular"])
      assert.match(output, new RegExp(`error ${rule}:`), rule);
  });

  it("of an unused file and an unused export makes knip fail", async () => {
    copyFromRoot("knip.json");
    plant({
      "package.json": '{ "name": "planted", "type": "module" }\n',
      "main.ts": 'import { used } from "./lib/parts.ts";\nused();\n',
      "lib/parts.ts": "export const used = (): void => undefined;\nexport const unused = 1;\n",
      "lib/forgotten.ts": "export {};\n",
    });
    const { code, output } = await run("knip", ["--no-config-hints"], folder);
    assert.notEqual(code, 0);
    assert.match(output, /lib\/forgotten\.ts/);
    assert.match(output, /unused\s+lib\/parts\.ts/);
  });

  it("of Markdown's rules makes markdownlint fail", async () => {
    copyFromRoot(".markdownlint-cli2.jsonc");
    plant({
      "long.md": `# Title\n\n${"word ".repeat(30)}\n`,
      "skipped.md": "# Title\n\n### Third\n",
    });
    const { code, output } = await run("markdownlint-cli2", ["*.md"], folder);
    assert.notEqual(code, 0);
    assert.match(output, /long\.md:3.* MD013/);
    assert.match(output, /skipped\.md:3.* MD001/);
  });
});

it("npm test runs every static check", () => {
  const programs = CHECKS.map(({ name }) => name);
  for (const name of ["tsc", "eslint", "prettier", "depcruise", "knip", "markdownlint-cli2"])
    assert.ok((programs as string[]).includes(name), name);
});
