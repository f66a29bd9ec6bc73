// Writes DEFLATE blocks token by token (RFC 1951 §3.2.6), for what no compressor would make:
// distances at the very edge of a window and past it.

/**
 * A block in the fixed Huffman code, as the first or a later one of a stream that stands on a byte
 * boundary.
 */
export class FixedBlock {
  readonly #bits: number[] = [];

  constructor(final = false) {
    this.#number(final ? 1 : 0, 1);
    this.#number(1, 2);
  }

  /** Literal bytes, each below 144. */
  literals(...bytes: readonly number[]): this {
    for (const byte of bytes) this.#code(0x30 + byte, 8);
    return this;
  }

  /** A copy of 258 bytes, the longest there is, from `distance` bytes back. */
  longCopy(distance: number): this {
    this.#code(0b11000101, 8);
    return this.#distance(distance);
  }

  /** A copy of 3 bytes, the shortest there is, from `distance` bytes back. */
  shortCopy(distance: number): this {
    this.#code(1, 7);
    return this.#distance(distance);
  }

  /**
   * The block, ended, and an empty stored block without its last four bytes: the body of a message.
   */
  body(): Uint8Array {
    this.#code(0, 7);
    this.#number(0, 3);
    const bytes = new Uint8Array(Math.ceil(this.#bits.length / 8));
    this.#bits.forEach((bit, index) => bytes[index >> 3]! |= bit << (index & 7));
    return bytes;
  }

  /**
   * RFC 1951 §3.2.5: two codes for each number of extra bits from 1 on, after the four that have
   * none.
   */
  #distance(distance: number): this {
    let code = distance - 1;
    let extra = 0;
    if (distance > 4) {
      extra = 30 - Math.clz32(distance - 1);
      code = 2 * extra + ((distance - 1) >> extra);
    }
    this.#code(code, 5);
    this.#number((distance - 1) & (2 ** extra - 1), extra);
    return this;
  }

  /** Huffman codes start with their most significant bit (RFC 1951 §3.1.1) … */
  #code(code: number, length: number): void {
    for (let bit = length - 1; bit >= 0; bit--) this.#bits.push((code >> bit) & 1);
  }

  /** … and everything else with its least significant one. */
  #number(value: number, length: number): void {
    for (let bit = 0; bit < length; bit++) this.#bits.push((value >> bit) & 1);
  }
}
