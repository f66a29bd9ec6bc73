// A way through a proxy: the negotiation, in whichever protocol, over the transport that leads to
// it. Once it is done the transport leads to the target.

import type { Transport, TransportEvents } from "../transport.ts";
import { ConnectError } from "./connect-error.ts";
import { ConnectTunnel } from "./connect-tunnel.ts";
import type { Proxy } from "./proxy.ts";
import { SocksTunnel } from "./socks.ts";
import type { Target } from "./target.ts";

/** One side of what is said with a proxy, without a transport. */
export interface Negotiation {
  /** What to write first. */
  readonly opening: Uint8Array;
  /**
   * Takes what the proxy sent, and returns what to answer, if anything; or `"done"`.
   *
   * @throws {ConnectError} when the proxy refuses, or does not keep to the protocol
   */
  receive(chunk: Uint8Array): Uint8Array | "done" | undefined;
}

/**
 * What to say to the proxy.
 *
 * @throws {UsageError} for what cannot be said in its protocol
 */
export function negotiationWith(proxy: Proxy, target: Target): Negotiation {
  return proxy.kind === "socks" ? new SocksTunnel(proxy, target) : new ConnectTunnel(proxy, target);
}

/**
 * Negotiates; fulfilled when the transport, which is paused then, leads to the target. On failure
 * it is dropped.
 *
 * @throws {ConnectError} as the negotiation does, and when the proxy hangs up
 * @throws the signal's reason when it is aborted
 */
export function tunnel(
  transport: Transport,
  negotiation: Negotiation,
  signal: AbortSignal,
): Promise<void> {
  return new Promise((resolve, reject) => {
    new Tunnel(transport, negotiation, signal, resolve, reject).start();
  });
}

class Tunnel implements TransportEvents {
  readonly #transport: Transport;
  readonly #negotiation: Negotiation;
  readonly #signal: AbortSignal;
  readonly #resolve: () => void;
  readonly #reject: (error: unknown) => void;
  readonly #abort = (): void => this.#fail(this.#signal.reason);
  #over = false;

  constructor(
    transport: Transport,
    negotiation: Negotiation,
    signal: AbortSignal,
    resolve: () => void,
    reject: (error: unknown) => void,
  ) {
    this.#transport = transport;
    this.#negotiation = negotiation;
    this.#signal = signal;
    this.#resolve = resolve;
    this.#reject = reject;
  }

  start(): void {
    if (this.#signal.aborted) return this.#abort();
    this.#signal.addEventListener("abort", this.#abort);
    this.#transport.attach(this);
    this.#transport.write([this.#negotiation.opening]);
  }

  // Once the way is there, nothing may come before its next owner has asked: a target does not
  // speak first.
  received(chunk: Uint8Array): void {
    if (this.#over) return this.#transport.abort();
    if (chunk.length === 0) return;
    try {
      const answer = this.#negotiation.receive(chunk);
      if (answer === "done") this.#succeed();
      else if (answer !== undefined) this.#transport.write([answer]);
    } catch (error) {
      this.#fail(error);
    }
  }

  ended(): void {
    if (this.#over) return this.#transport.abort();
    this.#fail(new ConnectError("proxy", "the proxy hung up"));
  }

  drained(): void {}

  closed(error?: Error): void {
    this.#fail(new ConnectError("proxy", "the proxy hung up", error));
  }

  #succeed(): void {
    this.#finish();
    this.#transport.pause();
    this.#resolve();
  }

  #fail(error: unknown): void {
    if (this.#over) return;
    this.#finish();
    this.#transport.abort();
    this.#reject(error);
  }

  #finish(): void {
    this.#over = true;
    this.#signal.removeEventListener("abort", this.#abort);
  }
}
