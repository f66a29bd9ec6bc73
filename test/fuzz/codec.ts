// What must hold for the DEFLATE codec whatever bytes come: it fails with an error or not at all, keeps to its limit, makes the same of
// them however they are cut, and the same as zlib, here in its port to JavaScript. And what it compresses, zlib reads.
//
//    flags | count of sizes | sizes … | body, which is content too

import * as pako from "pako";
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
}

/** What reads a body piece by piece, and can tell whether it stands inside of a block. */
interface Reader {
  inflate(chunk: Uint8Array): Uint8Array;
  isInside(): boolean;
}

/** Checks what the codec makes of an input. @throws {Error} for the first thing that does not hold */
export function checkCodec(input: Uint8Array): void {
  const flags = input[0] ?? 0;
  const count = (input[1] ?? 0) & 0x0f;
  const sizes = [...input.subarray(2, 2 + count)];
  const body = input.slice(2 + count);
  const windowBits = WINDOWS[flags & 3]!;
  checkInflater(body, sizes, windowBits, (flags & 4) !== 0 ? SMALL_LIMIT : LIMIT);
  checkDeflater(body, sizes, Math.max(9, windowBits), flags >> 3 & 7);
}

function checkInflater(body: Uint8Array, sizes: readonly number[], windowBits: number, limit: number): void {
  const whole = read(ours(windowBits, limit), [body]);
  for (const cut of [sizes, [1]]) {
    const other = read(ours(windowBits, limit), chunksOf(body, cut));
    hold(other.fault === whole.fault, `${whole.fault}, and ${other.fault} when cut by ${cut}`);
    if (whole.fault !== undefined) continue;
    hold(content(other.output) === content(whole.output), `other output when cut by ${cut}`);
  }
  // zlib lets a distance go beyond a smaller window, as long as it stays inside of the output of one call.
  if (windowBits < 15 || whole.fault === "limit") return;
  const expected = read(zlib(windowBits), [body]);
  hold(whole.fault === expected.fault, `${whole.fault}, and ${expected.fault} for zlib`);
  if (whole.fault !== undefined) return;
  hold(content(whole.output) === content(expected.output), "other output than zlib's");
}

function read(reader: Reader, chunks: Iterable<Uint8Array>): Result {
  const parts: Uint8Array[] = [];
  try {
    for (const chunk of chunks) parts.push(reader.inflate(chunk));
    parts.push(reader.inflate(TAIL));
  } catch (error) {
    if (!(error instanceof Error) || error instanceof TypeError || error instanceof RangeError) throw error;
    return { output: join(parts), fault: error instanceof InflateLimitError ? "limit" : "corrupt" };
  }
  return { output: join(parts), fault: reader.isInside() ? "corrupt" : undefined };
}

function ours(windowBits: number, limit: number): Reader {
  const inflater = deflateCodec.createInflater({ windowBits });
  let room = limit;
  return {
    inflate(chunk) {
      const output = inflater.inflate(chunk, room);
      room -= output.length;
      return output;
    },
    isInside: () => inflater.position === "inside",
  };
}

/** The chunks are messages of one stream. */
function checkDeflater(body: Uint8Array, sizes: readonly number[], windowBits: number, level: number): void {
  const deflater = deflateCodec.createDeflater({ windowBits, level, memLevel: 1 + level });
  const inflater = deflateCodec.createInflater({ windowBits });
  const reference = zlib(windowBits);
  for (const message of chunksOf(body, sizes.map((size) => size * 8))) {
    if (message.length === 0) continue;
    const compressed = join([deflater.deflate(message), TAIL]);
    hold(
      compressed.length <= message.length + 5 * Math.ceil(message.length / 1000) + 20,
      `${message.length} bytes became ${compressed.length}`,
    );
    hold(content(inflater.inflate(compressed, LIMIT)) === content(message), "it does not come back");
    hold(content(reference.inflate(compressed)) === content(message), "zlib reads something else");
  }
}

const SCRATCH = new Uint8Array(LIMIT + 1);

/** The states of zlib's inflater at the start of a stream, and between two blocks of one. */
const NOT_INSIDE: readonly unknown[] = [16_180, 16_191];

function zlib(windowBits: number): Reader {
  const stream = new pako.ZStream();
  pako.zlibInflateInit2(stream, -windowBits);
  return {
    isInside: () => !NOT_INSIDE.includes(stream.state.mode),
    inflate(chunk) {
      Object.assign(stream, { input: chunk, next_in: 0, avail_in: chunk.length });
      Object.assign(stream, { output: SCRATCH, next_out: 0, avail_out: SCRATCH.length });
      let status: number;
      do {
        status = pako.zlibInflate(stream, pako.Z_SYNC_FLUSH);
        // RFC 7692 §7.2.3.4: after a block with BFINAL comes another stream, with the same window.
        if (status === pako.Z_STREAM_END) pako.zlibInflateResetKeep(stream);
        else if (status !== pako.Z_OK && status !== pako.Z_BUF_ERROR) throw new Error(stream.msg);
      } while (stream.avail_in > 0 && stream.avail_out > 0 && status !== pako.Z_BUF_ERROR);
      return SCRATCH.slice(0, stream.next_out);
    },
  };
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
  const deflater = deflateCodec.createDeflater({ windowBits: 15, level: prng.below(10), memLevel: 8 });
  const body = prng.chance(70) && content.length > 0 ? deflater.deflate(content) : content;
  const sizes = Array.from({ length: prng.below(6) }, () => prng.scaled(255));
  return Uint8Array.from([prng.below(64), sizes.length, ...sizes, ...body]);
}
