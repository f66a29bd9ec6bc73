// The options that `serve` and `connect` share, and how they become the core's: every name is
// checked, and what is given as `true` becomes an object.

import { resolveDeflate } from "../../core/deflate/negotiate.ts";
import { refuseUnknown, resolveLimits, resolveTimeouts } from "../../core/limits.ts";
import type {
  Delivery,
  GivenDeflateOptions,
  HandshakeOptions,
  Limits,
  Timeouts,
} from "../../core/mod.ts";
import { DEFAULT_LIMITS, DEFAULT_TIMEOUTS, UsageError } from "../../core/mod.ts";
import type { Backpressure, Handlers } from "./socket/handlers.ts";
import type { Runtime } from "./transport.ts";

/** Options of permessage-deflate; `codec` replaces the one that comes with the library. */
export type DeflateChoice = boolean | Partial<GivenDeflateOptions>;

/** What a server and a client can be told alike. */
export interface CommonOptions {
  /** Bounds on what a peer can make this side hold. */
  readonly limits?: Partial<Limits> | undefined;
  /** How long to wait for what, in milliseconds. */
  readonly timeouts?: Partial<Timeouts> | undefined;
  /** permessage-deflate (RFC 7692). Default off. */
  readonly deflate?: DeflateChoice | undefined;
  /**
   * `"bytes"` hands text messages over as checked UTF-8, for those who forward or parse them.
   * Default `"string"`.
   */
  readonly text?: "string" | "bytes" | undefined;
  /** How much may wait for a peer that does not read. */
  readonly backpressure?: Partial<Backpressure> | undefined;
}

export const COMMON_NAMES: readonly string[] = [
  "limits",
  "timeouts",
  "deflate",
  "text",
  "backpressure",
];

export const HANDLER_NAMES: readonly (keyof Handlers)[] = [
  "open",
  "message",
  "piece",
  "drain",
  "ping",
  "pong",
  "closing",
  "close",
  "error",
];

/** Of a server. */
export const SERVER_BACKPRESSURE: Backpressure = {
  maxBufferedAmount: 16 * 1024 * 1024,
  onOverflow: "close",
  readWhileBlocked: false,
};

/** Of a client: if both ends waited for the other to read, neither ever would. */
export const CLIENT_BACKPRESSURE: Backpressure = { ...SERVER_BACKPRESSURE, readWhileBlocked: true };

/**
 * The backpressure in force: the defaults with what the caller gave instead.
 *
 * @throws {UsageError} for an unknown name or an illegal value
 */
export function resolveBackpressure(
  defaults: Backpressure,
  given: Partial<Backpressure> = {},
): Backpressure {
  refuseUnknown("backpressure", given, Object.keys(defaults));
  const { maxBufferedAmount, onOverflow, readWhileBlocked } = { ...defaults, ...given };
  if (!(maxBufferedAmount > 0)) {
    throw new UsageError(
      `backpressure.maxBufferedAmount is ${maxBufferedAmount}; it takes a positive number or Infinity`,
    );
  }
  if (onOverflow !== "close" && onOverflow !== "drop") {
    throw new UsageError(
      `backpressure.onOverflow is ${JSON.stringify(onOverflow)}; it takes "close" or "drop"`,
    );
  }
  return { maxBufferedAmount, onOverflow, readWhileBlocked };
}

/**
 * The core's options for a handshake and its connection.
 *
 * @throws {UsageError} for an unknown name or an illegal value
 */
export function handshakeOptions(
  runtime: Runtime,
  options: CommonOptions & Pick<Handlers, "piece">,
): HandshakeOptions {
  const { deflate } = options;
  const messages: Delivery["messages"] = options.piece === undefined ? "whole" : "pieces";
  if (options.text !== undefined && options.text !== "string" && options.text !== "bytes") {
    throw new UsageError(`text is ${JSON.stringify(options.text)}; it takes "string" or "bytes"`);
  }
  // Resolved here already: a handshake, which does it too, is the wrong place to hear of a wrong
  // option.
  const compression = deflate
    && resolveDeflate({ codec: runtime.deflate, ...deflate === true ? {} : deflate });
  return {
    limits: resolveLimits(options.limits ?? DEFAULT_LIMITS),
    timeouts: resolveTimeouts(options.timeouts ?? DEFAULT_TIMEOUTS),
    messages,
    text: options.text,
    chunks: runtime.chunks,
    deflate: compression || undefined,
    sha1: runtime.sha1,
  };
}

/** The handlers among the options, as an object of their own. */
export function pickHandlers<Data>(options: Handlers<Data>): Handlers<Data> {
  const handlers: Handlers<Data> = {};
  for (const name of HANDLER_NAMES) {
    const handler = options[name];
    if (handler === undefined) continue;
    if (typeof handler !== "function") throw new UsageError(`${name} must be a function`);
    Object.assign(handlers, { [name]: handler.bind(options) });
  }
  return handlers;
}
