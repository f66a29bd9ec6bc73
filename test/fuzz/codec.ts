// What must hold for the DEFLATE codec whatever bytes come: it fails with an error or not at all,
// keeps to its limit, makes the same of them however they are cut, and the same as the runtime's
// zlib. And what it compresses, that zlib reads.
//
//    flags | count of sizes | sizes … | body, which is content too

import { constants, inflateRawSync } from "node:zlib";
import { deflateCodec } from "../../adapters/deflate.ts";
import { InflateLimitError } from "../../core/deflate/codec.ts";
import { content, join } from "../core/support.ts";
import type { Prng } from "../sim/prng.ts";
import { chunksOf, TAIL } from "./case.ts";

const WINDOWS = [15, 9, 8, 12] as const;
const LIMIT = 1 << 20;
const SMALL_LIMIT = 100;

/** What became of a body: the content up to its end, or the kind of fault. */
interface Result {
  readonly output: Uint8Array;
  readonly fault: "corrupt" | "limit" | undefined;
  /** Whether it lacks its end, which is a fault of a message and none for zlib. */
  readonly cutOff: boolean;
  /** Whether a chunk brought a stream to its end (BFINAL). */
  readonly ended: boolean;
}

/**
 * Checks what the codec makes of an input. @throws {Error} for the first thing that does not hold
 */
export function checkCodec(input: Uint8Array): void {
  const flags = input[0] ?? 0;
  const count = (input[1] ?? 0) & 0x0f;
  const sizes = [...input.subarray(2, 2 + count)];
  const body = input.slice(2 + count);
  const windowBits = WINDOWS[flags & 3]!;
  checkInflater(body, sizes, windowBits, (flags & 4) !== 0 ? SMALL_LIMIT : LIMIT);
  checkDeflater(body, sizes, Math.max(9, windowBits), flags >> 3 & 7);
}

function checkInflater(
  body: Uint8Array,
  sizes: readonly number[],
  windowBits: number,
  limit: number,
): void {
  const stream = join([body, TAIL]);
  const whole = read([stream], windowBits, limit);
  const bytewise = read(chunksOf(stream, [1]), windowBits, limit);
  for (const other of [read(chunksOf(stream, sizes), windowBits, limit), bytewise]) {
    hold(
      other.fault === whole.fault,
      `${whole.fault}, and ${other.fault} when cut by ${sizes} or by 1`,
    );
    if (whole.fault !== undefined) continue;
    hold(
      content(other.output) === content(whole.output),
      `other output when cut by ${sizes} or by 1`,
    );
  }
  // zlib lets a distance go beyond a smaller window, as long as it stays inside of the output of
  // one call.
  if (windowBits === 15 && whole.fault !== "limit") compareWithZlib(stream, whole, bytewise.ended);
}

/** zlib stops where the first stream ends, `ended` says whether one does. */
function compareWithZlib(stream: Uint8Array, ours: Result, ended: boolean): void {
  const expected = zlib(stream, 15);
  if (expected === undefined) hold(ours.fault === "corrupt", "corrupt for zlib only");
  else if (ours.fault === undefined) {
    const [output, start] = [content(ours.output), content(expected)];
    hold(ended ? output.startsWith(start) : output === start, "other output than zlib's");
  } else hold(ended || ours.cutOff, "not corrupt for zlib");
}

function read(chunks: Iterable<Uint8Array>, windowBits: number, limit: number): Result {
  const inflater = deflateCodec.createInflater({ windowBits });
  const parts: Uint8Array[] = [];
  let room = limit;
  let ended = false;
  try {
    for (const chunk of chunks) {
      const output = inflater.inflate(chunk, room);
      room -= output.length;
      parts.push(output);
      ended ||= inflater.position === "start";
    }
  } catch (error) {
    if (!(error instanceof Error) || error instanceof TypeError || error instanceof RangeError) {
      throw error;
    }
    const fault = error instanceof InflateLimitError ? "limit" : "corrupt";
    return { output: join(parts), fault, cutOff: false, ended };
  }
  const cutOff = inflater.position === "inside";
  return { output: join(parts), fault: cutOff ? "corrupt" : undefined, cutOff, ended };
}

/** The chunks are messages of one stream. */
function checkDeflater(
  body: Uint8Array,
  sizes: readonly number[],
  windowBits: number,
  level: number,
): void {
  const memLevel = 1 + level;
  const deflater = deflateCodec.createDeflater({ windowBits, level, memLevel });
  const inflater = deflateCodec.createInflater({ windowBits });
  const stream: Uint8Array[] = [];
  for (const message of chunksOf(body, sizes.map((size) => size * 8))) {
    const compressed = deflater.deflate(message);
    hold(
      compressed.length <= bound(message.length, memLevel),
      `${message.length} bytes became ${compressed.length}`,
    );
    hold(
      content(inflater.inflate(compressed, LIMIT)) === content(message),
      "it does not come back",
    );
    stream.push(compressed);
  }
  hold(
    content(zlib(join(stream), windowBits) ?? NOTHING) === content(body),
    "zlib reads something else",
  );
}

/**
 * What does not compress is stored, a block for as many bytes as there is memory for, or coded as
 * it is where the window is narrower.
 */
function bound(length: number, memLevel: number): number {
  const blocks = Math.ceil(length / (2 ** (memLevel + 6) - 1));
  return length + (length >> 3) + (length >> 8) + 5 * blocks + 20;
}

const NOTHING = new Uint8Array(0);

/** What the runtime's zlib makes of a stream that need not end; `undefined` when it is corrupt. */
function zlib(stream: Uint8Array, windowBits: number): Uint8Array | undefined {
  try {
    return inflateRawSync(stream, { windowBits, finishFlush: constants.Z_SYNC_FLUSH });
  } catch {
    return undefined;
  }
}

function hold(condition: boolean, what: string): void {
  if (!condition) throw new Error(what);
}

/** A fresh input: garbage, or the work of a compressor that mutation will spoil. */
export function freshBody(prng: Prng): Uint8Array {
  const content = Uint8Array.from(
    { length: prng.scaled(2000) },
    () => prng.chance(70) ? prng.between(97, 102) : prng.below(256),
  );
  const deflater = deflateCodec.createDeflater({
    windowBits: 15,
    level: prng.below(10),
    memLevel: 8,
  });
  const body = prng.chance(70) && content.length > 0 ? deflater.deflate(content) : content;
  const sizes = Array.from({ length: prng.below(6) }, () => prng.scaled(255));
  return Uint8Array.from([prng.below(64), sizes.length, ...sizes, ...body]);
}
