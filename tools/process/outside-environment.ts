import { type Environment, processEnvironment, VARIABLES } from "../../config/index.ts";

/**
 * Returns the environment for another engine or its tests: without the variables of the person's
 * own engine, of npm, and of the test runner.
 */
export function outsideEnvironment(): Environment {
  const all = Object.entries(processEnvironment());
  return Object.fromEntries(
    all.filter(([name]) => !(name in VARIABLES) && !/^npm_|^NODE_TEST/.test(name)),
  );
}
