// One configuration for the three runtimes. A `*.test.ts` file runs on each of them, with `sansws`
// resolved to the sources; a `*.node.test.ts` file runs from Node only, because it starts runtimes,
// browsers or tools itself. Forked processes are the one pool that works on Node, Deno and Bun
// alike.

import process from "node:process";
import { fileURLToPath } from "node:url";
import type { TestProjectInlineConfiguration, ViteUserConfig } from "vitest/config";

const onNode = process.versions["bun"] === undefined && process.versions["deno"] === undefined;
const source = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

// These files leave nothing behind, so they share a worker: that saves a process for each file.
const portable: TestProjectInlineConfiguration = {
  extends: true,
  test: {
    name: "portable",
    include: ["test/**/*.test.ts"],
    exclude: ["test/**/*.node.test.ts"],
    isolate: false,
    testTimeout: 20_000,
  },
};

const node: TestProjectInlineConfiguration = {
  extends: true,
  test: {
    name: "node",
    include: ["test/**/*.node.test.ts"],
    testTimeout: 120_000,
    hookTimeout: 120_000,
  },
};

const config: ViteUserConfig = {
  resolve: {
    alias: [
      { find: /^sansws$/, replacement: source("adapters/mod.ts") },
      { find: /^sansws\/core$/, replacement: source("core/mod.ts") },
      {
        find: /^sansws\/(node|deno|bun|reconnecting)$/,
        replacement: `${source("adapters")}/$1.ts`,
      },
    ],
  },
  test: {
    pool: "forks",
    projects: onNode ? [portable, node] : [portable],
    // The core alone, which its own tests, its simulation and its fuzzers must reach all of: see
    // `npm run coverage`.
    coverage: {
      provider: "v8",
      include: ["core/**/*.ts"],
      exclude: ["test/**"],
      reporter: ["text", "json-summary"],
      thresholds: { 100: true },
    },
  },
};

export default config;
