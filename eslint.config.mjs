import js from "@eslint/js";
import { defineConfig } from "eslint/config";
import tseslint from "typescript-eslint";

/** Code that formatters or generators write. */
const GENERATED = ["node_modules", ".data", "public/dist", "public/src/api/schema.d.ts"];

const READS_ENVIRONMENT = "Ask config/: it is the only reader of the environment.";
const IS_IMPURE = "The rules of domain/ take time and chance as arguments.";

/**
 * Clocks, randomness, timers and I/O that would make a decision depend on more than its arguments.
 */
const IMPURE_GLOBALS = [
  "performance",
  "crypto",
  "process",
  "globalThis",
  "console",
  "fetch",
  "setTimeout",
  "setInterval",
  "setImmediate",
  "queueMicrotask",
  "Atomics",
  "Temporal",
];

export default defineConfig(
  { ignores: GENERATED },
  js.configs.recommended,
  {
    rules: {
      "max-lines": ["error", { max: 300 }],
      // Prettier breaks code; what it cannot break (texts, patterns, addresses) may be longer.
      "max-len": [
        "error",
        {
          code: 100,
          ignoreStrings: true,
          ignoreTemplateLiterals: true,
          ignoreRegExpLiterals: true,
          ignoreUrls: true,
        },
      ],
    },
  },
  {
    files: ["**/*.ts", "**/*.tsx"],
    extends: [tseslint.configs.strictTypeChecked, tseslint.configs.stylisticTypeChecked],
    languageOptions: { parserOptions: { projectService: true } },
    rules: {
      "@typescript-eslint/restrict-template-expressions": [
        "error",
        { allowNumber: true, allowBoolean: true },
      ],
      // node:test registers through promises that the runner itself awaits.
      "@typescript-eslint/no-floating-promises": [
        "error",
        {
          allowForKnownSafeCalls: [
            { from: "package", package: "node:test", name: ["describe", "it", "test"] },
          ],
        },
      ],
      "@typescript-eslint/consistent-type-definitions": "off",
      // Lifecycle hooks of Moleculer and our ports are asynchronous by contract.
      "@typescript-eslint/require-await": "off",
      // Its flow analysis does not see code that runs at an await or in a callback.
      "@typescript-eslint/no-unnecessary-condition": "off",
      "@typescript-eslint/no-confusing-void-expression": [
        "error",
        { ignoreArrowShorthand: true, ignoreVoidReturningFunctions: true },
      ],
      eqeqeq: "error",
      "no-console": "error",
      "no-restricted-properties": [
        "error",
        { object: "process", property: "env", message: READS_ENVIRONMENT },
      ],
      "no-restricted-imports": [
        "error",
        {
          paths: ["process", "node:process"].map((name) => ({
            name,
            importNames: ["env", "default"],
            message: READS_ENVIRONMENT,
          })),
        },
      ],
    },
  },
  {
    files: ["config/**"],
    rules: { "no-restricted-properties": "off" },
  },
  {
    // A language is one file.
    files: ["public/src/locales/*-texts.ts"],
    rules: { "max-lines": "off" },
  },
  {
    files: ["domain/**"],
    rules: {
      "no-restricted-globals": [
        "error",
        ...IMPURE_GLOBALS.map((name) => ({ name, message: IS_IMPURE })),
      ],
      "no-restricted-properties": [
        "error",
        { object: "Math", property: "random", message: IS_IMPURE },
        { object: "Date", property: "now", message: IS_IMPURE },
      ],
      "no-restricted-syntax": [
        "error",
        ...["NewExpression", "CallExpression"].map((call) => ({
          selector: `${call}[callee.name="Date"][arguments.length=0]`,
          message: IS_IMPURE,
        })),
      ],
    },
  },
  {
    files: ["cli/**", "tools/**"],
    rules: { "no-console": "off" },
    languageOptions: { globals: { console: "readonly", process: "readonly" } },
  },
);
