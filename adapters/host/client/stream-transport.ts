// A transport over a pair of web streams: an SSH tunnel, a socket of an edge runtime, a Duplex of
// Node turned into web streams.
//
// The streams must carry bytes, and keep their order; half-closing one direction must leave the
// other open.

import { UsageError } from "../../../core/mod.ts";
import type { Address, Transport, TransportEvents } from "../transport.ts";
import { HIGH_WATER_MARK } from "../transport.ts";
import type { Target } from "./target.ts";

/** A byte stream in both directions, as web streams. They belong to the socket from then on. */
export interface ByteStream {
  /** The bytes that come from the server. Its end is the end of what the server says. */
  readonly readable: ReadableStream<Uint8Array>;
  /**
   * Takes the bytes for the server; closed when nothing follows, aborted when the socket is
   * dropped.
   */
  readonly writable: WritableStream<Uint8Array>;
}

/** What a stream is asked for. */
export interface StreamTarget {
  /** Of the URL; IPv6 without brackets. */
  readonly hostname: string;
  /** Of the URL, or the default one of its scheme. */
  readonly port: number;
  /** Whether the URL is one of `wss:`, so that the stream must be encrypted. */
  readonly secure: boolean;
  /** Aborted when connecting is given up. */
  readonly signal: AbortSignal;
}

/** A stream, or who makes one for each connection. */
export type StreamSource =
  | ByteStream
  | ((target: StreamTarget) => ByteStream | Promise<ByteStream>);

/** Opens the stream as a transport. A stream that comes after the signal was aborted is dropped. */
export function openStream(
  source: StreamSource,
  target: Target,
  signal: AbortSignal,
): Promise<Transport> {
  return new Promise((resolve, reject) => {
    const abort = (): void => reject(signal.reason);
    signal.addEventListener("abort", abort);
    makeTransport(source, target, signal).then((transport) => {
      if (signal.aborted) transport.abort();
      else resolve(transport);
    }, reject).finally(() => signal.removeEventListener("abort", abort));
  });
}

async function makeTransport(
  source: StreamSource,
  target: Target,
  signal: AbortSignal,
): Promise<Transport> {
  const { hostname, port, secure } = target;
  const stream = typeof source === "function"
    ? await source({ hostname, port, secure, signal })
    : source;
  if (
    typeof stream?.readable?.getReader !== "function"
    || typeof stream.writable?.getWriter !== "function"
  ) {
    throw new UsageError(
      "a stream has the two properties readable and writable, which are web streams",
    );
  }
  return new StreamTransport(stream, secure);
}

class StreamTransport implements Transport {
  readonly peer: Address = {};
  readonly secure: boolean;
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;
  #events: TransportEvents | undefined;
  #error: Error | undefined;

  // Reading
  #paused = false;
  #reading = false;
  #inputEnded = false;

  // Writing
  bufferedAmount = 0;
  #blocked = false;
  #outputEnded = false;
  #closed = false;

  constructor({ readable, writable }: ByteStream, secure: boolean) {
    this.secure = secure;
    this.#reader = readable.getReader();
    this.#writer = writable.getWriter();
    // Failures are heard of at the reads and writes.
    this.#reader.closed.catch(() => {});
    this.#writer.closed.catch(() => {});
    this.#writer.ready.catch(() => {});
  }

  attach(events: TransportEvents): void {
    const first = this.#events === undefined;
    this.#events = events;
    if (this.#closed) this.#report();
    else if (first) this.resume();
  }

  write(chunks: readonly Uint8Array[]): boolean {
    for (const chunk of chunks) this.#write(chunk);
    this.#blocked = this.bufferedAmount >= HIGH_WATER_MARK;
    return !this.#blocked;
  }

  end(): void {
    this.#writer.close().then(() => this.#endOutput(), (error: unknown) => this.#fail(error));
  }

  abort(): void {
    this.#close();
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    if (!this.#reading && !this.#inputEnded) {
      this.#read().catch((error: unknown) => this.#fail(error));
    }
  }

  async #read(): Promise<void> {
    this.#reading = true;
    while (!this.#paused && !this.#closed) {
      const { done, value } = await this.#reader.read();
      if (this.#closed) return;
      if (done) return this.#endInput();
      this.#events!.received(bytesOf(value));
    }
    this.#reading = false;
  }

  #endInput(): void {
    this.#inputEnded = true;
    this.#events!.ended();
    if (this.#outputEnded) this.#close();
  }

  #write(chunk: Uint8Array): void {
    if (this.#closed) return;
    this.bufferedAmount += chunk.length;
    this.#writer.write(chunk).then(
      () => this.#wrote(chunk.length),
      (error: unknown) => this.#fail(error),
    );
  }

  #wrote(size: number): void {
    this.bufferedAmount -= size;
    if (!this.#blocked || this.bufferedAmount > 0 || this.#closed) return;
    this.#blocked = false;
    this.#events!.drained();
  }

  #endOutput(): void {
    this.#outputEnded = true;
    if (this.#inputEnded) this.#close();
  }

  // A stream may fail with any value.
  #fail(error: unknown): void {
    this.#close(
      error instanceof Error ? error : new Error(`the stream failed with ${String(error)}`),
    );
  }

  #close(error?: Error): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#error = error;
    this.#reader.cancel(error).catch(() => {});
    this.#writer.abort(error).catch(() => {});
    this.#report();
  }

  // Never within a call from above, which may not be through with its own affairs.
  #report(): void {
    queueMicrotask(() => this.#events?.closed(this.#error));
  }
}

// Those who forward from Node give a Buffer, whose methods are not those of a Uint8Array.
function bytesOf(chunk: unknown): Uint8Array {
  if (ArrayBuffer.isView(chunk)) {
    return new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.byteLength);
  }
  if (chunk instanceof ArrayBuffer) return new Uint8Array(chunk);
  throw new TypeError("a stream gave a chunk that is not bytes");
}
