// Byte arrays: joined, compared, and grown as the parts of a message arrive.
//
// `Pieces` copies every part behind the ones before it. So parts cost what their bytes cost,
// however many there are, and none of them keeps the chunk alive that brought it.

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

/** Whether both hold the same bytes. */
export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, index) => byte === b[index]);
}

const EMPTY = new Uint8Array(0);
const SMALLEST = 128;

/** An append-only sequence of bytes. */
export class Pieces {
  /** Bytes in all parts. */
  size = 0;

  #bytes: Uint8Array = EMPTY;

  /** Appends the bytes from `start` to `end`; `announced` is how many are known to follow them. */
  append(bytes: Uint8Array, start: number, end: number, announced: number = 0): void {
    const length = end - start;
    const needed = this.size + length;
    if (needed > this.#bytes.length) this.#grow(needed, announced);
    copyBytes(bytes, start, this.#bytes, this.size, length);
    this.size = needed;
  }

  /** All bytes in one array, which belongs to the caller; the sequence is empty afterwards. */
  join(): Uint8Array {
    const joined = this.size === this.#bytes.length
      ? this.#bytes
      : this.#bytes.subarray(0, this.size);
    this.#bytes = EMPTY;
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

// A view for `set` costs more than a loop over a few bytes.
function copyBytes(
  source: Uint8Array,
  start: number,
  target: Uint8Array,
  offset: number,
  length: number,
): void {
  if (length > 64) target.set(source.subarray(start, start + length), offset);
  else for (let i = 0; i < length; i++) target[offset + i] = source[start + i]!;
}
