// Against cross-site WebSocket hijacking (RFC 6455 §10.2): browsers send cookies along with a
// WebSocket whatever page opens it, and only the Origin tells which page that is.

import type { UpgradeRequest } from "../../../core/mod.ts";
import type { Reject } from "./upgrade.ts";

/** How {@linkcode allowOrigins} treats what is not in the list. */
export interface OriginOptions {
  /**
   * Lets in clients that send no Origin, as most that are not browsers. Default true: they could
   * send any.
   */
  readonly allowMissing?: boolean | undefined;
}

/**
 * A check of the Origin for the upgrade hook: `undefined` for a request that may pass, 403 for any
 * other.
 *
 * @param origins such as `"https://example.com"`: scheme, host and, where it is not the default
 *   one, port; compared exactly
 */
export function allowOrigins(
  origins: Iterable<string>,
  options: OriginOptions = {},
): (request: Pick<UpgradeRequest, "origin">) => Reject | undefined {
  const allowed = new Set(Array.from(origins, (origin) => new URL(origin).origin));
  const allowMissing = options.allowMissing ?? true;
  return ({ origin }) => {
    if (origin === undefined ? allowMissing : allowed.has(origin)) return undefined;
    return { status: 403, body: "this origin is not allowed\n" };
  };
}
