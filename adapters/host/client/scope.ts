// What ends a client early: a timeout and signals while it connects, and `lifetime`, which also
// closes the open socket. connect.ts and the steps of connecting act on the scope's signal.
// Timeouts of an open connection are the core's.

import { encodeClose } from "../../../core/internal.ts";
import { CloseCode } from "../../../core/mod.ts";
import { anything, type Check, checkOptions, type Checks, isObject } from "../check.ts";
import type { Clock, Sleeper } from "../clock.ts";
import { signal } from "../options.ts";
import { offAbort, onAbort } from "../waiting.ts";
import { ConnectError } from "./error.ts";

/** What ends connecting early. */
export interface ScopeOptions {
  /** Milliseconds. */
  readonly timeout: number;
  readonly signals: readonly (AbortSignal | undefined)[];
}

/** The time of connecting, from its first step to its end. All steps share its signal. */
export class ConnectScope implements Sleeper {
  readonly #controller = new AbortController();
  /** Aborted when connecting is to be given up, with the reason. */
  readonly signal: AbortSignal = this.#controller.signal;
  readonly #clock: Clock;
  readonly #timeout: number;
  readonly #signals: readonly AbortSignal[];
  readonly #bucket: number;

  /** @throws the reason of a signal that is aborted already */
  constructor(clock: Clock, { timeout, signals }: ScopeOptions) {
    this.#signals = signals.filter((signal) => signal !== undefined);
    for (const signal of this.#signals) signal.throwIfAborted();
    this.#clock = clock;
    this.#timeout = timeout;
    this.#bucket = clock.schedule(this, clock.now() + timeout);
    for (const signal of this.#signals) onAbort(signal, this.#follow);
  }

  /** Connecting has succeeded or failed. */
  end(): void {
    this.#clock.cancel(this, this.#bucket);
    for (const signal of this.#signals) offAbort(signal, this.#follow);
  }

  wake(): void {
    const error = new ConnectError("timeout", `connecting took longer than ${this.#timeout} ms`);
    this.#controller.abort(error);
  }

  readonly #follow = (): void => {
    this.#controller.abort(this.#signals.find(({ aborted }) => aborted)!.reason);
  };
}

/** A signal that ends a connection, and what the Close frame says. */
export interface LifetimeOptions {
  /** Ends the connection when it is aborted; ignored once the socket is closed. */
  readonly signal: AbortSignal;
  /** Default 1001, going away. */
  readonly code?: number | undefined;
  /** Default empty. */
  readonly reason?: string | undefined;
}

const LIFETIME: Checks<LifetimeOptions> = { signal, code: anything, reason: anything };

/** The `lifetime` of a connection. */
export const lifetime: Check = (value, path) => {
  if (isSignal(value)) return signal(value, path);
  checkOptions(value as LifetimeOptions, LIFETIME, path);
  const { signal: given, code = CloseCode.goingAway, reason = "" } = value as LifetimeOptions;
  signal(given, `${path}.signal`);
  encodeClose(code, reason);
};

function isSignal(value: unknown): boolean {
  return isObject(value) && "aborted" in value;
}

interface Closable {
  close(code: number, reason: string): void;
}

/** Closes the socket that it watches when its signal is aborted. */
export class Lifetime {
  readonly signal: AbortSignal;
  readonly #code: number;
  readonly #reason: string;
  #watched: Closable | undefined;
  readonly #abort = (): void => this.#watched?.close(this.#code, this.#reason);

  constructor(given: AbortSignal | LifetimeOptions) {
    const options = isSignal(given) ? { signal: given } : given;
    const { signal, code = CloseCode.goingAway, reason = "" } = options as LifetimeOptions;
    this.signal = signal;
    this.#code = code;
    this.#reason = reason;
  }

  watch(watched: Closable): void {
    this.#watched = watched;
    onAbort(this.signal, this.#abort);
  }

  end(): void {
    offAbort(this.signal, this.#abort);
  }
}
