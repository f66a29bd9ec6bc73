// One block of output, RFC 1951 §3.2.3 to §3.2.7: literals and copies are collected, then written in whatever form is the shortest.
//
// There is one block for all deflaters, since none is left open between calls. The bits before it come from the block before it.

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
  STORED,
} from "./format.ts";
import { assignCodes, buildLengths, CODE_SHIFT, LENGTH_MASK } from "./huffman.ts";

/** Content of one block, in bytes, at most. */
export const BLOCK_SIZE: number = 16 * 1024;

/** Below so many literals and copies, the code of a dynamic block takes more room than it saves, or so little less that it is not worth the time. */
const DYNAMIC_FROM = 128;

// Output of the call under way. A block never takes more room than its content stored: 5 bytes and 7 bits more than that.
const OUTPUT = new Uint8Array(BLOCK_SIZE + 64);
let at = 0;
let hold = 0;
let bits = 0;

// The block: a literal is its value, a copy is its length above the 16 bits of its distance.
export const tokens: Int32Array = new Int32Array(BLOCK_SIZE);
const literalFrequencies = new Uint16Array(LITERAL_SYMBOLS);
const distanceFrequencies = new Uint16Array(DISTANCE_SYMBOLS);

const LENGTH_SYMBOL = new Uint8Array(MAX_COPY + 1);
LENGTH_BASE.forEach((base, symbol) => LENGTH_SYMBOL.fill(symbol, base));

const fixedLiterals = new Int32Array(FIXED_LITERAL_LENGTHS.length);
assignCodes(FIXED_LITERAL_LENGTHS, fixedLiterals);
const fixedDistances = new Int32Array(FIXED_DISTANCE_LENGTHS.length);
assignCodes(FIXED_DISTANCE_LENGTHS, fixedDistances);

const literalLengths = new Uint8Array(LITERAL_SYMBOLS);
const distanceLengths = new Uint8Array(DISTANCE_SYMBOLS);
const literalCodes = new Int32Array(LITERAL_SYMBOLS);
const distanceCodes = new Int32Array(DISTANCE_SYMBOLS);

// The code for code lengths (§3.2.7): the lengths as symbols, each above 3 bits for the number of its extra bits… see `pushRun`.
const runs = new Uint16Array(LITERAL_SYMBOLS + DISTANCE_SYMBOLS);
let runCount = 0;
const runFrequencies = new Uint16Array(19);
const runLengths = new Uint8Array(19);
const runCodes = new Int32Array(19);
const RUN_SHIFT = 8;
const RUN_EXTRA = Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 3, 7);

/** §3.2.5: the first four distances have symbols of their own; then two symbols for each number of extra bits. */
function distanceSymbol(distance: number): number {
  if (distance <= 4) return distance - 1;
  const extra = 30 - Math.clz32(distance - 1);
  return 2 * extra + ((distance - 1) >> extra);
}

/**
 * Writes a block of the first `count` of {@linkcode tokens}, which stand for the bytes from `start` to `end` of `content`.
 */
export function writeBlock(count: number, content: Uint8Array, start: number, end: number): void {
  const storedCost = (end - start) * 8 + 40;
  const dynamicCost = count < DYNAMIC_FROM ? Infinity : buildCode(count);
  const fixedCost = count < DYNAMIC_FROM ? 0 : cost(FIXED_LITERAL_LENGTHS, FIXED_DISTANCE_LENGTHS);
  if (storedCost <= fixedCost && storedCost <= dynamicCost) writeStored(content, start, end);
  else if (fixedCost <= dynamicCost) {
    const [a, h, b] = [at, hold, bits];
    put(FIXED << 1, 3);
    writeTokens(count, fixedLiterals, fixedDistances);
    if ((at - a) * 8 > storedCost) {
      at = a; hold = h; bits = b;
      writeStored(content, start, end);
    }
  } else {
    put(DYNAMIC << 1, 3);
    writeCode();
    writeTokens(count, literalCodes, distanceCodes);
  }
}

