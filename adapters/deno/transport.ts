// A transport over a `Deno.Conn`, with its loops of reads and writes: Deno queues no output. Also
// the used part of Deno's API, typed here, so that the adapter type-checks everywhere. dial.ts and
// runtime.ts make the connections.

import { Outbox, ReadBuffer } from "../host/buffers.ts";
import type { Address, Transport, TransportEvents } from "../host/transport.ts";
import { HIGH_WATER_MARK, ipAddress } from "../host/transport.ts";

/** `Deno.Conn`. */
export interface DenoConn {
  readonly remoteAddr: DenoAddr;
  read(buffer: Uint8Array): Promise<number | null>;
  write(bytes: Uint8Array): Promise<number>;
  closeWrite(): Promise<void>;
  close(): void;
  setNoDelay?(noDelay: boolean): void;
  handshake?(): Promise<unknown>;
}

/** `Deno.Addr`. */
export interface DenoAddr {
  readonly transport: string;
  readonly hostname?: string;
  readonly port?: number;
  readonly path?: string | null;
}

/** `Deno.Listener`. */
export interface DenoListener {
  readonly addr: DenoAddr;
  accept(): Promise<DenoConn>;
  close(): void;
}

/** The namespace. */
export interface DenoApi {
  listen(options: object): DenoListener;
  listenTls(options: object): DenoListener;
  connect(options: object): Promise<DenoConn>;
  connectTls(options: object): Promise<DenoConn>;
  startTls(conn: DenoConn, options: object): Promise<DenoConn>;
  readonly env: { get(name: string): string | undefined; };
  removeSync(path: string): void;
  chmodSync(path: string, mode: number): void;
  readonly build: { readonly os: string; };
  /** Is there with `--unstable-net` only. */
  readonly listenDatagram?: unknown;
}

/** Deno itself. */
export const Deno: DenoApi = (globalThis as unknown as { Deno: DenoApi; }).Deno;

/** A transport over a connection of Deno. */
export class DenoTransport implements Transport {
  readonly conn: DenoConn;
  readonly secure: boolean;
  #events: TransportEvents | undefined;
  #closed = false;
  #error: Error | undefined;

  // Reading
  #paused = false;
  #reading = false;
  #inputEnded = false;
  #buffer: ReadBuffer | undefined;

  // Writing
  readonly #outbox = new Outbox();
  #writing = false;
  #blocked = false;
  #ending = false;
  #outputEnded = false;

  constructor(conn: DenoConn, secure: boolean) {
    this.conn = conn;
    this.secure = secure;
    setNoDelay(conn);
  }

  get peer(): Address {
    return addressOf(this.conn.remoteAddr);
  }

  get bufferedAmount(): number {
    return this.#outbox.size;
  }

  attach(events: TransportEvents): void {
    const first = this.#events === undefined;
    this.#events = events;
    if (this.#closed) this.#report();
    else if (first) this.resume();
  }

  write(chunks: readonly Uint8Array[]): boolean {
    if (this.#closed) return true;
    this.#outbox.push(chunks);
    this.#flush();
    this.#blocked = this.#outbox.size >= HIGH_WATER_MARK;
    return !this.#blocked;
  }

  end(): void {
    this.#ending = true;
    this.#flush();
  }

  abort(): void {
    this.#close();
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    if (!this.#reading && !this.#inputEnded) this.#read().catch(this.#close);
  }

  // One read at a time, all into the same memory.
  async #read(): Promise<void> {
    this.#reading = true;
    this.#buffer ??= new ReadBuffer();
    while (!this.#paused && !this.#closed) {
      const count = await this.conn.read(this.#buffer.bytes);
      if (this.#closed) return;
      if (count === null) return this.#endInput();
      this.#events!.received(this.#buffer.take(count));
    }
    this.#reading = false;
  }

  #endInput(): void {
    this.#inputEnded = true;
    this.#events!.ended();
    if (this.#outputEnded) this.#close();
  }

  #flush(): void {
    if (!this.#writing) this.#write().catch(this.#close);
  }

  // One write at a time: two at once may interleave. Each may take only a part.
  async #write(): Promise<void> {
    const outbox = this.#outbox;
    this.#writing = true;
    while (outbox.size > 0 && !this.#closed) {
      const count = await this.conn.write(outbox.next());
      if (!this.#closed) outbox.wrote(count);
    }
    this.#writing = false;
    if (this.#closed) return;
    if (this.#blocked) {
      this.#blocked = false;
      this.#events!.drained();
    }
    if (this.#ending && outbox.size === 0 && !this.#outputEnded) await this.#endOutput();
  }

  async #endOutput(): Promise<void> {
    this.#outputEnded = true;
    await this.conn.closeWrite();
    if (this.#inputEnded) this.#close();
  }

  // Closing makes a pending read or write fail, which calls this again.
  readonly #close = (error?: Error): void => {
    if (this.#closed) return;
    this.#closed = true;
    this.#error = error;
    this.#outbox.clear();
    try {
      this.conn.close();
    } catch {
      // The runtime has closed it already.
    }
    this.#report();
  };

  #report(): void {
    queueMicrotask(() => this.#events?.closed(this.#error));
  }
}

function setNoDelay(conn: DenoConn): void {
  try {
    // A TLS connection has no such method, and a unix one no such delay.
    if (conn.remoteAddr.transport === "tcp") conn.setNoDelay?.(true);
  } catch {
    // The peer is gone already, as the next read will report.
  }
}

/** The address in the host's form. */
export function addressOf({ hostname, port, path }: DenoAddr): Address {
  if (hostname !== undefined && port !== undefined) return ipAddress(hostname, port);
  return { path: path ?? "" };
}
