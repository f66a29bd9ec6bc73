/**
 * sansws on Bun: `Bun.listen` and `Bun.connect`.
 *
 * @module
 */

import { runtime } from "./bun/runtime.ts";
import { connectOn, type EntryPoints, serveOn } from "./host/entry.ts";

/** Starts a server on Bun; see {@linkcode EntryPoints.serve}. */
export const serve: EntryPoints["serve"] = /* @__PURE__ */ serveOn(() => runtime);

/** Connects to a server from Bun; see {@linkcode EntryPoints.connect}. */
export const connect: EntryPoints["connect"] = /* @__PURE__ */ connectOn(() => runtime);

export * from "./host/mod.ts";
export { pair, type PairOptions, type SocketPair } from "./pair.ts";
export * from "./reconnecting.ts";
