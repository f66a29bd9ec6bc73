// The default DeflateCodec (RFC 1951): pako, a JavaScript port of zlib for every runtime.
//
// pako's zlib-level functions are synchronous, keep the window between messages and write into one
// buffer, from which the output is copied at its exact size.

import * as pako from "pako";
import { concat, type DeflaterOptions, type InflaterOptions } from "../core/internal.ts";
import type { DeflateCodec, Deflater, Inflater } from "../core/mod.ts";
import { InflateLimitError } from "../core/mod.ts";

/** Shared by all streams: each call copies its output before it returns. */
const SCRATCH = new Uint8Array(64 * 1024);
const NOTHING = new Uint8Array(0);

/** zlib's only compression method. */
const DEFLATED = 8;
/** The bit of `data_type` that means: between two blocks. */
const BETWEEN_BLOCKS = 128;

/**
 * The default codec.
 *
 * Bytes that a connection holds per direction, from its first compressed message on:
 *
 * | direction | with takeover | without |
 * |---|---|---|
 * | out | `4 * 2 ** windowBits + 2 * 2 ** (memLevel + 8) + 5000`: 37 KiB by default | none |
 * | in | `2 ** peerWindowBits + 8000`: 40 KiB by default | none |
 *
 * Without takeover all connections share one compressor and one decompressor.
 */
export const deflateCodec: DeflateCodec = {
  createDeflater: (options) => new PakoDeflater(options),
  createInflater: (options) => new PakoInflater(options),
};

/** The last stream of each kind that was reset; connections without takeover share it. */
const spare = new Map<string, pako.ZStream>();

function takeSpare(kind: string): pako.ZStream | undefined {
  const stream = spare.get(kind);
  spare.delete(kind);
  return stream;
}

/** All output for the input; `step` fills the scratch buffer once. */
function pump(
  stream: pako.ZStream,
  bytes: Uint8Array,
  step: (stream: pako.ZStream) => void,
): Uint8Array {
  const parts: Uint8Array[] = [];
  stream.input = bytes;
  stream.next_in = 0;
  stream.avail_in = bytes.length;
  do {
    stream.output = SCRATCH;
    stream.next_out = 0;
    stream.avail_out = SCRATCH.length;
    step(stream);
    if (stream.next_out > 0) parts.push(SCRATCH.slice(0, stream.next_out));
  } while (stream.avail_in > 0 || stream.avail_out === 0);
  stream.input = NOTHING;
  return parts.length === 1 ? parts[0]! : concat(parts);
}

function flush(stream: pako.ZStream): void {
  pako.zlibDeflate(stream, pako.Z_SYNC_FLUSH);
}

class PakoDeflater implements Deflater {
  readonly #options: DeflaterOptions;
  readonly #kind: string;
  #stream: pako.ZStream | undefined;

  constructor(options: DeflaterOptions) {
    this.#options = options;
    this.#kind = `deflate ${options.windowBits} ${options.level} ${options.memLevel}`;
  }

  deflate(bytes: Uint8Array): Uint8Array {
    const stream = this.#stream ??= takeSpare(this.#kind) ?? this.#create();
    return pump(stream, bytes, flush);
  }

  reset(): void {
    if (this.#stream === undefined) return;
    pako.zlibDeflateReset(this.#stream);
    spare.set(this.#kind, this.#stream);
    this.#stream = undefined;
  }

  close(): void {
    this.#stream = undefined;
  }

  #create(): pako.ZStream {
    const { windowBits, level, memLevel } = this.#options;
    const stream = new pako.ZStream();
    // pako's own hash takes 64 KiB at every `memLevel`, zlib's takes `2 ** (memLevel + 8)` bytes.
    const zlibHash = memLevel < 8;
    pako.zlibDeflateInit2(
      stream,
      level,
      DEFLATED,
      -windowBits,
      memLevel,
      pako.Z_DEFAULT_STRATEGY,
      zlibHash,
    );
    return stream;
  }
}

class PakoInflater implements Inflater {
  readonly #windowBits: number;
  readonly #kind: string;
  #stream: pako.ZStream | undefined;
  position: "start" | "between" | "inside" = "start";

  constructor({ windowBits }: InflaterOptions) {
    this.#windowBits = windowBits;
    this.#kind = `inflate ${windowBits}`;
  }

  inflate(bytes: Uint8Array, limit: number): Uint8Array {
    const stream = this.#stream ??= takeSpare(this.#kind) ?? this.#create();
    let room = limit;
    return pump(stream, bytes, () => {
      const status = pako.zlibInflate(stream, pako.Z_SYNC_FLUSH);
      room -= stream.next_out;
      // Before the status: the output precedes the failure in the stream.
      if (room < 0) throw new InflateLimitError();
      this.#follow(stream, status);
    });
  }

  reset(): void {
    if (this.#stream === undefined) return;
    pako.zlibInflateReset(this.#stream);
    this.#narrow(this.#stream);
    spare.set(this.#kind, this.#stream);
    this.#stream = undefined;
    this.position = "start";
  }

  close(): void {
    this.#stream = undefined;
  }

  #create(): pako.ZStream {
    const stream = new pako.ZStream();
    pako.zlibInflateInit2(stream, -this.#windowBits);
    this.#narrow(stream);
    return stream;
  }

  #follow(stream: pako.ZStream, status: number): void {
    if (status === pako.Z_OK) {
      this.position = (stream.data_type & BETWEEN_BLOCKS) === 0 ? "inside" : "between";
    } else if (status === pako.Z_STREAM_END) {
      this.#restart(stream);
    } else if (status !== pako.Z_BUF_ERROR) { // Z_BUF_ERROR: there was nothing left to do
      throw new Error(stream.msg);
    }
  }

  /** Starts another stream with the same window. */
  #restart(stream: pako.ZStream): void {
    pako.zlibInflateResetKeep(stream);
    this.#narrow(stream);
    this.position = "start";
  }

  // A raw stream does not announce its window, and zlib lets a distance reach all output of a call.
  // Without this limit, the same stream would fail or not depending on how it was cut.
  #narrow(stream: pako.ZStream): void {
    stream.state.dmax = 2 ** this.#windowBits;
  }
}
