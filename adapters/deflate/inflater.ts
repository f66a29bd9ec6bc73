// Decompression: RFC 1951 §3.2.3 to §3.2.7, from input that may stop at any bit, with the window kept from call to call.
//
// The window and the output of the call under way lie in one buffer, so that a copy never has to look in two places; the buffer grows
// with what it holds, up to the window and a little more. Input goes through one buffer for all inflaters, with room behind it, so
// that a symbol is decoded without asking for each bit whether it is there; a symbol that turns out to be cut off is taken back.

import { concat } from "../../core/bytes.ts";
import type { Inflater } from "../../core/deflate/codec.ts";
import { InflateLimitError } from "../../core/deflate/codec.ts";
import {
  DecodeTable,
  DISTANCE_ENTRIES,
  EXTRA_MASK,
  EXTRA_SHIFT,
  KIND_COPY,
  KIND_LITERAL,
  KIND_MASK,
  KIND_SHIFT,
  LENGTH_ENTRIES,
  LENGTH_MASK,
  LITERAL_ENTRIES,
  VALUE_SHIFT,
} from "./decode-table.ts";
import {
  DISTANCE_SYMBOLS,
  DYNAMIC,
  END_OF_BLOCK,
  FIXED,
  FIXED_DISTANCE_LENGTHS,
  FIXED_LITERAL_LENGTHS,
  LENGTHS_ORDER,
  LITERAL_SYMBOLS,
  MAX_CODE_LENGTH,
  MAX_COPY,
  STORED,
} from "./format.ts";

/** Input is taken in slices of this size. */
const SLICE = 64 * 1024;
/** More than the longest thing that is taken back when it is cut off: the header of a dynamic block, below 2300 bits. */
const MAX_CARRY = 512;
/** A copy has 48 bits at most, and up to 30 more are read ahead. */
const READ_AHEAD = 16;
const INPUT = new Uint8Array(MAX_CARRY + SLICE + READ_AHEAD);

/** Output beyond the window that the buffer has room for. */
const SLACK = 8 * 1024;
const FIRST_SIZE = 1024;
/** Shorter copies are cheaper byte by byte. */
const COPY_WITHIN_FROM = 32;

const LITERAL_ROOT_BITS = 9;
const DISTANCE_ROOT_BITS = 6;

const fixedLiterals = new DecodeTable(9, LITERAL_ENTRIES);
fixedLiterals.build(FIXED_LITERAL_LENGTHS, 0, FIXED_LITERAL_LENGTHS.length);
const fixedDistances = new DecodeTable(5, DISTANCE_ENTRIES);
fixedDistances.build(FIXED_DISTANCE_LENGTHS, 0, FIXED_DISTANCE_LENGTHS.length);

// The tables of a dynamic block are needed while that block is read, so there is one set, and one inflater at a time owns it. An
// inflater whose block is not complete at the end of a call keeps the code lengths, from which it can build the tables again.
const codeLengths = new DecodeTable(7, LENGTH_ENTRIES);
const dynamicLiterals = new DecodeTable(LITERAL_ROOT_BITS, LITERAL_ENTRIES);
const dynamicDistances = new DecodeTable(DISTANCE_ROOT_BITS, DISTANCE_ENTRIES);
const LENGTHS = new Uint8Array(LITERAL_SYMBOLS + DISTANCE_SYMBOLS);
let tablesOwner: WindowInflater | undefined;

/** What the bits to come are. */
type State = "header" | "lengths" | "stored" | "fixed" | "dynamic";
/** Why a step of decoding ended: its block is over, or the input, or the buffer is full. */
type Stop = "over" | "starved" | "full";

const NOTHING: Uint8Array = new Uint8Array(0);

// A buffer that an inflater without a window left. A message takes it up and leaves it, so one is enough.
let spare = NOTHING;

function takeSpare(): Uint8Array {
  const buffer = spare.length > 0 ? spare : new Uint8Array(FIRST_SIZE);
  spare = NOTHING;
  return buffer;
}

/** An {@linkcode Inflater} in TypeScript. */
export class WindowInflater implements Inflater {
  readonly #windowSize: number;

