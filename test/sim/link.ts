// One direction of a simulated TCP connection: bytes in at one end, the same bytes in the same
// order out at the other, later, and cut anywhere. It can stall, end early and be reset at any
// byte. It reads no clock: every call is told the time.

import { Prng } from "./prng.ts";

/** How a link treats bytes. */
export interface LinkSetup {
  /** Milliseconds a byte is under way, at least, and what may come on top. */
  readonly latency: number;
  readonly jitter: number;
  /** Bytes that may be under way before the writer has to wait. */
  readonly capacity: number;
  /**
   * Where the chunks that arrive are cut: all that is there, anywhere, or after each byte as far as
   * that is affordable.
   */
  readonly split: "whole" | "anywhere" | "bytes";
  readonly seed: number;
}

/** What comes out of a link: a chunk, its end, or its breakdown. */
export type Arrival = Uint8Array | "end" | "reset";

interface Segment {
  readonly bytes: Uint8Array;
  readonly at: number;
}

/** Bytes that one link may hand over singly before it goes over to larger chunks. */
const SINGLE_BYTES = 400;

const CANARY = 0xa5;

/** One direction. */
export class Link {
  readonly #setup: LinkSetup;
  readonly #prng: Prng;

  // Under way
  #segments: Segment[] = [];
  #offset = 0;
  #waiting = 0;
  #lastAt = 0;
  #endAt = Infinity;
  #resetAt = Infinity;
  #singles = SINGLE_BYTES;

  // Faults
  #stalledUntil = 0;
  /** Bytes that will still get through before the fault. */
  #until = Infinity;
  #fault: "end" | "reset" = "end";

  constructor(setup: LinkSetup, salt: number) {
    this.#setup = setup;
    this.#prng = new Prng(setup.seed * 2 + salt);
  }

  /** Whether the writer may go on. */
  get writable(): boolean {
    return this.#waiting < this.#setup.capacity;
  }

  /** When there will be something to read. */
  get readableAt(): number {
    const data = this.#segments[0]?.at ?? this.#endAt;
    return Math.min(this.#resetAt, Math.max(data, this.#stalledUntil));
  }

  /** When a reset will arrive; a reader who has stopped reading hears of nothing else. */
  get resetAt(): number {
    return this.#resetAt;
  }

  write(bytes: Uint8Array, now: number): void {
    if (this.#ended()) return;
    const passing = bytes.subarray(0, Math.min(bytes.length, this.#until));
    this.#until -= passing.length;
    if (passing.length > 0) {
      this.#segments.push({ bytes: passing.slice(), at: this.#arrival(now) });
      this.#waiting += passing.length;
    }
    if (this.#until === 0) this.#breakDown(now);
  }

  /** The writer sends no more. */
  end(now: number): void {
    if (!this.#ended()) this.#endAt = this.#arrival(now);
  }

  /** The connection is gone: what is under way is lost. */
  reset(now: number): void {
    if (this.#resetAt !== Infinity) return;
    this.#resetAt = now + this.#setup.latency;
    this.#segments = [];
    this.#offset = this.#waiting = 0;
  }

  /** Nothing arrives for so long. */
  stall(now: number, milliseconds: number): void {
    this.#stalledUntil = Math.max(this.#stalledUntil, now + milliseconds);
  }

  /** Ends or breaks after as many more bytes. */
  breakAfter(bytes: number, fault: "end" | "reset", now: number): void {
    if (bytes >= this.#until) return;
    this.#until = bytes;
    this.#fault = fault;
    if (bytes === 0) this.#breakDown(now);
  }

  /** The next arrival, if it is time for one. */
  read(now: number): Arrival | undefined {
    if (now >= this.#resetAt) {
      this.#resetAt = this.#endAt = Infinity;
      return "reset";
    }
    if (now < this.readableAt) return undefined;
    if (this.#segments.length === 0) {
      this.#endAt = Infinity;
      return "end";
    }
    return this.#take(this.#chunkSize(this.#due(now)));
  }

  #ended(): boolean {
    return this.#endAt !== Infinity || this.#resetAt !== Infinity || this.#until === 0;
  }

  #breakDown(now: number): void {
    this.#until = 0;
    if (this.#fault === "end") this.#endAt = this.#arrival(now);
    else this.#resetAt = this.#arrival(now);
  }

  #arrival(now: number): number {
    const { latency, jitter } = this.#setup;
    this.#lastAt = Math.max(this.#lastAt, now + latency + this.#prng.below(jitter + 1));
    return this.#lastAt;
  }

  #due(now: number): number {
    let due = -this.#offset;
    for (const { bytes, at } of this.#segments) {
      if (at > now) break;
      due += bytes.length;
    }
    return due;
  }

  #chunkSize(due: number): number {
    const { split } = this.#setup;
    if (split === "bytes" && this.#singles > 0) {
      this.#singles--;
      return 1;
    }
    return split === "whole" ? due : Math.min(due, 1 + this.#prng.scaled(Math.max(1, due)));
  }

  // A chunk lies anywhere in a larger buffer, as a runtime's may; what is around it is none of the
  // reader's business.
  #take(size: number): Uint8Array {
    const start = this.#prng.below(8);
    const buffer = new Uint8Array(start + size + this.#prng.below(8));
    buffer.fill(CANARY, 0, start).fill(CANARY, start + size);
    let filled = 0;
    while (filled < size) {
      const { bytes } = this.#segments[0]!;
      const part = bytes.subarray(this.#offset, this.#offset + size - filled);
      buffer.set(part, start + filled);
      filled += part.length;
      this.#offset += part.length;
      if (this.#offset < bytes.length) continue;
      this.#segments.shift();
      this.#offset = 0;
    }
    this.#waiting -= size;
    return buffer.subarray(start, start + size);
  }
}

/** Whether the bytes around the chunk are unchanged. */
export function intactAround(chunk: Uint8Array): boolean {
  const buffer = new Uint8Array(chunk.buffer);
  const end = chunk.byteOffset + chunk.length;
  for (let i = 0; i < chunk.byteOffset; i++) if (buffer[i] !== CANARY) return false;
  for (let i = end; i < buffer.length; i++) if (buffer[i] !== CANARY) return false;
  return true;
}
