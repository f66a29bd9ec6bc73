// The code of a dynamic block: RFC 1951 §3.2.7.
//
// A code is needed for as long as its block is read, which is within one call for nearly all; so there is one set of tables for all
// inflaters. An inflater whose block goes on beyond a call keeps the code lengths, from which the tables are built again.

import { input } from "./bit-reader.ts";
import {
  DecodeTable,
  DISTANCE_ENTRIES,
  KIND_COPY,
  KIND_LITERAL,
  kindOf,
  LENGTH_ENTRIES,
  LITERAL_ENTRIES,
} from "./decode-table.ts";
import { DISTANCE_SYMBOLS, END_OF_BLOCK, LENGTHS_ORDER, LITERAL_SYMBOLS } from "./format.ts";

/** The code lengths of a dynamic block: what its tables are built from. */
export interface DynamicCode {
  readonly lengths: Uint8Array;
  /** How many of the lengths are of literals and lengths; the others are of distances. */
  readonly literals: number;
}

// The tables take some microseconds to build, and the time grows with these.
const LITERAL_ROOT_BITS = 9;
const DISTANCE_ROOT_BITS = 6;

export const dynamicLiterals: DecodeTable = new DecodeTable(LITERAL_ROOT_BITS, LITERAL_ENTRIES);
export const dynamicDistances: DecodeTable = new DecodeTable(DISTANCE_ROOT_BITS, DISTANCE_ENTRIES);
let built: DynamicCode | undefined;

const codeLengths = new DecodeTable(7, LENGTH_ENTRIES);
const lengths = new Uint8Array(LITERAL_SYMBOLS + DISTANCE_SYMBOLS);

/** Reads the code that follows the header of a dynamic block; `undefined` where it is cut off. */
export function readDynamicCode(): DynamicCode | undefined {
  if (!input.has(14)) return undefined;
  const literals = 257 + input.read(5);
  const total = literals + 1 + input.read(5);
  const count = 4 + input.read(4);
  if (literals > LITERAL_SYMBOLS || total > literals + DISTANCE_SYMBOLS) throw new Error("too many symbols");
  if (!input.has(3 * count)) return undefined;
  lengths.fill(0, 0, LENGTHS_ORDER.length);
  for (let index = 0; index < count; index++) lengths[LENGTHS_ORDER[index]!] = input.read(3);
  if (!codeLengths.build(lengths, 0, LENGTHS_ORDER.length)) throw new Error("not a code");
  for (let filled = 0; filled < total;) {
    const next = readRun(filled, total);
    if (next === undefined) return undefined;
    filled = next;
  }
  return { lengths: lengths.slice(0, total), literals };
}

/** Reads a length or a run of them; returns how many lengths there are then. */
function readRun(filled: number, total: number): number | undefined {
  const symbol = input.readSymbol(codeLengths);
  const value = input.readValue(symbol);
  if (input.overrun()) return undefined;
  if (symbol === 0) throw new Error("no such code");
  const kind = kindOf(symbol);
  if (kind === KIND_LITERAL) {
    lengths[filled] = value;
    return filled + 1;
  }
  if (filled + value > total || (kind === KIND_COPY && filled === 0)) throw new Error("repetition out of place");
  lengths.fill(kind === KIND_COPY ? lengths[filled - 1]! : 0, filled, filled + value);
  return filled + value;
}

/** Makes the tables those of this code. */
export function buildDynamicTables(code: DynamicCode): void {
  if (built === code) return;
  built = undefined;
  const usable = code.lengths[END_OF_BLOCK] !== 0
    && dynamicLiterals.build(code.lengths, 0, code.literals)
    && dynamicDistances.build(code.lengths, code.literals, code.lengths.length);
  if (!usable) throw new Error("not a code");
  built = code;
}