  // The window, and behind it the output of the call under way
  #buffer: Uint8Array = NOTHING;
  #end = 0;

  // The stream
  #state: State = "header";
  #fresh = true;
  #final = false;
  #storedLeft = 0;
  #literalCount = 0;
  #symbolCount = 0;
  #lengths: Uint8Array = NOTHING;

  // Input. Between calls: what was taken back, from bit `#firstBit` of its first byte on. In a call: a position in INPUT.
  #carry: Uint8Array = NOTHING;
  #firstBit = 0;
  #at = 0;
  #inputEnd = 0;
  #hold = 0;
  #bits = 0;

  constructor(windowBits: number) {
    this.#windowSize = 2 ** windowBits;
  }

  get position(): "start" | "between" | "inside" {
    if (this.#state !== "header" || this.#carry.length > 0) return "inside";
    return this.#fresh ? "start" : "between";
  }

  inflate(bytes: Uint8Array, limit: number): Uint8Array {
    const parts: Uint8Array[] = [];
    let room = limit;
    for (let offset = 0; offset < bytes.length; offset += SLICE) {
      this.#load(bytes, offset);
      let stop: Stop;
      do {
        const start = this.#end;
        stop = this.#run();
        room -= this.#end - start;
        if (room < 0) throw new InflateLimitError();
        if (this.#end > start) parts.push(this.#buffer.slice(start, this.#end));
        if (stop === "full") this.#makeRoom();
      } while (stop === "full");
      this.#unload();
    }
    return parts.length === 1 ? parts[0]! : concat(parts);
  }

  reset(): void {
    if (this.#buffer.length > spare.length) spare = this.#buffer;
    this.#buffer = NOTHING;
    this.#end = 0;
    this.#state = "header";
    this.#fresh = true;
    this.#final = false;
    this.#carry = NOTHING;
    this.#firstBit = 0;
  }

  close(): void {
    this.reset();
  }

  #load(bytes: Uint8Array, offset: number): void {
    const carried = this.#carry.length;
    if (carried > 0) INPUT.set(this.#carry);
    const slice = offset === 0 && bytes.length <= SLICE ? bytes : bytes.subarray(offset, offset + SLICE);
    INPUT.set(slice, carried);
    this.#inputEnd = carried + slice.length;
    this.#seek(this.#firstBit);
    if (this.#state === "dynamic" && tablesOwner !== this) {
      LENGTHS.set(this.#lengths);
      this.#buildTables();
    }
  }

  #unload(): void {
    const position = this.#tell();
    const first = position >> 3;
    this.#carry = first === this.#inputEnd ? NOTHING : INPUT.slice(first, this.#inputEnd);
    this.#firstBit = position & 7;
    if (this.#state === "dynamic" && this.#lengths === NOTHING) this.#lengths = LENGTHS.slice(0, this.#symbolCount);
  }

  /** Keeps the window, in a larger buffer or at the beginning of this one. */
  #makeRoom(): void {
    const { length } = this.#buffer;
    const most = this.#windowSize + SLACK;
    if (length >= most) {
      this.#buffer.copyWithin(0, this.#end - this.#windowSize, this.#end);
      this.#end = this.#windowSize;
    } else if (length === 0) this.#buffer = takeSpare();
    else {
      const larger = new Uint8Array(Math.min(length * 2, most));
      larger.set(this.#buffer);
      this.#buffer = larger;
    }
  }

  #run(): Stop {
    for (;;) {
      const stop = this.#step();
      if (stop !== "over") return stop;
      if (this.#state === "header" && this.#final) this.#endStream();
    }
  }

  #step(): Stop {
    switch (this.#state) {
      case "header":
        return this.#readHeader();
      case "lengths":
        return this.#readStoredLengths();
      case "stored":
        return this.#copyStored();
      case "fixed":
        return this.#decode(fixedLiterals, fixedDistances);
      case "dynamic":
        return this.#decode(dynamicLiterals, dynamicDistances);
    }
  }

  /** A block with BFINAL ends on a byte boundary; what follows is a new stream, for which RFC 7692 §7.2.3.4 keeps the window. */
  #endStream(): void {
    this.#final = false;
    this.#fresh = true;
    this.#seek((this.#tell() + 7) & ~7);
  }

  // Bits

  /** The position in INPUT, in bits. */
  #tell(): number {
    return this.#at * 8 - this.#bits;
  }

  #seek(position: number): void {
    this.#at = position >> 3;
    this.#bits = 0;
    this.#hold = 0;
    const skipped = position & 7;
    if (skipped > 0) {
      this.#hold = INPUT[this.#at++]! >> skipped;
      this.#bits = 8 - skipped;
    }
  }

