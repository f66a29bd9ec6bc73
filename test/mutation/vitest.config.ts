// The tests that are to notice a mutant of core/: those that run in one process and need no network.

import type { ViteUserConfig } from "vitest/config";
import base from "../../vitest.config.ts";

const config: ViteUserConfig = {
  resolve: base.resolve ?? {},
  test: { include: ["test/{core,vectors,sim,fuzz}/**/*.test.ts"], exclude: ["test/**/*.node.test.ts"] },
};

export default config;
