// One block of compressed content, RFC 1951 §3.2.3 to §3.2.7: literals and copies are written in the form that takes the least room.
//
// All of it is scratch, and there is one for all deflaters: a block is begun and ended within one call.

import { BLOCK_SIZE, put, putCode, putStored } from "./bit-writer.ts";
import {
  DISTANCE_BASE,
  DISTANCE_EXTRA,
  DISTANCE_SYMBOLS,
  DYNAMIC,
  END_OF_BLOCK,
  FIXED,
  FIXED_DISTANCE_LENGTHS,
  FIXED_LITERAL_LENGTHS,
  LENGTH_BASE,
  LENGTH_EXTRA,
  LENGTHS_ORDER,
  LITERAL_SYMBOLS,
  MAX_CODE_LENGTH,
  MAX_COPY,
} from "./format.ts";
import { assignCodes, buildLengths } from "./huffman.ts";

/** Under so many literals and copies, a code of their own saves less than it takes to send, or hardly more. */
const OWN_CODE_FROM = 128;

/** The content of a block: a literal is its value, a copy is its length above 16 bits of distance. */
export const tokens: Int32Array = new Int32Array(BLOCK_SIZE);

const LENGTH_SYMBOL = new Uint8Array(MAX_COPY + 1);
LENGTH_BASE.forEach((base, symbol) => LENGTH_SYMBOL.fill(symbol, base));

const fixedLiterals = new Int32Array(FIXED_LITERAL_LENGTHS.length);
const fixedDistances = new Int32Array(FIXED_DISTANCE_LENGTHS.length);
assignCodes(FIXED_LITERAL_LENGTHS, fixedLiterals);
assignCodes(FIXED_DISTANCE_LENGTHS, fixedDistances);

const LITERAL_EXTRA = new Uint8Array(LITERAL_SYMBOLS);
LITERAL_EXTRA.set(LENGTH_EXTRA, END_OF_BLOCK + 1);

// The block's own code: literals and lengths, distances, and the code that these two are sent in (§3.2.7)
const literalFrequencies = new Uint16Array(LITERAL_SYMBOLS);
const literalLengths = new Uint8Array(LITERAL_SYMBOLS);
const literalCodes = new Int32Array(LITERAL_SYMBOLS);
const distanceFrequencies = new Uint16Array(DISTANCE_SYMBOLS);
const distanceLengths = new Uint8Array(DISTANCE_SYMBOLS);
const distanceCodes = new Int32Array(DISTANCE_SYMBOLS);
const runFrequencies = new Uint16Array(LENGTHS_ORDER.length);
const runLengths = new Uint8Array(LENGTHS_ORDER.length);
const runCodes = new Int32Array(LENGTHS_ORDER.length);

// The lengths of the first two codes as symbols of the third: a symbol, above it the value of its extra bits
const runs = new Uint16Array(LITERAL_SYMBOLS + DISTANCE_SYMBOLS);
let runCount = 0;
const RUN_SHIFT = 8;
const REPEAT = 16;
const FEW_ZEROS = 17;
const MANY_ZEROS = 18;
const RUN_EXTRA = new Uint8Array(LENGTHS_ORDER.length);
RUN_EXTRA.set([2, 3, 7], REPEAT);

/** Writes the first `count` of {@linkcode tokens}, which stand for the bytes from `start` to `end` of `content`. */
export function writeBlock(count: number, content: Uint8Array, start: number, end: number): void {
  const storedSize = (end - start) * 8 + 40;
  const fixedSize = fixedBits(count);
  const ownSize = count < OWN_CODE_FROM ? Infinity : buildCode(count);
  if (storedSize <= fixedSize && storedSize <= ownSize) putStored(content, start, end);
  else if (fixedSize <= ownSize) {
    put(FIXED << 1, 3);
    writeTokens(count, fixedLiterals, fixedDistances);
  } else {
    put(DYNAMIC << 1, 3);
    writeCode();
    writeTokens(count, literalCodes, distanceCodes);
  }
}

function writeTokens(count: number, literals: Int32Array, distances: Int32Array): void {
  for (let index = 0; index < count; index++) {
    const token = tokens[index]!;
    if (token < END_OF_BLOCK) putCode(literals[token]!);
    else writeCopy(token >> 16, token & 0xffff, literals, distances);
  }
  putCode(literals[END_OF_BLOCK]!);
}

function writeCopy(length: number, distance: number, literals: Int32Array, distances: Int32Array): void {
  const lengthSymbol = LENGTH_SYMBOL[length]!;
  putCode(literals[257 + lengthSymbol]!);
  put(length - LENGTH_BASE[lengthSymbol]!, LENGTH_EXTRA[lengthSymbol]!);
  const symbol = distanceSymbol(distance);
  putCode(distances[symbol]!);
  put(distance - DISTANCE_BASE[symbol]!, DISTANCE_EXTRA[symbol]!);
}

/** §3.2.5: the first four distances have symbols of their own; then there are two for each number of extra bits. */
function distanceSymbol(distance: number): number {
  if (distance <= 4) return distance - 1;
  const extra = 30 - Math.clz32(distance - 1);
  return 2 * extra + ((distance - 1) >> extra);
}

