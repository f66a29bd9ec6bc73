// A client's transport until it is a socket, which it becomes within the call that brings the
// answer: no byte is in between.

import { type ClientHandshake, HandshakeError, type Opened } from "../../../core/mod.ts";
import type { Clock, Sleeper } from "../clock.ts";
import type { Transport, TransportEvents } from "../transport.ts";

/** The opening handshake on one transport. */
export class ClientOpening<T> implements TransportEvents, Sleeper {
  readonly #transport: Transport;
  readonly #handshake: ClientHandshake;
  readonly #clock: Clock;
  readonly #signal: AbortSignal;
  readonly #opened: (opened: Opened, transport: Transport) => T;
  readonly #abort = (): void => this.#drop(this.#signal.reason);
  #alarm = 0;
  #over = false;
  #resolve!: (result: T) => void;
  #reject!: (error: unknown) => void;

  /** `opened` makes what is asked for out of the transport. */
  constructor(
    transport: Transport,
    handshake: ClientHandshake,
    clock: Clock,
    signal: AbortSignal,
    opened: (opened: Opened, transport: Transport) => T,
  ) {
    this.#transport = transport;
    this.#handshake = handshake;
    this.#clock = clock;
    this.#signal = signal;
    this.#opened = opened;
  }

  /**
   * Sends the request, and waits for the answer.
   *
   * @throws {HandshakeError} when the answer is no good, or none
   * @throws the signal's reason when it is aborted
   */
  run(): Promise<T> {
    return new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
      this.#start();
    });
  }

  #start(): void {
    if (this.#signal.aborted) return this.#drop(this.#signal.reason);
    this.#signal.addEventListener("abort", this.#abort);
    this.#handshake.begin(this.#clock.now());
    this.#alarm = this.#clock.schedule(this, this.#handshake.deadline);
    this.#transport.attach(this);
    this.#transport.resume();
    if (!this.#over) this.#transport.write(this.#handshake.takeOutput());
  }

  received(chunk: Uint8Array): void {
    if (this.#over) return;
    const opened = this.#handshake.receive(chunk, this.#clock.now());
    if (opened === undefined) return this.#settle();
    this.#finish();
    this.#resolve(this.#opened(opened, this.#transport));
  }

  ended(): void {
    this.#handshake.receiveEnd(this.#clock.now());
    this.#settle();
  }

  drained(): void {}

  closed(error?: Error): void {
    this.#handshake.receiveEnd(this.#clock.now());
    const { failure } = this.#handshake;
    const explained = error !== undefined && failure?.fault === "answer-incomplete";
    this.#drop(
      explained
        ? new HandshakeError("answer-incomplete", error.message, undefined, error)
        : failure,
    );
  }

  wake(now: number): void {
    this.#handshake.tick(now);
    this.#settle();
    if (!this.#over) this.#alarm = this.#clock.schedule(this, this.#handshake.deadline);
  }

  #settle(): void {
    const { failure } = this.#handshake;
    if (failure !== undefined) this.#drop(failure);
  }

  /** Nothing is left to say, and a server that went on talking would keep the process. */
  #drop(error: unknown): void {
    if (this.#over) return;
    this.#finish();
    this.#transport.abort();
    this.#reject(error);
  }

  #finish(): void {
    this.#over = true;
    this.#clock.cancel(this, this.#alarm);
    this.#signal.removeEventListener("abort", this.#abort);
  }
}
