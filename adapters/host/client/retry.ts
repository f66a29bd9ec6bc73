// Whether, and when, a connection that ended is tried again. Pure decisions: times and chance come
// in, a delay goes out.
//
// The delays are exponential with full jitter: a random part of a bound that doubles. After an
// outage all clients would otherwise come back at the same moment.

import { refuseUnknown } from "../../../core/limits.ts";
import { type ClosedEvent, HandshakeError, HeaderFields, UsageError } from "../../../core/mod.ts";

/** How an attempt ended: its socket was open, and was closed; or there never was one. */
export type AttemptEnd =
  | { readonly closed: ClosedEvent; readonly error?: undefined; }
  | { readonly closed?: undefined; readonly error: unknown; };

/** When to try again; times are in milliseconds. */
export interface RetryOptions {
  /** The bound of the first delay. Default 1000. */
  readonly initialDelay: number;
  /** What the bound of a delay grows to. Default 30 000. */
  readonly maxDelay: number;
  /** What the bound is multiplied by after each attempt. Default 2. */
  readonly factor: number;
  /** How many attempts without a stable connection there are. Default `Infinity`. */
  readonly maxAttempts: number;
  /**
   * How long a connection must be open to be called stable, which begins the counting anew. Default
   * 10 000.
   */
  readonly stableAfter: number;
  /** Close codes that end it all. Default: those that would come again. */
  readonly terminalCodes: readonly number[];
  /**
   * Statuses of a refused handshake that end it all. Default: 400-499 but 408, 425 and 429, which
   * ask for another attempt.
   */
  readonly terminalStatuses: readonly number[];
  /**
   * Decides before all of this: `true` tries again, `false` ends it, `undefined` leaves it to the
   * other options.
   */
  readonly shouldRetry: ((end: AttemptEnd, attempt: number) => boolean | undefined) | undefined;
}

// 1000: the server is done. 1002, 1003, 1007-1010: what was sent is wrong, and will be again. 3000,
// 3003: not for this client.
const TERMINAL_CODES: readonly number[] = [1000, 1002, 1003, 1007, 1008, 1009, 1010, 3000, 3003];

// RFC 9110 §15.5.9, RFC 8470 §5.2, RFC 6585 §4
const TEMPORARY_STATUSES: readonly number[] = [408, 425, 429];

const DEFAULTS: RetryOptions = {
  initialDelay: 1000,
  maxDelay: 30_000,
  factor: 2,
  maxAttempts: Infinity,
  stableAfter: 10_000,
  terminalCodes: TERMINAL_CODES,
  terminalStatuses: Array.from({ length: 100 }, (_, i) => 400 + i).filter((status) =>
    !TEMPORARY_STATUSES.includes(status)
  ),
  shouldRetry: undefined,
};

/** The least legal value of each number. */
const LEAST: Readonly<Record<string, number>> = {
  initialDelay: 0,
  maxDelay: 0,
  factor: 1,
  maxAttempts: 1,
  stableAfter: 0,
};

/**
 * The options in force.
 *
 * @throws {UsageError} for an unknown name or an illegal value
 */
export function resolveRetry(given: Partial<RetryOptions> = {}): RetryOptions {
  refuseUnknown("retry", given, Object.keys(DEFAULTS));
  const options = { ...DEFAULTS, ...given };
  for (const [name, least] of Object.entries(LEAST)) {
    const value = options[name as keyof RetryOptions];
    if (!(typeof value === "number" && value >= least)) {
      throw new UsageError(`retry.${name} is ${value}; it takes a number from ${least} on`);
    }
  }
  return options;
}

/** Counts attempts, and decides after each. */
export class RetryPolicy {
  /** The number of the attempt that is under way, or was the last. */
  attempt = 0;
  readonly #options: RetryOptions;
  readonly #random: () => number;
  #openedAt = Infinity;

  /** `random` gives numbers from 0 to 1, as `Math.random` does. */
  constructor(options: RetryOptions, random: () => number) {
    this.#options = options;
    this.#random = random;
  }

  /** An attempt begins. */
  begin(): number {
    this.#openedAt = Infinity;
    return ++this.attempt;
  }

  /** The attempt has led to an open socket. */
  opened(now: number): void {
    this.#openedAt = now;
  }

  /**
   * The attempt, or its socket, has ended: how long to wait for the next; `undefined` when there is
   * none.
   */
  ended(end: AttemptEnd, now: number): number | undefined {
    const { stableAfter, maxAttempts } = this.#options;
    if (now - this.#openedAt >= stableAfter) this.attempt = 0;
    if (!this.#wants(end) || this.attempt >= maxAttempts) return undefined;
    return this.#delay() + this.#asked(end);
  }

  #wants(end: AttemptEnd): boolean {
    const { shouldRetry, terminalCodes, terminalStatuses } = this.#options;
    if (end.error instanceof UsageError) return false;
    const answer = shouldRetry?.(end, this.attempt);
    if (answer !== undefined) return answer;
    if (end.closed !== undefined) return !terminalCodes.includes(end.closed.code);
    const status = statusOf(end.error);
    return status === undefined || !terminalStatuses.includes(status);
  }

  #delay(): number {
    const { initialDelay, maxDelay, factor } = this.#options;
    const bound = Math.min(maxDelay, initialDelay * factor ** Math.max(this.attempt - 1, 0));
    return Math.round(this.#random() * bound);
  }

  // RFC 9110 §10.2.3. It is waited besides the delay, lest all come back when it has passed.
  #asked({ error }: AttemptEnd): number {
    if (!(error instanceof HandshakeError) || error.answer === undefined) return 0;
    const seconds = new HeaderFields(error.answer.headers).get("retry-after") ?? "";
    return /^\d+$/.test(seconds) ? Math.min(Number(seconds) * 1000, this.#options.maxDelay) : 0;
  }
}

function statusOf(error: unknown): number | undefined {
  return error instanceof HandshakeError ? error.answer?.status : undefined;
}
