// What both ends of the opening handshake share: the options, and the connection that follows.

import { Connection, type ConnectionOptions } from "../connection.ts";
import type { DeflateOptions, DeflateParams, GivenDeflateOptions } from "../deflate/negotiate.ts";
import { resolveDeflate } from "../deflate/negotiate.ts";
import { MessageDeflate } from "../deflate/transform.ts";
import type { HandshakeError } from "../errors.ts";
import type { HeaderFields } from "../http/fields.ts";
import type { Limits, Timeouts } from "../limits.ts";
import { refuseUnknown, resolveLimits, resolveTimeouts } from "../limits.ts";

/** How a handshake, and the connection that follows, is set up. */
export interface HandshakeOptions extends Omit<ConnectionOptions, "role" | "deflate"> {
  /** Offers or accepts permessage-deflate (RFC 7692). Default: no extension is used. */
  readonly deflate?: GivenDeflateOptions | undefined;
  /**
   * The value of Date in a server's answers, such as `() => new Date().toUTCString()`. Default:
   * none, as RFC 9110 §6.6.1 asks of a server without a clock.
   */
  readonly date?: (() => string) | undefined;
}

/** {@linkcode HandshakeOptions} that are checked and complete. */
export interface ResolvedOptions extends HandshakeOptions {
  readonly limits: Limits;
  readonly timeouts: Timeouts;
  readonly deflate: DeflateOptions | undefined;
}

const NAMES = ["limits", "timeouts", "messages", "text", "chunks", "output", "deflate", "date"];

// A server gives the same options to all its handshakes: they are checked once.
const resolved = new WeakMap<HandshakeOptions, ResolvedOptions>();

/**
 * The options in force; `otherNames` are legal besides those of all handshakes.
 * @throws {UsageError} for an unknown name or an illegal value
 */
export function resolveOptions(
  given: HandshakeOptions,
  otherNames: readonly string[] = [],
): ResolvedOptions {
  const known = resolved.get(given);
  if (known !== undefined) return known;
  refuseUnknown("handshake", given, [...NAMES, ...otherNames]);
  const limits = resolveLimits(given.limits);
  const timeouts = resolveTimeouts(given.timeouts);
  const deflate = given.deflate && resolveDeflate(given.deflate);
  const options = { ...given, limits, timeouts, deflate };
  resolved.set(given, options);
  return options;
}

/** The end of a successful handshake. */
export interface Opened {
  /** The connection, open (RFC 6455 §4.1, §4.2.2), with the handshake's limits and timeouts. */
  readonly connection: Connection;
  /** The subprotocol in use; empty when there is none (RFC 6455 §1.9). */
  readonly protocol: string;
  /** Sec-WebSocket-Extensions as answered; empty when no extension is in use. */
  readonly extensions: string;
  /** Bytes that came behind the handshake: give them to the connection first. */
  readonly rest: Uint8Array;
  /** Of a client: the fields of the 101 answer. */
  readonly headers?: HeaderFields;
}

/** The handshake failed: exactly once, and last. */
export interface HandshakeFailed {
  /** No event follows. */
  readonly type: "failed";
  /** The broken rule, or the time that ran out. */
  readonly error: HandshakeError;
}

// Connections without an extension share their options: an idle one should hold little.
const plain = new WeakMap<ResolvedOptions, ConnectionOptions>();

/** The connection that both ends agreed on; `params` are those of permessage-deflate. */
export function openConnection(
  role: "client" | "server",
  options: ResolvedOptions,
  params: DeflateParams | undefined,
  now: number,
): Connection {
  if (params !== undefined) {
    const deflate = new MessageDeflate(params, options.deflate!);
    return new Connection({ ...options, role, deflate }, now);
  }
  let shared = plain.get(options);
  if (shared === undefined) plain.set(options, shared = { ...options, role, deflate: undefined });
  return new Connection(shared, now);
}
