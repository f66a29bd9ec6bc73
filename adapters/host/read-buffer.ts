// Memory to read into, for runtimes that ask for it. What was read may be held by messages, which may be views of it, and is then never
// overwritten: the buffer goes on behind it, and when it is used up there is a new one. What nobody holds is read over.
//
// Its size follows what comes: an idle connection waits with little, a busy one reads much at once.

/** What a connection begins, and waits, with. */
const SMALLEST = 1024;
const LARGEST = 256 * 1024;
/** More than this at once is no faster to read. */
const LARGEST_READ = 64 * 1024;
/** With less left than this, a new buffer is better than many small reads. */
const LEAST = 256;

/** Memory for the reads of one connection. */
export class ReadBuffer {
  #size = SMALLEST;
  #bytes = new Uint8Array(SMALLEST);
  #used = 0;

  /** Where the next read goes. */
  get free(): Uint8Array {
    if (this.#bytes.length !== this.#size || this.#bytes.length - this.#used < LEAST) this.#renew();
    return this.#bytes.subarray(this.#used, this.#used + LARGEST_READ);
  }

  /** The first `count` bytes of what `free` returned last. */
  take(count: number): Uint8Array {
    const taken = this.#bytes.subarray(this.#used, this.#used + count);
    const room = Math.min(this.#bytes.length - this.#used, LARGEST_READ);
    this.#used += count;
    if (count === room) this.#size = Math.min(this.#size * 4, LARGEST);
    else if (count * 16 < this.#size) this.#size = Math.max(this.#size / 2, SMALLEST);
    return taken;
  }

  /** Nobody holds the `count` bytes that `take` returned last. */
  reuse(count: number): void {
    this.#used -= count;
  }

  #renew(): void {
    this.#bytes = new Uint8Array(this.#size);
    this.#used = 0;
  }
}
