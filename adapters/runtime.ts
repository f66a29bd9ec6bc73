// The runtime that this is, found when it is first needed: not every registry has the conditions of
// a package manager.

import { connectOn, type EntryPoints, serveOn } from "./host/entry.ts";
import type { Runtime } from "./host/transport.ts";

// Deno and Bun look like Node to most questions, so they are asked for first.
async function load(): Promise<Runtime> {
  if ("Deno" in globalThis) return (await import("./deno/runtime.ts")).runtime;
  if ("Bun" in globalThis) return (await import("./bun/runtime.ts")).runtime;
  return (await import("./node/runtime.ts")).runtime;
}

/** Starts a server; see {@linkcode EntryPoints.serve}. */
export const serve: EntryPoints["serve"] = /* @__PURE__ */ serveOn(load);

/** Connects to a server; see {@linkcode EntryPoints.connect}. */
export const connect: EntryPoints["connect"] = /* @__PURE__ */ connectOn(load);
