// The options that `serve` and `connect` share, and how they become the core's: every name is
// checked, and `true` becomes an object.

import {
  type Delivery,
  refuseUnknown,
  resolveDeflate,
  resolveLimits,
  resolveTimeouts,
} from "../../core/internal.ts";
import type { GivenDeflateOptions, HandshakeOptions, Limits, Timeouts } from "../../core/mod.ts";
import { DEFAULT_LIMITS, DEFAULT_TIMEOUTS, UsageError } from "../../core/mod.ts";
import type { SocketHandlers } from "./socket/handlers.ts";
import type { Backpressure } from "./socket/session.ts";
import type { Runtime } from "./transport.ts";

/** Options of permessage-deflate; `codec` replaces the one that comes with the library. */
export type DeflateChoice = boolean | Partial<GivenDeflateOptions>;

/** Options that servers and clients share. */
export interface CommonOptions {
  /** Bounds on what a peer can make this end hold. */
  readonly limits?: Partial<Limits> | undefined;
  /** How long to wait for what, in milliseconds. */
  readonly timeouts?: Partial<Timeouts> | undefined;
  /** permessage-deflate (RFC 7692). Default off. */
  readonly deflate?: DeflateChoice | undefined;
  /** `"bytes"` gives text messages as checked UTF-8, to forward or parse. Default `"string"`. */
  readonly text?: "string" | "bytes" | undefined;
  /** How much may wait for a peer that does not read. */
  readonly backpressure?: Partial<Backpressure> | undefined;
}

/** The names of {@linkcode CommonOptions}. */
export const COMMON_NAMES: readonly string[] = [
  "limits",
  "timeouts",
  "deflate",
  "text",
  "backpressure",
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
    const takes = "it takes a positive number or Infinity";
    throw new UsageError(`backpressure.maxBufferedAmount is ${maxBufferedAmount}; ${takes}`);
  }
  if (onOverflow !== "close" && onOverflow !== "drop") {
    const value = JSON.stringify(onOverflow);
    throw new UsageError(`backpressure.onOverflow is ${value}; it takes "close" or "drop"`);
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
  options: CommonOptions & Pick<SocketHandlers<never>, "piece">,
): HandshakeOptions {
  const { deflate, text } = options;
  const messages: Delivery["messages"] = options.piece === undefined ? "whole" : "pieces";
  if (text !== undefined && text !== "string" && text !== "bytes") {
    throw new UsageError(`text is ${JSON.stringify(text)}; it takes "string" or "bytes"`);
  }
  // Resolved here already: a wrong option should be refused before there is a transport.
  const compression = deflate
    && resolveDeflate({ codec: runtime.deflate, ...deflate === true ? {} : deflate });
  return {
    limits: resolveLimits(options.limits ?? DEFAULT_LIMITS),
    timeouts: resolveTimeouts(options.timeouts ?? DEFAULT_TIMEOUTS),
    messages,
    text,
    chunks: runtime.chunks,
    output: "shared",
    deflate: compression || undefined,
    date: httpDate,
  };
}

let dateSecond = 0;
let date = "";

/** The time as HTTP writes it (RFC 9110 §5.6.7), made once a second. */
function httpDate(): string {
  const second = Math.trunc(Date.now() / 1000);
  if (second !== dateSecond) {
    dateSecond = second;
    date = new Date(second * 1000).toUTCString();
  }
  return date;
}

/** @throws {UsageError} naming the first of `names` that is given, and the runtime that lacks it */
export function refuseOptions(
  runtime: string,
  scope: string,
  options: object,
  names: readonly string[],
  where: string = "",
): void {
  const given = options as Readonly<Record<string, unknown>>;
  const name = names.find((name) => given[name] !== undefined);
  if (name === undefined) return;
  throw new UsageError(`${runtime} has no support for ${scope}.${name}${where}`);
}
