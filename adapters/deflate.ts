// The default DeflateCodec: pako's port of zlib, called at its zlib level, so that it is synchronous, keeps its window between
// messages and writes into a buffer of ours.
//
// It knows DEFLATE (RFC 1951) and nothing of WebSocket.

import * as pako from "pako";
import { concat } from "../core/bytes.ts";
import type { DeflateCodec, Deflater, DeflaterOptions, Inflater, InflaterOptions } from "../core/deflate/codec.ts";
import { InflateLimitError } from "../core/deflate/codec.ts";

/** Output is collected here and copied out at its exact size; one for all connections, since no call yields in between. */
const SCRATCH = new Uint8Array(64 * 1024);

const METHOD_DEFLATED = 8;

/** zlib's codec, as a port to JavaScript. */
export const deflateCodec: DeflateCodec = {
  createDeflater: (options) => new PakoDeflater(options),
  createInflater: (options) => new PakoInflater(options),
};

class PakoDeflater implements Deflater {
  readonly #stream = new pako.ZStream();

  constructor({ windowBits, level, memLevel }: DeflaterOptions) {
    pako.zlibDeflateInit2(this.#stream, level, METHOD_DEFLATED, -windowBits, memLevel, pako.Z_DEFAULT_STRATEGY);
  }

  deflate(bytes: Uint8Array): Uint8Array {
    const stream = this.#stream;
    stream.input = bytes;
    stream.next_in = 0;
    stream.avail_in = bytes.length;
    const full: Uint8Array[] = [];
    do {
      stream.output = SCRATCH;
      stream.next_out = 0;
      stream.avail_out = SCRATCH.length;
      pako.zlibDeflate(stream, pako.Z_SYNC_FLUSH);
      full.push(SCRATCH.slice(0, stream.next_out));
    } while (stream.avail_out === 0);
    stream.input = SCRATCH;
    return full.length === 1 ? full[0]! : concat(full);
  }

  reset(): void {
    pako.zlibDeflateReset(this.#stream);
  }

  close(): void {
    pako.zlibDeflateEnd(this.#stream);
  }
}

class PakoInflater implements Inflater {
  readonly #stream = new pako.ZStream();
  position: "start" | "between" | "inside" = "start";

  constructor({ windowBits }: InflaterOptions) {
    pako.zlibInflateInit2(this.#stream, -windowBits);
  }

  inflate(bytes: Uint8Array, limit: number): Uint8Array {
    const stream = this.#stream;
    stream.input = bytes;
    stream.next_in = 0;
    stream.avail_in = bytes.length;
    const full: Uint8Array[] = [];
    let room = limit;
    do {
      const piece = this.#step(room);
      room -= piece.length;
      full.push(piece);
    } while (stream.avail_in > 0 || stream.avail_out === 0);
    return full.length === 1 ? full[0]! : concat(full);
  }

  #step(room: number): Uint8Array {
    const stream = this.#stream;
    stream.output = SCRATCH;
    stream.next_out = 0;
    stream.avail_out = SCRATCH.length;
    const status = pako.zlibInflate(stream, pako.Z_SYNC_FLUSH);
    if (stream.next_out > room) throw new InflateLimitError();
    if (status === pako.Z_STREAM_END) this.#restart();
    else if (status !== pako.Z_OK && status !== pako.Z_BUF_ERROR) throw new Error(stream.msg);
    else this.position = stream.state.mode === 16191 ? "between" : "inside";
    return SCRATCH.slice(0, stream.next_out);
  }

  #restart(): void {
    pako.zlibInflateResetKeep(this.#stream);
    this.position = "start";
  }

  reset(): void {
    pako.zlibInflateReset(this.#stream);
    this.position = "start";
  }

  close(): void {
    pako.zlibInflateEnd(this.#stream);
  }
}
