// The end of a transport on which the last word was written: it is given some time to be read, then
// the transport is dropped.
//
// Dropping it at once could take the answer with it: a close with unread input makes TCP reset the
// connection, and a reset discards what the peer has not read yet (RFC 1122 §4.2.2.13).

import type { Clock, Sleeper } from "./clock.ts";
import type { Transport, TransportEvents } from "./transport.ts";

/** Milliseconds that a peer has for closing its side. */
const LINGER = 5_000;

/** Ends the transport, discards what still comes, and calls `gone` when it is gone. */
export function linger(transport: Transport, clock: Clock, gone: () => void): void {
  new Lingering(transport, clock, gone);
}

class Lingering implements TransportEvents, Sleeper {
  readonly #transport: Transport;
  readonly #clock: Clock;
  readonly #bucket: number;
  readonly #gone: () => void;

  constructor(transport: Transport, clock: Clock, gone: () => void) {
    this.#transport = transport;
    this.#clock = clock;
    this.#gone = gone;
    this.#bucket = clock.schedule(this, clock.now() + LINGER);
    transport.attach(this);
    transport.end();
    // It may have been paused while an application made up its mind.
    transport.resume();
  }

  received(): void {}
  ended(): void {}
  drained(): void {}

  closed(): void {
    this.#clock.cancel(this, this.#bucket);
    this.#gone();
  }

  wake(): void {
    this.#transport.abort();
  }
}