/** The bits that the tokens take in the fixed code (§3.2.6). */
function fixedBits(count: number): number {
  let bits = 3 + 7;
  for (let index = 0; index < count; index++) {
    const token = tokens[index]!;
    if (token < END_OF_BLOCK) bits += token < 144 ? 8 : 9;
    else {
      const lengthSymbol = LENGTH_SYMBOL[token >> 16]!;
      bits += (lengthSymbol < 23 ? 7 : 8) + LENGTH_EXTRA[lengthSymbol]! + 5
        + DISTANCE_EXTRA[distanceSymbol(token & 0xffff)]!;
    }
  }
  return bits;
}

/** Makes a code for the tokens; returns the bits that both take. */
function buildCode(count: number): number {
  countSymbols(count);
  buildLengths(literalFrequencies, literalLengths, MAX_CODE_LENGTH);
  buildLengths(distanceFrequencies, distanceLengths, MAX_CODE_LENGTH);
  buildRuns();
  return 3 + 14 + 3 * runLengthCount()
    + bitsOf(literalFrequencies, literalLengths, LITERAL_EXTRA)
    + bitsOf(distanceFrequencies, distanceLengths, DISTANCE_EXTRA)
    + bitsOf(runFrequencies, runLengths, RUN_EXTRA);
}

function bitsOf(frequencies: Uint16Array, lengths: Uint8Array, extra: Uint8Array): number {
  let bits = 0;
  for (let symbol = 0; symbol < frequencies.length; symbol++) {
    bits += frequencies[symbol]! * (lengths[symbol]! + extra[symbol]!);
  }
  return bits;
}

function countSymbols(count: number): void {
  literalFrequencies.fill(0);
  distanceFrequencies.fill(0);
  for (let index = 0; index < count; index++) {
    const token = tokens[index]!;
    if (token < END_OF_BLOCK) literalFrequencies[token]!++;
    else {
      literalFrequencies[257 + LENGTH_SYMBOL[token >> 16]!]!++;
      distanceFrequencies[distanceSymbol(token & 0xffff)]!++;
    }
  }
  literalFrequencies[END_OF_BLOCK] = 1;
  pretendTwo(distanceFrequencies);
}

/** Makes sure that two symbols have a code: a code of one symbol is incomplete, which not every decoder takes. */
function pretendTwo(frequencies: Uint16Array): void {
  frequencies[0] ||= 1;
  frequencies[1] ||= 1;
}

/** §3.2.7: the lengths of both codes as one sequence of lengths and repetitions, and a code for these. */
function buildRuns(): void {
  runCount = 0;
  runFrequencies.fill(0);
  addRuns(literalLengths);
  addRuns(distanceLengths);
  pretendTwo(runFrequencies);
  buildLengths(runFrequencies, runLengths, 7);
}

/** Lengths up to the last that is not zero. */
function usedCount(lengths: Uint8Array): number {
  let count = lengths.length;
  while (lengths[count - 1] === 0) count--;
  return count;
}

function addRuns(lengths: Uint8Array): void {
  const end = usedCount(lengths);
  for (let index = 0; index < end;) {
    const length = lengths[index]!;
    let next = index + 1;
    while (next < end && lengths[next] === length) next++;
    if (length === 0) addZeros(next - index);
    else addLengths(length, next - index);
    index = next;
  }
}

function addZeros(times: number): void {
  for (; times >= 11; times -= Math.min(times, 138)) addRun(MANY_ZEROS, Math.min(times, 138) - 11);
  if (times >= 3) addRun(FEW_ZEROS, times - 3);
  else for (; times > 0; times--) addRun(0, 0);
}

function addLengths(length: number, times: number): void {
  addRun(length, 0);
  for (times--; times >= 3; times -= Math.min(times, 6)) addRun(REPEAT, Math.min(times, 6) - 3);
  for (; times > 0; times--) addRun(length, 0);
}

function addRun(symbol: number, extra: number): void {
  runs[runCount++] = (extra << RUN_SHIFT) | symbol;
  runFrequencies[symbol]!++;
}

/** How many lengths of the third code are sent: 4 at least. */
function runLengthCount(): number {
  let count = LENGTHS_ORDER.length;
  while (count > 4 && runLengths[LENGTHS_ORDER[count - 1]!] === 0) count--;
  return count;
}

function writeCode(): void {
  assignCodes(literalLengths, literalCodes);
  assignCodes(distanceLengths, distanceCodes);
  assignCodes(runLengths, runCodes);
  const count = runLengthCount();
  put(usedCount(literalLengths) - 257, 5);
  put(usedCount(distanceLengths) - 1, 5);
  put(count - 4, 4);
  for (let index = 0; index < count; index++) put(runLengths[LENGTHS_ORDER[index]!]!, 3);
  for (let index = 0; index < runCount; index++) {
    const symbol = runs[index]! & (2 ** RUN_SHIFT - 1);
    putCode(runCodes[symbol]!);
    put(runs[index]! >> RUN_SHIFT, RUN_EXTRA[symbol]!);
  }
}
