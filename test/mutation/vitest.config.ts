// The tests that are to notice a mutant of core/: those that `MUTATION_TESTS` names, below
// test/core. They leave nothing behind, so they share a worker, which is a new one for every
// mutant.

import process from "node:process";
import type { ViteUserConfig } from "vitest/config";
import base from "../../vitest.config.ts";

const tests = (process.env["MUTATION_TESTS"] ?? "**/*").split(" ");

const config: ViteUserConfig = {
  resolve: base.resolve ?? {},
  test: {
    include: tests.map((name) => `test/core/${name}.test.ts`),
    exclude: ["test/**/*.node.test.ts"],
    isolate: false,
  },
};

export default config;
