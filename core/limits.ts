// The limits and timeouts of both the handshakes and the connection, their defaults, and the reason
// for each default.
//
// `Infinity` always means "no limit" or "never". Zero is refused: a limit of nothing is a mistake
// more often than a wish.

import { UsageError } from "./errors.ts";

/**
 * Bounds on what a peer can make this endpoint hold. Each is a positive integer or `Infinity` for
 * none.
 */
export interface Limits {
  /**
   * Bytes of one message, after inflating. Default 16 MiB: above what applications send, below what
   * hurts.
   */
  readonly maxMessageSize: number;
  /** Bytes of an HTTP head, all of it. Default 16 KiB, as in Node's own parser. */
  readonly maxHeadSize: number;
  /**
   * Bytes of one line of an HTTP head. Default 8 KiB: room for a large cookie (RFC 9112 §3
   * recommends 8000 for the request line).
   */
  readonly maxLineLength: number;
  /** Fields in an HTTP head. Default 128: browsers behind proxies send about 30. */
  readonly maxFields: number;
  /**
   * Bytes of pongs that may wait in the output. Default 64 KiB, about 500 of the largest; past it
   * only the latest ping is answered, which RFC 6455 §5.5.3 allows.
   */
  readonly maxPendingReplies: number;
}

/** Durations in milliseconds. Each is a positive number or `Infinity` for never. */
export interface Timeouts {
  /** For the whole opening handshake. Default 10 s: a slow mobile link needs two or three. */
  readonly handshake: number;
  /**
   * For the peer's Close frame and the end of the transport, once this side began to close. Default
   * 10 s.
   */
  readonly close: number;
  /**
   * Between keep-alive pings. Default 30 s: middleboxes drop a silent connection after 60 s or
   * more.
   */
  readonly pingInterval: number;
  /** For a sign of life after a keep-alive ping. Default 20 s. */
  readonly pongTimeout: number;
  /**
   * For a message in either direction; pings and pongs do not count. Default `Infinity`: silence is
   * legitimate.
   */
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
 * The limits in force: the defaults with what the caller gave instead.
 *
 * @throws {UsageError} for an unknown name, and for a value that is neither a positive integer nor
 *   `Infinity`
 */
export function resolveLimits(given: Partial<Limits> | undefined): Limits {
  return resolve("limits", DEFAULT_LIMITS, given, true);
}

/**
 * The timeouts in force: the defaults with what the caller gave instead.
 *
 * @throws {UsageError} for an unknown name, and for a value that is not above zero
 */
export function resolveTimeouts(given: Partial<Timeouts> | undefined): Timeouts {
  return resolve("timeouts", DEFAULT_TIMEOUTS, given, false);
}

/**
 * Refuses what is no object, and every property of `given` that is not in `known`, by its full
 * name.
 *
 * @throws {UsageError} naming the option and the ones there are
 */
export function refuseUnknown(scope: string, given: object, known: readonly string[]): void {
  if (given !== Object(given)) {
    throw new UsageError(`${scope} is ${String(given)}; it takes an object`);
  }
  const unknown = Object.keys(given).find((name) => !known.includes(name));
  if (unknown === undefined) return;
  throw new UsageError(`unknown option ${scope}.${unknown}; there are: ${known.join(", ")}`);
}

// Results are passed on, from a server to its handshakes and their connections: each is checked and
// copied only once.
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
  for (
    const [name, value] of Object.entries(given) as [
      keyof T & string,
      T[keyof T & string] | undefined,
    ][]
  ) {
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
  if (!legal) {
    throw new UsageError(
      `${name} is ${value}; it takes a positive ${integer ? "integer" : "number"} or Infinity`,
    );
  }
}
