// The two ends of a transport without a network, in one process. One end receives what the other
// writes: in order, as a copy, after the call. An end that does not read blocks the other, as in
// TCP. Bytes move in microtasks, so a test with fake timers does not stop them.

import { copyOf } from "../../core/internal.ts";
import type { Address, Transport, TransportEvents } from "../host/transport.ts";
import { HIGH_WATER_MARK } from "../host/transport.ts";

/** Two ends that are connected with each other. */
export function memoryTransports(secure: boolean): readonly [near: Transport, far: Transport] {
  const near = new MemoryTransport(secure);
  const far = new MemoryTransport(secure);
  near.connect(far);
  far.connect(near);
  return [near, far];
}

class MemoryTransport implements Transport {
  readonly peer: Address = {};
  readonly secure: boolean;
  #other!: MemoryTransport;
  #events: TransportEvents | undefined;
  #closed = false;
  #error: Error | undefined;

  // Reading
  #arrived: Uint8Array[] = [];
  #arrivedSize = 0;
  #paused = false;
  #moving = false;
  #inputEnded = false;

  // Writing
  #blocked = false;
  #outputEnded = false;

  constructor(secure: boolean) {
    this.secure = secure;
  }

  connect(other: MemoryTransport): void {
    this.#other = other;
  }

  // --- From above ---

  attach(events: TransportEvents): void {
    this.#events = events;
    if (this.#closed) this.#report();
    else this.#move();
  }

  write(chunks: readonly Uint8Array[]): boolean {
    for (const chunk of chunks) this.#other.#arrive(chunk);
    this.#blocked = this.bufferedAmount >= HIGH_WATER_MARK;
    return !this.#blocked;
  }

  end(): void {
    this.#outputEnded = true;
    this.#other.#move();
  }

  abort(): void {
    this.#close();
    this.#other.#close(new Error("the other end was aborted"));
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    this.#move();
  }

  get done(): boolean {
    return true;
  }

  get bufferedAmount(): number {
    return this.#other.#arrivedSize;
  }

  // --- From the other end ---

  // A copy: a chunk belongs to its receiver, and a prepared message goes to many.
  #arrive(chunk: Uint8Array): void {
    if (this.#closed) return;
    this.#arrived.push(copyOf(chunk));
    this.#arrivedSize += chunk.length;
    this.#move();
  }

  #move(): void {
    if (this.#moving) return;
    this.#moving = true;
    queueMicrotask(() => {
      this.#moving = false;
      this.#deliver();
    });
  }

  #deliver(): void {
    while (this.#arrived.length > 0 && this.#reads) {
      const chunk = this.#arrived.shift()!;
      this.#arrivedSize -= chunk.length;
      this.#events!.received(chunk);
    }
    if (this.#arrived.length > 0) return;
    this.#other.#drain();
    if (this.#reads && this.#other.#outputEnded && !this.#inputEnded) this.#endInput();
  }

  get #reads(): boolean {
    return this.#events !== undefined && !this.#paused && !this.#closed;
  }

  #drain(): void {
    if (!this.#blocked || this.#closed) return;
    this.#blocked = false;
    this.#events?.drained();
  }

  #endInput(): void {
    this.#inputEnded = true;
    this.#events!.ended();
    if (!this.#other.#inputEnded) return;
    this.#close();
    this.#other.#close();
  }

  #close(error?: Error): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#error = error;
    this.#arrived = [];
    this.#arrivedSize = 0;
    this.#report();
  }

  #report(): void {
    queueMicrotask(() => this.#events?.closed(this.#error));
  }
}
