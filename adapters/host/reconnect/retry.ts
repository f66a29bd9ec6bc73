// Whether, and when, to connect again after a connection ended. Pure decisions: times and random
// numbers in, delays out; reconnecting.ts has the timer.
//
// Delays are exponential with full jitter: a random part of a bound that doubles. Without it all
// clients would come back at the same moment after an outage.

import { type ClosedEvent, HandshakeError, UsageError } from "../../../core/mod.ts";
import {
  callable,
  type Check,
  type Checks,
  members,
  number,
  takes,
  withDefaults,
} from "../check.ts";

/** How an attempt ended: its open socket was closed, or it never had one. */
export type AttemptEnd =
  | { readonly closed: ClosedEvent; readonly error?: undefined; }
  | { readonly closed?: undefined; readonly error: unknown; };

/** When to try again; times are in milliseconds. */
export interface RetryOptions {
  /** The bound of the first delay. Default 1000. */
  readonly initialDelay: number;
  /** The largest bound of a delay, and of a Retry-After. Default 30 000. */
  readonly maxDelay: number;
  /** The bound is multiplied by this after each attempt. Default 2. */
  readonly factor: number;
  /** The most attempts without a stable connection. Default `Infinity`. */
  readonly maxAttempts: number;
  /** A connection open for this time is stable: counting begins anew. Default 10 000. */
  readonly stableAfter: number;
  /** Close codes that end the reconnecting. Default 1000, 1002, 1003, 1007-1010, 3000 and 3003. */
  readonly terminalCodes: readonly number[];
  /** Statuses of a refusal that end it. Default 400-499 except 408, 425 and 429: try again. */
  readonly terminalStatuses: readonly number[];
  /** Decides first: `true` tries again, `false` ends it, `undefined` leaves it to the options. */
  readonly shouldRetry: ((end: AttemptEnd, attempt: number) => boolean | undefined) | undefined;
}

// 1000: the server is done. 1002, 1003, 1007-1010: what was sent is wrong, and will be again. 3000,
// 3003: not for this client.
const TERMINAL_CODES: readonly number[] = [1000, 1002, 1003, 1007, 1008, 1009, 1010, 3000, 3003];

// RFC 9110 §15.5.9, RFC 8470 §5.2, RFC 6585 §4
const TEMPORARY_STATUSES: readonly number[] = [408, 425, 429];

const CLIENT_ERRORS = Array.from({ length: 100 }, (_, i) => 400 + i);

const DEFAULTS: RetryOptions = {
  initialDelay: 1000,
  maxDelay: 30_000,
  factor: 2,
  maxAttempts: Infinity,
  stableAfter: 10_000,
  terminalCodes: TERMINAL_CODES,
  terminalStatuses: CLIENT_ERRORS.filter((status) => !TEMPORARY_STATUSES.includes(status)),
  shouldRetry: undefined,
};

const integers = takes("an array of integers", (value) => {
  return Array.isArray(value) && value.every(Number.isInteger);
});

const RETRY: Checks<RetryOptions> = {
  initialDelay: number(0),
  maxDelay: number(0),
  factor: number(1),
  maxAttempts: number(1),
  stableAfter: number(0),
  terminalCodes: integers,
  terminalStatuses: integers,
  shouldRetry: callable,
};

/** When to try again. */
export const retry: Check = members(RETRY);

/** The options in force; what is `undefined` has its default. */
export function resolveRetry(given: Partial<RetryOptions> = {}): RetryOptions {
  const shouldRetry = given.shouldRetry?.bind(given);
  return { ...withDefaults(DEFAULTS, given), shouldRetry };
}

/** Counts attempts, and decides after each. */
export class RetryPolicy {
  /** The number of the current or last attempt. */
  attempt = 0;
  readonly #options: RetryOptions;
  readonly #random: () => number;
  #openedAt = Infinity;

  /** `random` returns numbers from 0 to 1, as `Math.random` does. */
  constructor(options: RetryOptions, random: () => number) {
    this.#options = options;
    this.#random = random;
  }

  /** An attempt begins; returns its number. */
  begin(): number {
    this.#openedAt = Infinity;
    return ++this.attempt;
  }

  /** The attempt has led to an open socket. */
  opened(now: number): void {
    this.#openedAt = now;
  }

  /** The attempt, or its socket, ended. Returns the delay of the next one, if there is one. */
  ended(end: AttemptEnd, now: number): number | undefined {
    const { stableAfter, maxAttempts } = this.#options;
    if (now - this.#openedAt >= stableAfter) this.attempt = 0;
    if (!this.#wants(end) || this.attempt >= maxAttempts) return undefined;
    return this.#delay() + this.#retryAfter(end);
  }

  #wants(end: AttemptEnd): boolean {
    const { shouldRetry, terminalCodes, terminalStatuses } = this.#options;
    if (end.error instanceof UsageError) return false;
    const answer = shouldRetry?.(end, this.attempt);
    if (answer !== undefined) return answer;
    if (end.closed !== undefined) return !terminalCodes.includes(end.closed.code);
    const status = end.error instanceof HandshakeError ? end.error.answer?.status : undefined;
    return status === undefined || !terminalStatuses.includes(status);
  }

  #delay(): number {
    const { initialDelay, maxDelay, factor } = this.#options;
    const bound = Math.min(maxDelay, initialDelay * factor ** Math.max(this.attempt - 1, 0));
    return Math.round(this.#random() * bound);
  }

  // RFC 9110 §10.2.3. Added to the delay, so that not all clients come back when it has passed.
  #retryAfter({ error }: AttemptEnd): number {
    if (!(error instanceof HandshakeError) || error.answer === undefined) return 0;
    const seconds = error.answer.headers.get("retry-after") ?? "";
    return /^\d+$/.test(seconds) ? Math.min(Number(seconds) * 1000, this.#options.maxDelay) : 0;
  }
}
