// Bytes that wait to leave: what a machine has written since its host last took the output.
// Small writes share a block that grows, so the frames of one tick leave as one chunk. A block
// belongs to one output and is given away with `take`: connections share no memory, and what waits
// pins at most twice its size and 1 KiB. A host may give a block back once its chunk has left: a
// new one costs as much as the rest of an echo.

/** From this size on a chunk is kept by reference: a copy costs more than one more write. */
export const BY_REFERENCE_FROM: number = 16 * 1024;

/** What a block begins with, and what may stay unused in a chunk besides as much as is used. */
const SMALLEST_BLOCK = 1024;
/** A block grows to this size; a larger one is made for one write alone. */
const LARGEST_BLOCK = 32 * 1024;

const EMPTY: Uint8Array[] = [];
const NO_BLOCK = new Uint8Array(0);

/** A block of the smallest size that nothing refers to, for the next output that begins one. */
let spare: Uint8Array | undefined;
/** The block of the chunk that was taken last, if it may become the spare one. */
let taken: Uint8Array | undefined;

/** Says that the chunks which `take` has just returned have left: their memory may serve again. */
export function giveBack(chunks: readonly Uint8Array[]): void {
  if (taken !== undefined && chunks.length === 1 && chunks[0]!.buffer === taken.buffer) {
    spare = taken;
    taken = undefined;
  }
}

/** A queue of bytes, written at one end and taken whole. */
export class Output {
  /** Bytes that wait. */
  size = 0;

  #chunks: Uint8Array[] = EMPTY;
  /** The block being filled: its first `#end` bytes are written. */
  #block: Uint8Array = NO_BLOCK;
  #end = 0;

  /** Makes room for `size` bytes at `position` of the returned block; `commit` ends the write. */
  reserve(size: number): Uint8Array {
    const needed = this.#end + size;
    if (needed > this.#block.length) this.#makeRoom(size, needed);
    return this.#block;
  }

  /** Where in the reserved block the next byte goes. */
  get position(): number {
    return this.#end;
  }

  /** Ends a reservation: `written` bytes of it were used. */
  commit(written: number): void {
    this.#end += written;
    this.size += written;
  }

  /** Appends a copy of the bytes. */
  copy(bytes: Uint8Array): void {
    const block = this.reserve(bytes.length);
    block.set(bytes, this.#end);
    this.commit(bytes.length);
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

  #makeRoom(size: number, needed: number): void {
    if (this.#end === 0 || needed > LARGEST_BLOCK) {
      this.#closeBlock();
      this.#block = newBlock(size);
    } else {
      const grown = new Uint8Array(Math.max(needed, this.#block.length * 2));
      grown.set(this.#block.subarray(0, this.#end));
      this.#block = grown;
    }
  }

  #closeBlock(): void {
    const block = this.#block;
    const end = this.#end;
    if (end === 0) return;
    const wasteful = block.length > end * 2 + SMALLEST_BLOCK;
    this.#append(wasteful ? block.slice(0, end) : block.subarray(0, end));
    taken = block.length === SMALLEST_BLOCK ? block : undefined;
    this.#block = NO_BLOCK;
    this.#end = 0;
  }

  #append(chunk: Uint8Array): void {
    if (this.#chunks === EMPTY) this.#chunks = [chunk];
    else this.#chunks.push(chunk);
  }
}

function newBlock(size: number): Uint8Array {
  if (size > SMALLEST_BLOCK) return new Uint8Array(size);
  const block = spare ?? new Uint8Array(SMALLEST_BLOCK);
  spare = undefined;
  return block;
}