/** Writes an empty stored block, which ends on a byte boundary (a sync flush). */
export function flush(): void {
  writeStored(OUTPUT, 0, 0);
}

/** What was written since the last call, but for bits of a byte that is not complete. */
export function takeOutput(): Uint8Array {
  const output = OUTPUT.slice(0, at);
  at = 0;
  return output;
}

/** Bits that what was added takes in a code of these lengths. */
function cost(literals: Uint8Array, distances: Uint8Array): number {
  let sum = 3;
  for (let symbol = 0; symbol <= END_OF_BLOCK; symbol++) sum += literalFrequencies[symbol]! * literals[symbol]!;
  for (let index = 0; index < LENGTH_EXTRA.length; index++) {
    sum += literalFrequencies[257 + index]! * (literals[257 + index]! + LENGTH_EXTRA[index]!);
  }
  for (let symbol = 0; symbol < DISTANCE_SYMBOLS; symbol++) {
    sum += distanceFrequencies[symbol]! * (distances[symbol]! + DISTANCE_EXTRA[symbol]!);
  }
  return sum;
}

/** Makes a code for the tokens; returns the bits that both take. */
function buildCode(count: number): number {
  literalFrequencies.fill(0);
  distanceFrequencies.fill(0);
  for (let index = 0; index < count; index++) {
    const token = tokens[index]!;
    if (token < 256) literalFrequencies[token]!++;
    else {
      literalFrequencies[257 + LENGTH_SYMBOL[token >> 16]!]!++;
      distanceFrequencies[distanceSymbol(token & 0xffff)]!++;
    }
  }
  literalFrequencies[END_OF_BLOCK] = 1;
  // Some decoders want two distance codes, whether or not there is a copy.
  if (distanceFrequencies[0] === 0) distanceFrequencies[0] = 1;
  if (distanceFrequencies[1] === 0) distanceFrequencies[1] = 1;
  buildLengths(literalFrequencies, literalLengths, MAX_CODE_LENGTH);
  buildLengths(distanceFrequencies, distanceLengths, MAX_CODE_LENGTH);
  return cost(literalLengths, distanceLengths) + buildRuns();
}

/** §3.2.7: the lengths of both codes, as lengths and repetitions; returns the bits they take. */
function buildRuns(): number {
  runCount = 0;
  runFrequencies.fill(0);
  addRuns(literalLengths, lastUsed(literalLengths) + 1);
  addRuns(distanceLengths, lastUsed(distanceLengths) + 1);
  runFrequencies[0]!++;
  runFrequencies[18]!++;
  buildLengths(runFrequencies, runLengths, 7);
  let sum = 14 + 3 * runLengthCount();
  for (let symbol = 0; symbol < 19; symbol++) sum += runFrequencies[symbol]! * (runLengths[symbol]! + RUN_EXTRA[symbol]!);
  return sum;
}

function lastUsed(lengths: Uint8Array): number {
  let last = lengths.length - 1;
  while (lengths[last] === 0) last--;
  return last;
}

function addRuns(lengths: Uint8Array, end: number): void {
  for (let index = 0; index < end;) {
    const length = lengths[index]!;
    let next = index + 1;
    while (next < end && lengths[next] === length) next++;
    if (length === 0) addZeros(next - index);
    else addRepeated(length, next - index);
    index = next;
  }
}

function addZeros(times: number): void {
  while (times >= 11) {
    const some = Math.min(times, 138);
    pushRun(18, some - 11);
    times -= some;
  }
  if (times >= 3) pushRun(17, times - 3);
  else while (times-- > 0) pushRun(0, 0);
}

function addRepeated(length: number, times: number): void {
  pushRun(length, 0);
  times--;
  while (times >= 3) {
    const some = Math.min(times, 6);
    pushRun(16, some - 3);
    times -= some;
  }
  while (times-- > 0) pushRun(length, 0);
}

