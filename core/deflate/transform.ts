// The bodies of compressed messages: RFC 7692 §7.2. Content in, bodies out, and back; the codec
// that does the work is injected.
//
// Which messages are compressed is the caller's decision, the RSV1 bit and the frames are too; what
// was agreed on is negotiate.ts's.

import { ProtocolError } from "../errors.ts";
import { type Deflater, InflateLimitError, type Inflater } from "./codec.ts";
import type { DeflateOptions, DeflateParams } from "./negotiate.ts";

const NOTHING = new Uint8Array(0);

/** What a sync flush ends in: the empty stored block that §7.2.1 strips and §7.2.2 puts back. */
const TAIL = new Uint8Array([0x00, 0x00, 0xff, 0xff]);

/** permessage-deflate on one connection, both directions. */
export class MessageDeflate {
  /**
   * Bytes under which a message is not worth compressing. `Infinity` when compressing gains nothing
   * under what was agreed on.
   */
  readonly threshold: number;
  /**
   * Equal for all connections that compress a message to the same body; `undefined` when the body
   * depends on earlier messages.
   */
  readonly shareKey: string | undefined;

  readonly #params: DeflateParams;
  readonly #options: DeflateOptions;
  #deflater: Deflater | undefined;
  #inflater: Inflater | undefined;
  /** Whether any of the message that is being inflated has come. */
  #begun = false;

  /**
   * Takes what was agreed on, and this endpoint's own choices. Neither is checked; the codec is
   * first asked when a message needs it.
   */
  constructor(params: DeflateParams, options: DeflateOptions) {
    this.#params = params;
    this.#options = options;
    // A server may ask a client for an 8-bit window (§7.1.2.2), which codecs cannot keep to. What
    // is never compressed has no window at all, so nothing is; what must be, because its end is not
    // known yet, goes in stored blocks.
    const storeOnly = params.windowBits === 8;
    this.threshold = storeOnly ? Infinity : options.threshold;
    this.shareKey = params.takeover || storeOnly
      ? undefined
      : `${params.windowBits}/${options.level}/${options.memLevel}`;
  }

  /** The body of the next frame of a message; `final` is its last one. */
  compress(bytes: Uint8Array, final: boolean): Uint8Array {
    // Nothing in the middle of a message is nothing; at its end it is an empty stored block, of
    // which the tail is stripped (§7.2.3.6).
    if (bytes.length === 0) return this.#ended(new Uint8Array(final ? 1 : 0), final);
    const body = this.#ended(this.#outgoing().deflate(bytes), final);
    return final ? body.subarray(0, -TAIL.length) : body;
  }

  /**
   * The content that the next piece of a compressed message's body gives, `limit` bytes at most.
   *
   * @throws {ProtocolError} when it gives more, and when it is not DEFLATE
   */
  inflate(piece: Uint8Array, limit: number): Uint8Array {
    if (piece.length === 0) return NOTHING;
    this.#begun = true;
    return guarded(this.#incoming(), piece, limit);
  }

  /**
   * Ends the compressed message; the rest of its content, `limit` bytes at most.
   *
   * @throws {ProtocolError} when it gives more, and when the message ends inside of a block
   */
  finish(limit: number): Uint8Array {
    // §7.2.3.6 asks for a byte where there is no content. Who sends none can only mean the same,
    // and the tail alone is no block.
    if (!this.#begun) return NOTHING;
    this.#begun = false;
    const inflater = this.#incoming();
    // A body may end with a block that ends the stream (BFINAL). §7.2.3.4 wants an empty block
    // after it; many send none, and what reads with zlib takes both.
    const rest = inflater.position === "start" ? NOTHING : guarded(inflater, TAIL, limit);
    if (inflater.position === "inside") throw new ProtocolError("deflate-corrupt");
    if (!this.#params.peerTakeover) inflater.reset();
    return rest;
  }

  /** Gives back what both directions hold. */
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
    const { windowBits } = this.#params;
    const { codec, level, memLevel } = this.#options;
    return this.#deflater ??= windowBits === 8
      ? codec.createDeflater({ windowBits: 9, level: 0, memLevel })
      : codec.createDeflater({ windowBits, level, memLevel });
  }

  #incoming(): Inflater {
    return this.#inflater ??= this.#options.codec.createInflater({
      windowBits: this.#params.peerWindowBits,
    });
  }
}

function guarded(inflater: Inflater, bytes: Uint8Array, limit: number): Uint8Array {
  try {
    return inflater.inflate(bytes, limit);
  } catch (error) {
    throw new ProtocolError(
      error instanceof InflateLimitError ? "message-too-big" : "deflate-corrupt",
    );
  }
}
