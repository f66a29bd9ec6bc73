// What the core asks of a DEFLATE implementation (RFC 1951). The core has none: a host injects one,
// and it is synchronous, which keeps `Connection.receive` synchronous. Offers, answers and the RSV1
// bit are not a codec's affair.

/** How to build a compressor. */
export interface DeflaterOptions {
  /**
   * Base-two logarithm of the sliding window, 9-15. (8 is never asked for: zlib would silently use
   * 9.)
   */
  readonly windowBits: number;
  /** 0 (store) to 9 (smallest). */
  readonly level: number;
  /** 1 (least memory) to 9 (fastest). */
  readonly memLevel: number;
}

/** How to build a decompressor. */
export interface InflaterOptions {
  /** Base-two logarithm of the sliding window, 8-15. */
  readonly windowBits: number;
}

/** A raw DEFLATE compressor that keeps its window between calls. */
export interface Deflater {
  /**
   * Compresses the bytes, one at least, and ends with a sync flush, whose last four bytes are 00 00
   * ff ff. The result belongs to the caller.
   */
  deflate(bytes: Uint8Array): Uint8Array;
  /** Forgets the window: the next call starts a new stream. */
  reset(): void;
  /** Frees what it holds; no other method is called afterwards. */
  close(): void;
}

/** A raw DEFLATE decompressor that keeps its window between calls. */
export interface Inflater {
  /**
   * Where the bytes so far end: at the start of a stream, between two blocks of one, or inside of a
   * block.
   */
  readonly position: "start" | "between" | "inside";
  /**
   * Inflates the next bytes of the stream and returns all output they give. The result belongs to
   * the caller. A block with BFINAL set ends a stream; whatever follows is a new stream with the
   * same window (RFC 7692 §7.2.3.4). Of two faults the one that comes first in the stream is told,
   * so that it does not hang on how the stream was cut.
   *
   * @throws {InflateLimitError} when the output of this call would exceed `limit` bytes; no more
   *   than that is ever held
   * @throws {Error} any other error: the bytes are not valid DEFLATE
   */
  inflate(bytes: Uint8Array, limit: number): Uint8Array;
  /** Forgets the window: the next call starts a new stream. */
  reset(): void;
  /** Frees what it holds; no other method is called afterwards. */
  close(): void;
}

/** A DEFLATE implementation. */
export interface DeflateCodec {
  /**
   * A compressor for one connection: asked for with the first message that goes out compressed, and
   * kept.
   */
  createDeflater(options: DeflaterOptions): Deflater;
  /**
   * A decompressor for one connection: asked for with the first compressed message that comes in,
   * and kept.
   */
  createInflater(options: InflaterOptions): Inflater;
}

/** Thrown by an {@linkcode Inflater} whose output would pass the limit. */
export class InflateLimitError extends Error {
  /** Tells the error apart where `instanceof` cannot: where the library was loaded twice. */
  override readonly name = "InflateLimitError";
}