function pushRun(symbol: number, extra: number): void {
  runs[runCount++] = (extra << RUN_SHIFT) | symbol;
  runFrequencies[symbol]!++;
}

function runLengthCount(): number {
  let last = 18;
  while (last > 3 && runLengths[LENGTHS_ORDER[last]!] === 0) last--;
  return last + 1;
}

function writeCode(): void {
  assignCodes(literalLengths, literalCodes);
  assignCodes(distanceLengths, distanceCodes);
  assignCodes(runLengths, runCodes);
  const lengths = runLengthCount();
  put(lastUsed(literalLengths) + 1 - 257, 5);
  put(lastUsed(distanceLengths), 5);
  put(lengths - 4, 4);
  for (let index = 0; index < lengths; index++) put(runLengths[LENGTHS_ORDER[index]!]!, 3);
  for (let index = 0; index < runCount; index++) {
    const symbol = runs[index]! & ((1 << RUN_SHIFT) - 1);
    put(runCodes[symbol]! >> CODE_SHIFT, runCodes[symbol]! & LENGTH_MASK);
    put(runs[index]! >> RUN_SHIFT, RUN_EXTRA[symbol]!);
  }
}

function writeTokens(count: number, literals: Int32Array, distances: Int32Array): void {
  let out = at;
  let held = hold;
  let size = bits;
  for (let index = 0; index < count; index++) {
    const token = tokens[index]!;
    const copy = token > 255;
    const lengthSymbol = copy ? LENGTH_SYMBOL[token >> 16]! : 0;
    const first = literals[copy ? 257 + lengthSymbol : token]!;
    held |= (first >> CODE_SHIFT) << size;
    size += first & LENGTH_MASK;
    if (size >= 16) {
      OUTPUT[out++] = held;
      OUTPUT[out++] = held >> 8;
      held >>>= 16;
      size -= 16;
    }
    if (!copy) continue;
    held |= ((token >> 16) - LENGTH_BASE[lengthSymbol]!) << size;
    size += LENGTH_EXTRA[lengthSymbol]!;
    if (size >= 16) {
      OUTPUT[out++] = held;
      OUTPUT[out++] = held >> 8;
      held >>>= 16;
      size -= 16;
    }
    const distance = token & 0xffff;
    const symbol = distanceSymbol(distance);
    const second = distances[symbol]!;
    held |= (second >> CODE_SHIFT) << size;
    size += second & LENGTH_MASK;
    if (size >= 16) {
      OUTPUT[out++] = held;
      OUTPUT[out++] = held >> 8;
      held >>>= 16;
      size -= 16;
    }
    held |= (distance - DISTANCE_BASE[symbol]!) << size;
    size += DISTANCE_EXTRA[symbol]!;
    if (size >= 16) {
      OUTPUT[out++] = held;
      OUTPUT[out++] = held >> 8;
      held >>>= 16;
      size -= 16;
    }
  }
  at = out;
  hold = held;
  bits = size;
  put(literals[END_OF_BLOCK]! >> CODE_SHIFT, literals[END_OF_BLOCK]! & LENGTH_MASK);
}

/** §3.2.4. */
function writeStored(content: Uint8Array, start: number, end: number): void {
  put(STORED << 1, 3);
  if (bits > 0) OUTPUT[at++] = hold;
  if (bits > 8) OUTPUT[at++] = hold >> 8;
  hold = 0;
  bits = 0;
  const length = end - start;
  put(length, 16);
  put(length ^ 0xffff, 16);
  OUTPUT.set(content.subarray(start, end), at);
  at += length;
}

function put(value: number, length: number): void {
  hold |= value << bits;
  bits += length;
  if (bits >= 16) {
    OUTPUT[at++] = hold;
    OUTPUT[at++] = hold >> 8;
    hold >>>= 16;
    bits -= 16;
  }
}
