// The payload of compressed messages: RFC 7692 §7.2, with an injected codec. "Content" is what the
// application sees, a "body" its compressed form. The caller decides which messages are compressed,
// and handles frames and the RSV1 bit.

import { ProtocolError } from "../errors.ts";
import { type Deflater, InflateLimitError, type Inflater } from "./codec.ts";
import type { DeflateOptions, DeflateParams } from "./negotiate.ts";

/** The end of a sync flush: the empty stored block that §7.2.1 strips and §7.2.2 appends. */
const TAIL = new Uint8Array([0x00, 0x00, 0xff, 0xff]);

/** permessage-deflate on one connection, both directions. */
export class MessageDeflate {
  /** Messages of fewer bytes are sent uncompressed; `Infinity` for an 8-bit window. */
  readonly threshold: number;
  /** Equal for connections that produce the same body; `undefined` if the bodies may differ. */
  readonly shareKey: string | undefined;

  readonly #params: DeflateParams;
  readonly #options: DeflateOptions;
  #deflater: Deflater | undefined;
  #inflater: Inflater | undefined;
  /** Whether the message to be inflated has any bytes yet. */
  #begun = false;

  /** Neither argument is checked. The codec is first called when a message needs it. */
  constructor(params: DeflateParams, options: DeflateOptions) {
    this.#params = params;
    this.#options = options;
    // A server may ask for an 8-bit window (§7.1.2.2), which codecs cannot do. Then whole messages
    // go uncompressed, and a message sent in pieces goes in stored blocks.
    const storeOnly = params.windowBits === 8;
    this.threshold = storeOnly ? Infinity : options.threshold;
    this.shareKey = params.takeover || storeOnly
      ? undefined
      : `${params.windowBits}/${options.level}/${options.memLevel}`;
  }

  /** The body of a message's next frame; `final` for its last frame. */
  compress(bytes: Uint8Array, final: boolean): Uint8Array {
    // An empty last frame is an empty stored block without its tail: one zero byte (§7.2.3.6).
    if (bytes.length === 0) return this.#ended(new Uint8Array(final ? 1 : 0), final);
    const body = this.#ended(this.#outgoing().deflate(bytes), final);
    return final ? body.subarray(0, -TAIL.length) : body;
  }

  /**
   * The content of the next piece of a body.
   * @throws {ProtocolError} for more than `limit` bytes, and for corrupt DEFLATE
   */
  inflate(piece: Uint8Array, limit: number): Uint8Array {
    if (piece.length === 0) return new Uint8Array(0);
    this.#begun = true;
    return guarded(this.#incoming(), piece, limit);
  }

  /**
   * Ends the message; returns the rest of its content.
   * @throws {ProtocolError} for more than `limit` bytes, and for an end inside a block
   */
  finish(limit: number): Uint8Array {
    // §7.2.3.6 encodes empty content in one byte. Accept an empty body too; it means the same.
    if (!this.#begun) return new Uint8Array(0);
    this.#begun = false;
    const inflater = this.#incoming();
    // A body may end with a BFINAL block. §7.2.3.4 requires an empty block after it, which many
    // senders omit. Accept both, as receivers with zlib do.
    const rest = inflater.position === "start" ? new Uint8Array(0) : guarded(inflater, TAIL, limit);
    if (inflater.position === "inside") throw new ProtocolError("deflate-corrupt");
    if (!this.#params.peerTakeover) inflater.reset();
    return rest;
  }

  /** Frees both directions. */
  close(): void {
    this.#deflater?.close();
    this.#inflater?.close();
    this.#deflater = this.#inflater = undefined;
  }

  #ended(body: Uint8Array, final: boolean): Uint8Array {
    if (final && !this.#params.takeover) this.#deflater?.reset();
    return body;
  }

  #outgoing(): Deflater {
    if (this.#deflater !== undefined) return this.#deflater;
    const { codec, level, memLevel } = this.#options;
    const { windowBits } = this.#params;
    const options = windowBits === 8 ? { windowBits: 9, level: 0 } : { windowBits, level };
    return this.#deflater = codec.createDeflater({ ...options, memLevel });
  }

  #incoming(): Inflater {
    const windowBits = this.#params.peerWindowBits;
    return this.#inflater ??= this.#options.codec.createInflater({ windowBits });
  }
}

function guarded(inflater: Inflater, bytes: Uint8Array, limit: number): Uint8Array {
  try {
    return inflater.inflate(bytes, limit);
  } catch (error) {
    const tooBig = error instanceof InflateLimitError;
    throw new ProtocolError(tooBig ? "message-too-big" : "deflate-corrupt");
  }
}