  /** Whether `count` bits, 16 at most, are there; they are in `#hold` then. */
  #need(count: number): boolean {
    while (this.#bits < count) {
      if (this.#at >= this.#inputEnd) return false;
      this.#hold |= INPUT[this.#at++]! << this.#bits;
      this.#bits += 8;
    }
    return true;
  }

  #take(count: number): number {
    const value = this.#hold & ((1 << count) - 1);
    this.#hold >>>= count;
    this.#bits -= count;
    return value;
  }

  // Blocks

  /** §3.2.3: BFINAL and BTYPE, and for a dynamic block its code. */
  #readHeader(): Stop {
    const start = this.#tell();
    if (!this.#need(3)) return "starved";
    const final = this.#take(1) === 1;
    const type = this.#take(2);
    if (type === DYNAMIC) {
      if (!this.#readCode()) {
        this.#seek(start);
        return "starved";
      }
      this.#state = "dynamic";
    } else if (type === FIXED) this.#state = "fixed";
    else if (type === STORED) this.#state = "lengths";
    else throw new Error("reserved block type");
    this.#final = final;
    this.#fresh = false;
    if (type === STORED) this.#seek((this.#tell() + 7) & ~7);
    return "over";
  }

  /** §3.2.4: LEN, and NLEN which confirms it. */
  #readStoredLengths(): Stop {
    if (this.#inputEnd - this.#at < 4) return "starved";
    const length = INPUT[this.#at]! | (INPUT[this.#at + 1]! << 8);
    const complement = INPUT[this.#at + 2]! | (INPUT[this.#at + 3]! << 8);
    if ((length ^ complement) !== 0xffff) throw new Error("length of a stored block not confirmed");
    this.#at += 4;
    this.#storedLeft = length;
    this.#state = "stored";
    return "over";
  }

  #copyStored(): Stop {
    const count = Math.min(this.#storedLeft, this.#inputEnd - this.#at, this.#buffer.length - this.#end);
    this.#buffer.set(INPUT.subarray(this.#at, this.#at + count), this.#end);
    this.#at += count;
    this.#end += count;
    this.#storedLeft -= count;
    if (this.#storedLeft > 0) return this.#end === this.#buffer.length ? "full" : "starved";
    this.#state = "header";
    return "over";
  }

  /** §3.2.7: the code of a dynamic block. Returns whether all of it was there. */
  #readCode(): boolean {
    if (!this.#need(14)) return false;
    const literals = 257 + this.#take(5);
    const distances = 1 + this.#take(5);
    const count = 4 + this.#take(4);
    if (literals > LITERAL_SYMBOLS || distances > DISTANCE_SYMBOLS) throw new Error("too many symbols");
    LENGTHS.fill(0, 0, 19);
    for (let index = 0; index < count; index++) {
      if (!this.#need(3)) return false;
      LENGTHS[LENGTHS_ORDER[index]!] = this.#take(3);
    }
    if (!codeLengths.build(LENGTHS, 0, 19)) throw new Error("not a code for code lengths");
    tablesOwner = undefined;
    if (!this.#readLengths(literals + distances)) return false;
    this.#literalCount = literals;
    this.#symbolCount = literals + distances;
    this.#lengths = NOTHING;
    this.#buildTables();
    return true;
  }

  /** §3.2.7: the lengths of both codes as one sequence, in the code for code lengths. */
  #readLengths(total: number): boolean {
    let filled = 0;
    while (filled < total) {
      // Not every code has 7 bits, so they may not all be there; those that are not count as zeros until it is known.
      this.#need(7);
      const symbol = codeLengths.fast[this.#hold & 127]!;
      const length = symbol & 15;
      const value = symbol >> VALUE_SHIFT;
      if (length > this.#bits) return false;
      if (length === 0) {
        if (this.#bits < 7) return false;
        throw new Error("no such code");
      }
      const extra = value < 16 ? 0 : value === 18 ? 7 : value - 14;
      if (!this.#need(length + extra)) return false;
      this.#take(length);
      if (value < 16) {
        LENGTHS[filled++] = value;
        continue;
      }
      const repeat = (value === 18 ? 11 : 3) + this.#take(extra);
      if (filled + repeat > total || (value === 16 && filled === 0)) throw new Error("repetition out of place");
      LENGTHS.fill(value === 16 ? LENGTHS[filled - 1]! : 0, filled, filled + repeat);
      filled += repeat;
    }
    return true;
  }

  #buildTables(): void {
    if (LENGTHS[END_OF_BLOCK] === 0) throw new Error("no code for the end of the block");
    const usable = dynamicLiterals.build(LENGTHS, 0, this.#literalCount)
      && dynamicDistances.build(LENGTHS, this.#literalCount, this.#symbolCount);
    if (!usable) throw new Error("not a code");
    tablesOwner = this;
  }

  /** §3.2.5: literals and copies up to the end of the block. */
  #decode(literals: DecodeTable, distances: DecodeTable): Stop {
    while (this.#end <= this.#buffer.length - MAX_COPY) {
      const start = this.#tell();
      const symbol = this.#readSymbol(literals);
      const kind = (symbol >> KIND_SHIFT) & KIND_MASK;
      const length = kind === KIND_COPY ? this.#readValue(symbol) : 0;
      const far = kind === KIND_COPY ? this.#readSymbol(distances) : symbol;
      const distance = kind === KIND_COPY ? this.#readValue(far) : 0;
      if (this.#tell() > this.#inputEnd * 8) {
        this.#seek(start);
        return "starved";
      }
      if (far === 0) throw new Error("no such code");
      if (kind === KIND_COPY) this.#copy(length, distance);
      else if (kind === KIND_LITERAL) this.#buffer[this.#end++] = symbol >> VALUE_SHIFT;
      else {
        this.#seek(this.#tell());
        this.#state = "header";
        return "over";
      }
    }
    this.#seek(this.#tell());
    return "full";
  }

  /** The entry of the next symbol. Bits that are not there are made up; whoever reads on asks afterwards. */
  #readSymbol(table: DecodeTable): number {
    this.#fill();
    const hold = this.#hold;
    const symbol = table.fast[hold & (table.fast.length - 1)]! || table.slow(hold);
    // No code is known to be none before all of its bits are there.
    const length = symbol === 0 ? MAX_CODE_LENGTH : symbol & LENGTH_MASK;
    this.#hold = hold >>> length;
    this.#bits -= length;
    return symbol;
  }

  /** The value of a symbol with its extra bits. */
  #readValue(symbol: number): number {
    const extra = (symbol >> EXTRA_SHIFT) & EXTRA_MASK;
    if (extra === 0) return symbol >> VALUE_SHIFT;
    this.#fill();
    return (symbol >> VALUE_SHIFT) + this.#take(extra);
  }

  /** Makes 15 bits ready, which is the most that is read at once. */
  #fill(): void {
    if (this.#bits >= MAX_CODE_LENGTH) return;
    this.#hold |= (INPUT[this.#at]! | (INPUT[this.#at + 1]! << 8)) << this.#bits;
    this.#at += 2;
    this.#bits += 16;
  }

  #copy(length: number, distance: number): void {
    const buffer = this.#buffer;
    const end = this.#end;
    if (distance > end || distance > this.#windowSize) throw new Error("distance too far back");
    const from = end - distance;
    if (length >= COPY_WITHIN_FROM && distance >= length) buffer.copyWithin(end, from, from + length);
    else for (let index = 0; index < length; index++) buffer[end + index] = buffer[from + index]!;
    this.#end = end + length;
  }
}
