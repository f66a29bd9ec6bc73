// Memory of a transport, for runtimes that leave it to the caller: bytes that `write` has not taken
// yet, and the buffer that `read` fills.

import { concat } from "../../core/internal.ts";

/** Chunks up to this size leave together: a system call costs more than the copy. */
const GATHER_UP_TO = 64 * 1024;

/** A queue of chunks, for runtimes whose `write` may take only a part. */
export class Outbox {
  /** Bytes in the queue. */
  size = 0;

  #chunks: Uint8Array[] = [];
  /** The bytes that are being written. */
  #block: Uint8Array | undefined;

  /** Appends chunks. They must not change until they are written. */
  push(chunks: readonly Uint8Array[]): void {
    for (const chunk of chunks) {
      this.#chunks.push(chunk);
      this.size += chunk.length;
    }
  }

  /** The bytes to write next, from a queue that is not empty. */
  next(): Uint8Array {
    return this.#block ??= concat(this.#chunks.splice(0, this.#gatherable()));
  }

  /** So many of them were written. */
  wrote(count: number): void {
    this.size -= count;
    this.#block = count === this.#block!.length ? undefined : this.#block!.subarray(count);
  }

  /** Forgets everything. */
  clear(): void {
    this.size = 0;
    this.#chunks = [];
    this.#block = undefined;
  }

  /** How many chunks at the head of the queue leave together; one at least. */
  #gatherable(): number {
    let size = 0;
    const count = this.#chunks.findIndex((chunk) => (size += chunk.length) > GATHER_UP_TO);
    return count === -1 ? this.#chunks.length : Math.max(count, 1);
  }
}

/** What a connection begins, and waits, with. */
const SMALLEST = 256;
/** More than this at once is no faster to read. */
const LARGEST = 64 * 1024;
/** After so many reads in a row that filled less than a sixteenth, half the size will do. */
const SMALL_READS = 16;

/**
 * Memory for the reads of one connection: the same again and again, so chunks are only lent. Its
 * size follows what comes: an idle connection waits with little, a busy one reads much at once.
 */
export class ReadBuffer {
  /** Where the next read goes. */
  bytes: Uint8Array = new Uint8Array(SMALLEST);
  #smallReads = 0;

  /** The `count` bytes that were read; they hold until the next read. */
  take(count: number): Uint8Array {
    const { bytes } = this;
    const { length } = bytes;
    this.#smallReads = count * 16 < length ? this.#smallReads + 1 : 0;
    if (count === length && length < LARGEST) this.#resize(length * 4);
    else if (this.#smallReads === SMALL_READS && length > SMALLEST) this.#resize(length / 2);
    return bytes.subarray(0, count);
  }

  #resize(size: number): void {
    this.bytes = new Uint8Array(size);
    this.#smallReads = 0;
  }
}
