// Bytes that wait to leave: what a connection (or a handshake) has written since its host last took
// the output.
//
// Small writes go one behind the other into blocks, so that a tick's worth of frames leaves as one
// chunk; large ones are kept by reference. Blocks are cut from a slab that all connections share,
// which costs an idle connection nothing: a region is handed out once and never used again, so
// whoever takes it owns it.

const SLAB_SIZE = 64 * 1024;

/**
 * From this size on a chunk is kept by reference: copying costs more than one chunk more in a
 * write.
 */
export const BY_REFERENCE_FROM = 4096;

let slab = new Uint8Array(SLAB_SIZE);
let slabTop = 0;

const EMPTY: Uint8Array[] = [];

/** A queue of bytes, written at one end and taken whole. */
export class Output {
  /** Bytes that wait. */
  size = 0;

  #chunks: Uint8Array[] = EMPTY;
  /** The block being filled: bytes `#start` to `#end` of it are written. */
  #block: Uint8Array | undefined;
  #start = 0;
  #end = 0;

  /**
   * Makes room for `size` bytes and returns the block to write them into, at `position`; `commit`
   * says how many were written.
   */
  reserve(size: number): Uint8Array {
    if (this.#block === slab && this.#end === slabTop && slabTop + size <= SLAB_SIZE) return slab;
    this.#closeBlock();
    return this.#openBlock(size);
  }

  /** Where in the reserved block the next byte goes. */
  get position(): number {
    return this.#end;
  }

  /** Ends a reservation: `written` bytes of it were used. */
  commit(written: number): void {
    this.#end += written;
    this.size += written;
    if (this.#block === slab) slabTop = this.#end;
  }

  /** Appends the bytes by reference: they belong to the output from now on. */
  push(bytes: Uint8Array): void {
    this.#closeBlock();
    this.#append(bytes);
    this.size += bytes.length;
  }

  /** All chunks, in order; nothing waits afterwards. */
  take(): Uint8Array[] {
    this.#closeBlock();
    const chunks = this.#chunks;
    this.#chunks = EMPTY;
    this.size = 0;
    return chunks;
  }

  #openBlock(size: number): Uint8Array {
    if (size > SLAB_SIZE) {
      this.#start = this.#end = 0;
      return this.#block = new Uint8Array(size);
    }
    if (slabTop + size > SLAB_SIZE) {
      slab = new Uint8Array(SLAB_SIZE);
      slabTop = 0;
    }
    this.#start = this.#end = slabTop;
    return this.#block = slab;
  }

  #closeBlock(): void {
    if (this.#block === undefined) return;
    if (this.#end > this.#start) this.#append(this.#block.subarray(this.#start, this.#end));
    this.#block = undefined;
  }

  #append(chunk: Uint8Array): void {
    if (this.#chunks === EMPTY) this.#chunks = [chunk];
    else this.#chunks.push(chunk);
  }
}
