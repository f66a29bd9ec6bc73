/**
 * sansws on Deno: `Deno.listen`, `Deno.listenTls`, `Deno.connect` and `Deno.connectTls`.
 *
 * @module
 */

import { runtime } from "./deno/runtime.ts";
import { connectOn, type EntryPoints, serveOn } from "./host/entry.ts";

/** Starts a server on Deno; see {@linkcode EntryPoints.serve}. */
export const serve: EntryPoints["serve"] = /* @__PURE__ */ serveOn(() => runtime);

/** Connects to a server from Deno; see {@linkcode EntryPoints.connect}. */
export const connect: EntryPoints["connect"] = /* @__PURE__ */ connectOn(() => runtime);

export * from "./host/mod.ts";
export { pair, type PairOptions, type SocketPair } from "./pair.ts";
export * from "./reconnecting.ts";
