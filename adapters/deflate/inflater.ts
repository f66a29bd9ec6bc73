// Decompression: RFC 1951 §3.2.3 to §3.2.6, from input that may stop at any bit, with the window kept from call to call.
//
// The window and the output of the call under way lie in one buffer, so that a copy never has to look in two places; it grows with what
// it holds, up to the window and a little more. Bits are bit-reader.ts's affair.

import { concat } from "../../core/bytes.ts";
import type { Inflater } from "../../core/deflate/codec.ts";
import { InflateLimitError } from "../../core/deflate/codec.ts";
import { input, MAX_INPUT } from "./bit-reader.ts";
import { DecodeTable, DISTANCE_ENTRIES, KIND_COPY, KIND_LITERAL, kindOf, LITERAL_ENTRIES } from "./decode-table.ts";
import type { DynamicCode } from "./dynamic-code.ts";
import { buildDynamicTables, dynamicDistances, dynamicLiterals, readDynamicCode } from "./dynamic-code.ts";
import { DYNAMIC, FIXED, FIXED_DISTANCE_LENGTHS, FIXED_LITERAL_LENGTHS, MAX_COPY, STORED } from "./format.ts";

/** Output beyond the window that the buffer has room for. */
const SLACK = 8 * 1024;
const FIRST_SIZE = 1024;
/** Shorter copies are cheaper byte by byte. */
const COPY_WITHIN_FROM = 32;

const fixedLiterals = new DecodeTable(9, LITERAL_ENTRIES);
const fixedDistances = new DecodeTable(5, DISTANCE_ENTRIES);
fixedLiterals.build(FIXED_LITERAL_LENGTHS, 0, FIXED_LITERAL_LENGTHS.length);
fixedDistances.build(FIXED_DISTANCE_LENGTHS, 0, FIXED_DISTANCE_LENGTHS.length);

/** What the bits to come are. */
type State = "header" | "lengths" | "stored" | "fixed" | "dynamic";
/** Why a step of decoding ended: its block is over, or the input, or the buffer is full. */
type Stop = "over" | "starved" | "full";

const NOTHING: Uint8Array = new Uint8Array(0);

// A buffer that an inflater gave up at a reset. Each message takes it and gives it up again, so one is enough.
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
  #code: DynamicCode | undefined;

  // Input that is not read yet, from bit `#firstBit` of its first byte on
  #carry: Uint8Array = NOTHING;
  #firstBit = 0;

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
    for (let offset = 0; offset < bytes.length; offset += MAX_INPUT) {
      input.load(
        this.#carry,
        this.#firstBit,
        bytes.length <= MAX_INPUT ? bytes : bytes.subarray(offset, offset + MAX_INPUT),
      );
      let stop: Stop;
      do {
        const start = this.#end;
        stop = this.#runWithin(room);
        room -= this.#end - start;
        if (room < 0) throw new InflateLimitError();
        if (this.#end > start) parts.push(this.#buffer.slice(start, this.#end));
        if (stop === "full") this.#makeRoom();
      } while (stop === "full");
      this.#carry = input.unread();
      this.#firstBit = input.tell() & 7;
    }
    return parts.length > 1 ? concat(parts) : parts[0] ?? NOTHING;
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

  // Of two faults the one that is met first is told, wherever the input was cut.
  #runWithin(room: number): Stop {
    const start = this.#end;
    try {
      return this.#run();
    } catch (error) {
      throw this.#end - start > room ? new InflateLimitError() : error;
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
        buildDynamicTables(this.#code!);
        return this.#decode(dynamicLiterals, dynamicDistances);
    }
  }

  /** A block with BFINAL ends on a byte boundary; what follows is a new stream, for which RFC 7692 §7.2.3.4 keeps the window. */
  #endStream(): void {
    this.#final = false;
    this.#fresh = true;
    input.align();
  }

  /** §3.2.3: BFINAL and BTYPE, and for a dynamic block its code. */
  #readHeader(): Stop {
    const start = input.tell();
    if (!input.has(3)) return "starved";
    const final = input.read(1) === 1;
    const type = input.read(2);
    if (type === DYNAMIC) {
      this.#code = readDynamicCode();
      if (this.#code === undefined) {
        input.seek(start);
        return "starved";
      }
      this.#state = "dynamic";
    } else if (type === FIXED) this.#state = "fixed";
    else if (type === STORED) {
      this.#state = "lengths";
      input.align();
    } else throw new Error("reserved block type");
    this.#final = final;
    this.#fresh = false;
    return "over";
  }

  /** §3.2.4: LEN, and NLEN which confirms it. */
  #readStoredLengths(): Stop {
    if (!input.has(32)) return "starved";
    const length = input.read(8) | (input.read(8) << 8);
    const complement = input.read(8) | (input.read(8) << 8);
    if ((length ^ complement) !== 0xffff) throw new Error("length of a stored block not confirmed");
    input.align();
    this.#storedLeft = length;
    this.#state = "stored";
    return "over";
  }

  #copyStored(): Stop {
    const count = input.readBytes(this.#buffer, this.#end, this.#storedLeft);
    this.#end += count;
    this.#storedLeft -= count;
    if (this.#storedLeft > 0) return this.#end === this.#buffer.length ? "full" : "starved";
    this.#state = "header";
    return "over";
  }

  /** §3.2.5: literals and copies up to the end of the block. */
  #decode(literals: DecodeTable, distances: DecodeTable): Stop {
    for (;;) {
      this.#end = input.readLiterals(literals, this.#buffer, this.#end);
      if (this.#end > this.#buffer.length - MAX_COPY) return "full";
      const start = input.tell();
      const symbol = input.readSymbol(literals);
      const kind = kindOf(symbol);
      const copy = kind === KIND_COPY;
      const length = copy ? input.readValue(symbol) : 0;
      const far = copy ? input.readSymbol(distances) : symbol;
      const distance = copy ? input.readValue(far) : 0;
      if (input.overrun()) {
        input.seek(start);
        return "starved";
      }
      if (far === 0) throw new Error("no such code");
      if (copy) this.#copy(length, distance);
      else if (kind === KIND_LITERAL) this.#buffer[this.#end++] = input.readValue(symbol);
      else {
        this.#state = "header";
        return "over";
      }
    }
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
