// How long connecting may go on: until the caller's signals say so, or the time is over. All its
// steps share one signal for that.

import { offAbort, onAbort } from "../abort.ts";
import type { Clock, Sleeper } from "../clock.ts";
import { ConnectError } from "./connect-error.ts";

/** What ends connecting early. */
export interface ScopeOptions {
  /** Milliseconds. */
  readonly timeout: number;
  readonly signals: readonly (AbortSignal | undefined)[];
}

/** The span from the first step of connecting to its end. */
export class ConnectScope implements Sleeper {
  readonly #controller = new AbortController();
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

  /** Aborted as soon as connecting is to be given up; its reason says why. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Connecting is over, one way or the other. */
  end(): void {
    this.#clock.cancel(this, this.#bucket);
    for (const signal of this.#signals) offAbort(signal, this.#follow);
  }

  wake(): void {
    this.#controller.abort(
      new ConnectError("timeout", `connecting took longer than ${this.#timeout} ms`),
    );
  }

  readonly #follow = (): void =>
    this.#controller.abort(this.#signals.find(({ aborted }) => aborted)!.reason);
}
