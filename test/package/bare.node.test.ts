// The core in a place that has the language and the three globals it names, and nothing else: no process, no Buffer, no
// URL, no timers, no console. Whatever else it touched would be a ReferenceError or an undefined property here.

import { build } from "esbuild";
import { join } from "node:path";
import { createContext, runInContext } from "node:vm";
import { expect, it } from "vitest";
import { root } from "./tarball.ts";

it("core runs in a bare V8 context", async () => {
  const { outputFiles } = await build({
    entryPoints: [join(root, "core/mod.ts")],
    bundle: true,
    format: "iife",
    globalName: "core",
    write: false,
  });
  const context = createContext({ TextEncoder, TextDecoder, crypto });
  runInContext(outputFiles.map((file) => file.text).join(""), context);
  const accept: unknown = await runInContext(`core.acceptKey("dGhlIHNhbXBsZSBub25jZQ==")`, context);
  expect(accept).toBe("s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
});
