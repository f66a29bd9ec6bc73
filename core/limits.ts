// The limits and timeouts of the handshakes and the connection, and the reason for each default.
// `Infinity` means "no limit" or "never". Zero is refused, because it is usually a mistake.

import { UsageError } from "./errors.ts";

/** Bounds on what a peer can make this endpoint hold: positive integers, `Infinity` for none. */
export interface Limits {
  /** Bytes of one message after inflating. Default 16 MiB: more than applications usually send. */
  readonly maxMessageSize: number;
  /** Bytes of a whole HTTP head. Default 16 KiB, as in Node's own parser. */
  readonly maxHeadSize: number;
  /** Bytes of one line of it. Default 8 KiB, for a large cookie (RFC 9112 §3 recommends 8000). */
  readonly maxLineLength: number;
  /** Fields in an HTTP head. Default 128: browsers behind proxies send about 30. */
  readonly maxFields: number;
  /**
   * Bytes of pongs in the output. Default 64 KiB, about 500 of the largest. Above it, only the
   * latest ping is answered, which RFC 6455 §5.5.3 allows.
   */
  readonly maxPendingReplies: number;
}

/** Durations in milliseconds: positive numbers, `Infinity` for never. */
export interface Timeouts {
  /** The whole opening handshake. Default 10 s: a slow mobile link needs 2-3 s. */
  readonly handshake: number;
  /** From the start of closing to the peer's Close frame and transport end. Default 10 s. */
  readonly close: number;
  /** Between keep-alive pings. Default 30 s: middleboxes drop silent connections from 60 s on. */
  readonly pingInterval: number;
  /** From a keep-alive ping to the next bytes from the peer. Default 20 s. */
  readonly pongTimeout: number;
  /** Without a message either way, not counting pings and pongs. Default `Infinity`. */
  readonly idle: number;
}

/** The defaults of {@linkcode Limits}. */
export const DEFAULT_LIMITS: Limits = {
  maxMessageSize: 16 * 1024 * 1024,
  maxHeadSize: 16 * 1024,
  maxLineLength: 8 * 1024,
  maxFields: 128,
  maxPendingReplies: 64 * 1024,
};

/** The defaults of {@linkcode Timeouts}. */
export const DEFAULT_TIMEOUTS: Timeouts = {
  handshake: 10_000,
  close: 10_000,
  pingInterval: 30_000,
  pongTimeout: 20_000,
  idle: Infinity,
};

/**
 * The defaults, replaced by the limits that are given.
 * @throws {UsageError} for an unknown name, and unless a value is a positive integer or `Infinity`
 */
export function resolveLimits(given: Partial<Limits> | undefined): Limits {
  return resolve("limits", DEFAULT_LIMITS, given, true);
}

/**
 * The defaults, replaced by the timeouts that are given.
 * @throws {UsageError} for an unknown name, and for a value that is not above zero
 */
export function resolveTimeouts(given: Partial<Timeouts> | undefined): Timeouts {
  return resolve("timeouts", DEFAULT_TIMEOUTS, given, false);
}

/**
 * Checks that `given` is an object and all its properties are `known`.
 * @throws {UsageError} with the full name of the unknown option, and the known names
 */
export function refuseUnknown(scope: string, given: object, known: readonly string[]): void {
  if (given !== Object(given)) {
    throw new UsageError(`${scope} is ${String(given)}; it takes an object`);
  }
  const unknown = Object.keys(given).find((name) => !known.includes(name));
  if (unknown === undefined) return;
  throw new UsageError(`unknown option ${scope}.${unknown}; there are: ${known.join(", ")}`);
}

// A server passes its options on to handshakes and connections: check and copy them only once.
const resolved = new WeakSet<object>([DEFAULT_LIMITS, DEFAULT_TIMEOUTS]);

function resolve<T extends { readonly [K in keyof T]: number; }>(
  scope: string,
  defaults: T,
  given: Partial<T> | undefined,
  integer: boolean,
): T {
  if (given === undefined) return defaults;
  if (resolved.has(given)) return given as T;
  refuseUnknown(scope, given, Object.keys(defaults));
  const result = { ...defaults };
  for (const name of Object.keys(given) as (keyof T & string)[]) {
    const value = given[name];
    if (value === undefined) continue;
    requirePositive(`${scope}.${name}`, value, integer);
    result[name] = value;
  }
  resolved.add(result);
  return result;
}

function requirePositive(name: string, value: unknown, integer: boolean): void {
  const legal = typeof value === "number" && value > 0
    && (value === Infinity || !integer || Number.isInteger(value));
  if (legal) return;
  const kind = integer ? "integer" : "number";
  throw new UsageError(`${name} is ${value}; it takes a positive ${kind} or Infinity`);
}
