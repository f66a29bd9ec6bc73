// The life of a connection by the caller's signal: when it is aborted, an open socket is closed, in
// the way that the protocol has for it. Until the socket is open the signal gives up connecting,
// which is scope.ts's affair.

import { refuseUnknown } from "../../../core/limits.ts";
import { CloseCode, encodeClose } from "../../../core/mod.ts";
import { offAbort, onAbort } from "../abort.ts";
import { requireSignal } from "./checks.ts";

/** A signal that ends a connection, with what the Close frame is to say. */
export interface LifetimeOptions {
  /** Ends the connection when it is aborted; never heard of again once the socket is closed. */
  readonly signal: AbortSignal;
  /** Default 1001, going away. */
  readonly code?: number | undefined;
  /** Default empty. */
  readonly reason?: string | undefined;
}

interface Closable {
  close(code: number, reason: string): void;
}

/** Closes what it watches when its signal is aborted. */
export class Lifetime {
  readonly signal: AbortSignal;
  readonly #code: number;
  readonly #reason: string;
  #watched: Closable | undefined;
  readonly #abort = (): void => this.#watched?.close(this.#code, this.#reason);

  /**
   * @throws {UsageError} for an unknown name, what is not a signal, and a code that must not be
   * sent
   */
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
