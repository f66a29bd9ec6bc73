// Input of the inflaters, bit by bit: RFC 1951 §3.1.1. One buffer for all of them, since no call yields to another.
//
// There is room behind the input, and a symbol is read without asking for each bit whether it is there: bits from behind the end are
// made up, and who has read a symbol asks `overrun()`. What turns out to be cut off is taken back with `seek`, and comes again
// before the next input.

import type { DecodeTable } from "./decode-table.ts";
import { EXTRA_MASK, EXTRA_SHIFT, isLiteral, LENGTH_MASK, VALUE_SHIFT } from "./decode-table.ts";
import { MAX_CODE_LENGTH } from "./format.ts";

/** Bytes of input that are read at a time, at most. */
export const MAX_INPUT: number = 64 * 1024;

/** More than the longest thing that is taken back: the header of a dynamic block, which has less than 2300 bits. */
const MAX_CARRY = 512;
/** A copy has 48 bits at most, and 30 more may have been made ready. */
const READ_AHEAD = 16;

const NOTHING = new Uint8Array(0);

/** A position in the input that moves on bit by bit. */
class BitReader {
  readonly #input = new Uint8Array(MAX_CARRY + MAX_INPUT + READ_AHEAD);
  #end = 0;
  #at = 0;
  #hold = 0;
  #held = 0;

  /** Begins to read at the given bit of the first byte: what was carried over, and then new bytes. */
  load(carry: Uint8Array, firstBit: number, bytes: Uint8Array): void {
    if (carry.length > 0) this.#input.set(carry);
    this.#input.set(bytes, carry.length);
    this.#end = carry.length + bytes.length;
    this.seek(firstBit);
  }

  /** The bytes that are not read yet, the first of them maybe in part. */
  unread(): Uint8Array {
    const first = this.tell() >> 3;
    return first === this.#end ? NOTHING : this.#input.slice(first, this.#end);
  }

  /** The position in the input, in bits. */
  tell(): number {
    return this.#at * 8 - this.#held;
  }

  /** Goes to a position that `tell` gave. */
  seek(position: number): void {
    this.#at = position >> 3;
    this.#hold = 0;
    this.#held = 0;
    const skipped = position & 7;
    if (skipped > 0) {
      this.#hold = this.#input[this.#at++]! >> skipped;
      this.#held = 8 - skipped;
    }
  }

  /** Goes to the next byte boundary. */
  align(): void {
    this.seek((this.tell() + 7) & ~7);
  }

  /** Whether bits were read that are not there. */
  overrun(): boolean {
    return this.#at > this.#end && this.tell() > this.#end * 8;
  }

  /** Whether `count` bits are there. */
  has(count: number): boolean {
    return this.tell() + count <= this.#end * 8;
  }

  /** Reads a number of 15 bits at most. */
  read(count: number): number {
    this.#fill();
    const value = this.#hold & ((1 << count) - 1);
    this.#hold >>>= count;
    this.#held -= count;
    return value;
  }

  /** Reads a symbol: its entry, or 0 for bits that are no code; no code is known to be none before all 15 bits are there. */
  readSymbol(table: DecodeTable): number {
    this.#fill();
    const symbol = table.fast[this.#hold & (table.fast.length - 1)]! || table.slow(this.#hold);
    const length = symbol === 0 ? MAX_CODE_LENGTH : symbol & LENGTH_MASK;
    this.#hold >>>= length;
    this.#held -= length;
    return symbol;
  }

  /**
   * Reads literals into an array from `start` on, and stops before anything else, at the end of the array, and where bits may be
   * missing; returns where it stopped. Most symbols are literals, and `readSymbol` takes twice the time for each.
   */
  readLiterals(table: DecodeTable, into: Uint8Array, start: number): number {
    const { fast } = table;
    const bytes = this.#input;
    const mask = fast.length - 1;
    const end = this.#end;
    const stop = into.length;
    let at = this.#at;
    let hold = this.#hold;
    let held = this.#held;
    let next = start;
    // Behind the end, what is held has made-up bits in it.
    while (next < stop && at <= end) {
      if (held < MAX_CODE_LENGTH) {
        if (at + 2 > end) break;
        hold |= (bytes[at]! | (bytes[at + 1]! << 8)) << held;
        at += 2;
        held += 16;
      }
      const symbol = fast[hold & mask]!;
      if (!isLiteral(symbol)) break;
      into[next++] = symbol >> VALUE_SHIFT;
      hold >>>= symbol & LENGTH_MASK;
      held -= symbol & LENGTH_MASK;
    }
    this.#at = at;
    this.#hold = hold;
    this.#held = held;
    return next;
  }

  /** Reads the extra bits of a symbol; returns what both stand for. */
  readValue(symbol: number): number {
    const extra = (symbol >> EXTRA_SHIFT) & EXTRA_MASK;
    return (symbol >> VALUE_SHIFT) + (extra === 0 ? 0 : this.read(extra));
  }

  /** Reads bytes into an array from `start` on, as many as there are and have room there; `most` at most. Only on a byte boundary. */
  readBytes(into: Uint8Array, start: number, most: number): number {
    const count = Math.min(most, this.#end - this.#at, into.length - start);
    if (count === 0) return 0;
    into.set(this.#input.subarray(this.#at, this.#at + count), start);
    this.#at += count;
    return count;
  }

  #fill(): void {
    if (this.#held >= MAX_CODE_LENGTH) return;
    this.#hold |= (this.#input[this.#at]! | (this.#input[this.#at + 1]! << 8)) << this.#held;
    this.#at += 2;
    this.#held += 16;
  }
}

/** The one reader. */
export const input: BitReader = new BitReader();
