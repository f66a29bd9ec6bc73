// Memory to read into, for runtimes that ask for it: the same again and again, so what was read is
// only lent to whoever hears of it.
//
// Its size follows what comes: an idle connection waits with little, a busy one reads much at once.

/** What a connection begins, and waits, with. */
const SMALLEST = 256;
/** More than this at once is no faster to read. */
const LARGEST = 64 * 1024;
/** After so many reads in a row that filled less than a sixteenth, half the size will do. */
const SMALL_READS = 16;

/** Memory for the reads of one connection. */
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
