// Byte arrays: joined, compared, and grown as the parts of a message arrive.
// `Pieces` copies every part behind the ones before it. So parts cost what their bytes cost,
// however many there are, and none keeps the chunk alive that brought it.

/** No bytes. Not for the application: one that transfers its buffer would detach it for all. */
export const NOTHING: Uint8Array = new Uint8Array(0);

/** One array of all the chunks; the chunk itself where there is just one. */
export function concat(chunks: readonly Uint8Array[]): Uint8Array {
  if (chunks.length === 1) return chunks[0]!;
  const joined = new Uint8Array(chunks.reduce((total, chunk) => total + chunk.length, 0));
  let offset = 0;
  for (const chunk of chunks) {
    joined.set(chunk, offset);
    offset += chunk.length;
  }
  return joined;
}

/** The bytes in memory of their own. `slice` is no copy for a Buffer, which is a Uint8Array too. */
export function copyOf(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(bytes);
}

/** Whether both hold the same bytes. */
export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, index) => byte === b[index]);
}

const SMALLEST = 128;

/** An append-only sequence of bytes. */
export class Pieces {
  /** Bytes in all parts. */
  size = 0;

  #bytes = new Uint8Array(0);

  /** Appends the bytes from `start` to `end`; `announced` is how many are known to follow them. */
  append(bytes: Uint8Array, start: number, end: number, announced: number = 0): void {
    const needed = this.size + end - start;
    if (needed > this.#bytes.length) this.#grow(needed, announced);
    const target = this.#bytes;
    // A view for `set` costs more than a loop over a few bytes.
    if (end - start > 64) target.set(bytes.subarray(start, end), this.size);
    else for (let from = start, to = this.size; from < end; from++, to++) target[to] = bytes[from]!;
    this.size = needed;
  }

  /** All bytes in one array, which belongs to the caller; the sequence is empty afterwards. */
  join(): Uint8Array {
    const full = this.size === this.#bytes.length;
    const joined = full ? this.#bytes : this.#bytes.subarray(0, this.size);
    this.#bytes = new Uint8Array(0);
    this.size = 0;
    return joined;
  }

  // At most double what came: an announced length alone gets its peer no memory. At least a quarter
  // more than before, so that bytes are moved a bounded number of times.
  #grow(needed: number, announced: number): void {
    const room = needed + Math.min(needed, Math.max(announced, this.#bytes.length >>> 2));
    const grown = new Uint8Array(announced === 0 ? Math.max(needed * 2, SMALLEST) : room);
    grown.set(this.#bytes.subarray(0, this.size));
    this.#bytes = grown;
  }
}
