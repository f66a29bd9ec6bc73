/**
 * sansws on Node: `net` and `tls`.
 *
 * @module
 */

import { connectOn, type EntryPoints, serveOn } from "./host/entry.ts";
import { runtime } from "./node/runtime.ts";

/** Starts a server on Node; see {@linkcode EntryPoints.serve}. */
export const serve: EntryPoints["serve"] = /* @__PURE__ */ serveOn(() => runtime);

/** Connects to a server from Node; see {@linkcode EntryPoints.connect}. */
export const connect: EntryPoints["connect"] = /* @__PURE__ */ connectOn(() => runtime);

export * from "./host/mod.ts";
export { attach, AttachedServer, type AttachOptions, type UpgradeMessage } from "./node/attach.ts";
export { pair, type PairOptions, type SocketPair } from "./pair.ts";
export * from "./reconnecting.ts";
