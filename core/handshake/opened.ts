// What both sides of the opening handshake share: the options that outlive it, and the connection
// it ends in.

import { Connection, type ConnectionOptions } from "../connection.ts";
import type { DeflateOptions, DeflateParams, GivenDeflateOptions } from "../deflate/negotiate.ts";
import { resolveDeflate } from "../deflate/negotiate.ts";
import { MessageDeflate } from "../deflate/transform.ts";
import type { Limits, Timeouts } from "../limits.ts";
import { refuseUnknown, resolveLimits, resolveTimeouts } from "../limits.ts";
import type { SyncDigest } from "./accept.ts";

/** How a handshake, and the connection it opens, is set up. */
export interface HandshakeOptions extends Omit<ConnectionOptions, "role" | "deflate"> {
  /** Offers or accepts permessage-deflate (RFC 7692); without it no extension is used. */
  readonly deflate?: GivenDeflateOptions | undefined;
  /** A synchronous SHA-1 to use instead of Web Crypto's: from text to base64. */
  readonly sha1?: SyncDigest | undefined;
}

/** {@linkcode HandshakeOptions} that are checked, and complete. */
export interface ResolvedOptions extends HandshakeOptions {
  readonly limits: Limits;
  readonly timeouts: Timeouts;
  readonly deflate: DeflateOptions | undefined;
}

const HANDSHAKE_OPTIONS: readonly string[] = [
  "limits",
  "timeouts",
  "messages",
  "text",
  "chunks",
  "deflate",
  "sha1",
];

// A server gives the same options to all its handshakes: they are checked once.
const resolved = new WeakMap<HandshakeOptions, ResolvedOptions>();

/**
 * The options in force; `otherNames` are legal besides those of all handshakes.
 *
 * @throws {UsageError} for an unknown name or an illegal value
 */
export function resolveOptions(
  given: HandshakeOptions,
  otherNames: readonly string[] = [],
): ResolvedOptions {
  const known = resolved.get(given);
  if (known !== undefined) return known;
  refuseUnknown("handshake", given, [...HANDSHAKE_OPTIONS, ...otherNames]);
  const limits = resolveLimits(given.limits);
  const timeouts = resolveTimeouts(given.timeouts);
  const options = {
    ...given,
    limits,
    timeouts,
    deflate: given.deflate && resolveDeflate(given.deflate),
  };
  resolved.set(given, options);
  return options;
}

/** The end of a successful handshake. */
export interface Opened {
  /**
   * The connection, open as of RFC 6455 §4.1 or §4.2.2, with the handshake's limits, timeouts and
   * agreement on compression.
   */
  readonly connection: Connection;
  /** The subprotocol in use; empty when there is none (RFC 6455 §1.9). */
  readonly protocol: string;
  /** The value of Sec-WebSocket-Extensions in the answer; empty when no extension is in use. */
  readonly extensions: string;
  /** Bytes that came with the handshake: the first the connection is to receive. */
  readonly rest: Uint8Array;
}

/**
 * The connection that both sides agreed on; `params` is what they agreed on about
 * permessage-deflate.
 */
export function openConnection(
  role: "client" | "server",
  options: ResolvedOptions,
  params: DeflateParams | undefined,
  now: number,
): Connection {
  const { limits, timeouts, messages, text, chunks } = options;
  const deflate = params && new MessageDeflate(params, options.deflate!);
  return new Connection({ role, limits, timeouts, messages, text, chunks, deflate }, now);
}
