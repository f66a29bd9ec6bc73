// The parts of a message that has not ended, put together as they come.
//
// Every part is copied behind the ones before it, so that what parts cost is bounded by their bytes
// and not by their number, and none of them holds on to the chunk that brought it. A million
// one-byte parts cost what one part of a megabyte costs.

const EMPTY = new Uint8Array(0);
const SMALLEST = 128;

// Room that an announced length gets at once, whatever has come of it; each byte that came buys
// room for sixteen more. So a header alone gets its peer little, and an honest message is not
// moved: one of a megabyte has its room with the first 64 KiB of it.
const ROOM_ON_CREDIT = 256 * 1024;
const CREDIT = 16;

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

  // Never less than double, so that the bytes already there are moved a bounded number of times.
  #grow(needed: number, announced: number): void {
    const expected = Math.min(needed + announced, ROOM_ON_CREDIT + needed * CREDIT);
    const grown = new Uint8Array(
      Math.max(expected, this.#bytes.length * 2, announced === 0 ? SMALLEST : 0),
    );
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
