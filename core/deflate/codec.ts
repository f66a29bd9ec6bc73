// The interface of a DEFLATE implementation (RFC 1951), which a host injects. It is synchronous, as
// `Connection.receive` is, and knows nothing of WebSocket.

/** Parameters of a compressor. */
export interface DeflaterOptions {
  /** Log2 of the window, 9-15. Never 8, for which zlib would silently use 9. */
  readonly windowBits: number;
  /** 0 (store) to 9 (smallest). */
  readonly level: number;
  /** 1 (least memory) to 9 (fastest). */
  readonly memLevel: number;
}

/** Parameters of a decompressor. */
export interface InflaterOptions {
  /** Log2 of the window, 8-15. */
  readonly windowBits: number;
}

/** A raw DEFLATE compressor that keeps its window between calls. */
export interface Deflater {
  /**
   * Compresses at least one byte and ends with a sync flush: the last four bytes are 00 00 ff ff.
   * The caller owns the result.
   */
  deflate(bytes: Uint8Array): Uint8Array;
  /** Forgets the window: the next call starts a new stream. */
  reset(): void;
  /** Frees its memory; no other call follows. */
  close(): void;
}

/** A raw DEFLATE decompressor that keeps its window between calls. */
export interface Inflater {
  /** Where the input so far ends: at the start of a stream, between two blocks, or inside one. */
  readonly position: "start" | "between" | "inside";
  /**
   * Inflates the next bytes of the stream and returns all their output, which the caller owns.
   * A block with BFINAL set ends a stream; a new stream with the same window follows (RFC 7692
   * §7.2.3.4). The error is the first one in the stream, however the stream was cut.
   * @throws {InflateLimitError} when the output would exceed `limit` bytes; no more are held
   * @throws {Error} when the bytes are not valid DEFLATE
   */
  inflate(bytes: Uint8Array, limit: number): Uint8Array;
  /** Forgets the window: the next call starts a new stream. */
  reset(): void;
  /** Frees its memory; no other call follows. */
  close(): void;
}

/** A DEFLATE implementation. */
export interface DeflateCodec {
  /** A compressor for one connection, created with the first message that is sent compressed. */
  createDeflater(options: DeflaterOptions): Deflater;
  /** A decompressor for one connection, created with the first compressed message received. */
  createInflater(options: InflaterOptions): Inflater;
}

/** Thrown by an {@linkcode Inflater} whose output would exceed the limit. */
export class InflateLimitError extends Error {
  /** Identifies the error where `instanceof` fails because the library was loaded twice. */
  override readonly name = "InflateLimitError";
}
