// A transport over a pair of web streams: an SSH tunnel, a socket of an edge runtime, a Node Duplex
// as web streams. The streams must carry bytes in order, and ending one direction must leave the
// other open. Encryption is up to the stream.

import { UsageError } from "../../../core/mod.ts";
import { bytesOf } from "../socket/sending.ts";
import type { Address, Transport, TransportEvents } from "../transport.ts";
import { HIGH_WATER_MARK } from "../transport.ts";
import type { Target } from "./target.ts";

/** A byte stream in both directions, as web streams. The socket owns them from then on. */
export interface ByteStream {
  /** The bytes from the server. Its end is the end of what the server sends. */
  readonly readable: ReadableStream<Uint8Array>;
  /**
   * Takes the bytes for the server, which it must not change or transfer. Closed when nothing
   * follows, aborted when the socket is dropped.
   */
  readonly writable: WritableStream<Uint8Array>;
}

/** Where a stream should lead. */
export interface StreamTarget {
  /** The URL's host; IPv6 without brackets. */
  readonly hostname: string;
  /** The URL's port, or the default one of its scheme. */
  readonly port: number;
  /** Whether the URL is a `wss:` one, so that the stream must be encrypted. */
  readonly secure: boolean;
  /** Aborted when connecting is given up. */
  readonly signal: AbortSignal;
}

/** A stream, or a function that makes one for each connection. */
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
  { hostname, port, secure }: Target,
  signal: AbortSignal,
): Promise<Transport> {
  const isFunction = typeof source === "function";
  const stream = isFunction ? await source({ hostname, port, secure, signal }) : source;
  const { readable, writable } = stream as Partial<ByteStream> | undefined ?? {};
  if (typeof readable?.getReader === "function" && typeof writable?.getWriter === "function") {
    return new StreamTransport(stream, secure);
  }
  const properties = "the two properties readable and writable, which are web streams";
  throw new UsageError(`a stream has ${properties}`);
}

class StreamTransport implements Transport {
  readonly peer: Address = {};
  readonly secure: boolean;
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;
  #events: TransportEvents | undefined;
  #closed = false;
  #error: Error | undefined;

  // Reading
  #paused = false;
  #reading = false;
  #inputEnded = false;

  // Writing
  bufferedAmount = 0;
  #blocked = false;
  #outputEnded = false;

  constructor({ readable, writable }: ByteStream, secure: boolean) {
    this.secure = secure;
    this.#reader = readable.getReader();
    this.#writer = writable.getWriter();
    // Reads and writes report failures.
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
    this.#writer.close().then(() => this.#endOutput(), this.#fail);
  }

  abort(): void {
    this.#close();
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    if (!this.#reading && !this.#inputEnded) this.#read().catch(this.#fail);
  }

  async #read(): Promise<void> {
    this.#reading = true;
    while (!this.#paused && !this.#closed) {
      const { done, value } = await this.#reader.read();
      if (this.#closed) return;
      if (done) return this.#endInput();
      this.#events!.received(requireBytes(value));
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
    this.#writer.write(chunk).then(() => this.#wrote(chunk.length), this.#fail);
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
  readonly #fail = (cause: unknown): void => {
    const message = `the stream failed with ${String(cause)}`;
    this.#close(cause instanceof Error ? cause : new Error(message));
  };

  #close(error?: Error): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#error = error;
    this.#reader.cancel(error).catch(() => {});
    this.#writer.abort(error).catch(() => {});
    this.#report();
  }

  // Later, because the caller of `attach` or `abort` may be in the middle of its own work.
  #report(): void {
    queueMicrotask(() => this.#events?.closed(this.#error));
  }
}

function requireBytes(chunk: unknown): Uint8Array {
  const bytes = bytesOf(chunk);
  if (bytes === undefined) throw new TypeError("a stream gave a chunk that is not bytes");
  return bytes;
}
