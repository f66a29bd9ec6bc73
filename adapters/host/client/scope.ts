// What ends a client early: a timeout and signals while it connects, and `lifetime`, which also
// closes the open socket. connect.ts and the steps of connecting act on the scope's signal.
// Timeouts of an open connection are the core's.

import { encodeClose, refuseUnknown } from "../../../core/internal.ts";
import { CloseCode } from "../../../core/mod.ts";
import type { Clock, Sleeper } from "../clock.ts";
import { offAbort, onAbort } from "../waiting.ts";
import { ConnectError } from "./error.ts";
import { requireSignal } from "./options.ts";

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

  /** @throws {UsageError} for an unknown name, what is not a signal, and a code that is illegal */
  constructor(given: AbortSignal | LifetimeOptions) {
    const options = Object(given) === given && "aborted" in given ? { signal: given } : given;
    refuseUnknown("lifetime", options, ["signal", "code", "reason"]);
    const { signal, code = CloseCode.goingAway, reason = "" } = options as LifetimeOptions;
    encodeClose(code, reason);
    this.signal = requireSignal("lifetime.signal", signal);
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
