// Bytes that a runtime's `write` has not taken yet, for runtimes whose `write` may take only a
// part.
//
// Small chunks leave together: a system call costs more than copying a few kilobytes does.

/**
 * Below this size chunks are copied together; from it on, another write costs less than the copy.
 */
export const GATHER_BELOW: number = 64 * 1024;

// Blocks for gathering, used again and again: a new one would cost more than what is saved. There
// are few, each as large as was needed, because writes are mostly over at once: those of a thousand
// peers that read slowly should not cost a thousand large blocks.
const blocks: Uint8Array[] = [];
const MAX_BLOCKS = 8;
const SMALLEST_BLOCK = 1024;

/** The number of bytes in the chunks. */
export function byteLength(chunks: readonly Uint8Array[]): number {
  let total = 0;
  for (const chunk of chunks) total += chunk.length;
  return total;
}

/** The chunks as one, in a block that should be given back with {@linkcode giveBack}. */
export function gather(chunks: readonly Uint8Array[]): Uint8Array {
  const size = byteLength(chunks);
  let block = blocks.pop();
  if (block === undefined || block.length < size) {
    block = new Uint8Array(Math.max(size, SMALLEST_BLOCK));
  }
  let offset = 0;
  for (const chunk of chunks) {
    block.set(chunk, offset);
    offset += chunk.length;
  }
  return block.subarray(0, offset);
}

/** Gives back what `gather` returned, when nobody reads it any more. */
export function giveBack(gathered: Uint8Array): void {
  if (blocks.length < MAX_BLOCKS) blocks.push(new Uint8Array(gathered.buffer as ArrayBuffer));
}

/** A queue of chunks, written in blocks. */
export class Outbox {
  /** Bytes in the queue. */
  size = 0;

  #chunks: Uint8Array[] = [];
  /** The block that is being written, and whether it was gathered. */
  #block: Uint8Array | undefined;
  #gathered = false;
  #offset = 0;

  /** Appends chunks, which belong to the queue from now on. */
  push(chunks: readonly Uint8Array[]): void {
    for (const chunk of chunks) this.#chunks.push(chunk);
    this.size += byteLength(chunks);
  }

  /** The bytes to write next, from a queue that is not empty. */
  next(): Uint8Array {
    this.#block ??= this.#nextBlock();
    return this.#offset === 0 ? this.#block : this.#block.subarray(this.#offset);
  }

  /** So many of them were written. */
  wrote(count: number): void {
    this.size -= count;
    this.#offset += count;
    if (this.#offset < this.#block!.length) return;
    if (this.#gathered) giveBack(this.#block!);
    this.#block = undefined;
    this.#offset = 0;
  }

  /** Forgets everything. */
  clear(): void {
    this.size = 0;
    this.#chunks = [];
    this.#block = undefined;
    this.#offset = 0;
  }

  #nextBlock(): Uint8Array {
    const count = this.#gatherable();
    this.#gathered = count > 1;
    if (!this.#gathered) return this.#chunks.shift()!;
    return gather(this.#chunks.splice(0, count));
  }

  /** How many chunks at the head of the queue fit into one block. */
  #gatherable(): number {
    let size = 0;
    let count = 0;
    while (count < this.#chunks.length) {
      size += this.#chunks[count]!.length;
      if (size > GATHER_BELOW) break;
      count++;
    }
    return count;
  }
}
