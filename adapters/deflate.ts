// The default DeflateCodec: pako, the port of zlib to JavaScript, which runs on every runtime. It
// is called at zlib's own level, because that is synchronous, keeps its window between messages,
// and lets us own the output: one buffer, copied out at its exact size.
//
// It knows DEFLATE (RFC 1951) and nothing of WebSocket.

import * as pako from "pako";
import { concat } from "../core/bytes.ts";
import type {
  DeflateCodec,
  Deflater,
  DeflaterOptions,
  Inflater,
  InflaterOptions,
} from "../core/deflate/codec.ts";
import { InflateLimitError } from "../core/deflate/codec.ts";

/** Where every stream writes; no call yields before its output is copied out. */
const SCRATCH = new Uint8Array(64 * 1024);
const NOTHING = new Uint8Array(0);

/** The one compression method there is. */
const DEFLATED = 8;
/** The bit of `data_type` that says that inflation stands between two blocks. */
const BETWEEN_BLOCKS = 128;

/**
 * The codec that is used where no other is given.
 *
 * Bytes that a connection holds, from its first compressed message in that direction on:
 *
 * | direction | with takeover | without |
 * |---|---|---|
 * | out | `4 * 2 ** windowBits + 2 * 2 ** (memLevel + 8)` and 5,000: 37 KiB at the defaults | none |
 * | in | `2 ** peerWindowBits` and 8,000: 40 KiB at the defaults | none |
 *
 * Without takeover one set of memory serves all connections.
 */
export const deflateCodec: DeflateCodec = {
  createDeflater: (options) => new PakoDeflater(options),
  createInflater: (options) => new PakoInflater(options),
};

/**
 * Streams that were given up at a reset, the last of each kind: where no window is kept, one serves
 * all connections.
 */
const spare = new Map<string, pako.ZStream>();

function takeSpare(kind: string): pako.ZStream | undefined {
  const stream = spare.get(kind);
  spare.delete(kind);
  return stream;
}

/** All output that the stream gives for the input; `step` lets it fill the scratch buffer once. */
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
    // pako's own hash takes 64 KiB whatever `memLevel` says, zlib's `2 ** (memLevel + 8)` bytes.
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
      // Before the status: what was put out came before what failed.
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
      this.position = (stream.data_type & BETWEEN_BLOCKS) === 0
        ? "inside"
        : "between";
    } else if (status === pako.Z_STREAM_END) this.#restart(stream);
    // What Z_BUF_ERROR says is that there was nothing left to do.
    else if (status !== pako.Z_BUF_ERROR) throw new Error(stream.msg);
  }

  /** Begins another stream with the same window. */
  #restart(stream: pako.ZStream): void {
    pako.zlibInflateResetKeep(stream);
    this.#narrow(stream);
    this.position = "start";
  }

  // A raw stream has no header to tell zlib of a narrower window. It would let a distance reach
  // back through all output of a call, so that whether one beyond the window fails would hang on
  // where the stream was cut.
  #narrow(stream: pako.ZStream): void {
    stream.state.dmax = 2 ** this.#windowBits;
  }
}
