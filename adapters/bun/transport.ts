// A transport over a socket of `Bun.listen` or `Bun.connect`, with the output that Bun does not
// queue. Also the used part of Bun's API, typed here, so that the adapter type-checks everywhere.
// TLS is in dial.ts and runtime.ts.

import { Outbox } from "../host/buffers.ts";
import type { Address, Transport, TransportEvents } from "../host/transport.ts";
import { HIGH_WATER_MARK, ipAddress } from "../host/transport.ts";

/** `Bun.Socket`. */
export interface BunSocket {
  data: BunTransport | undefined;
  /** Both are absent when the peer has reset the connection. */
  readonly remoteAddress: string | undefined;
  readonly remotePort: number | undefined;
  /** Bytes taken, maybe none; negative when the socket is closed. The rest is not queued. */
  write(bytes: Uint8Array): number;
  /** Ends writing. */
  shutdown(): void;
  end(): void;
  terminate(): void;
  pause(): void;
  resume(): void;
  setNoDelay(noDelay: boolean): void;
  /** Of TLS: what to send, before the ClientHello, and what to check, before the certificate. */
  setServername(name: string): void;
  upgradeTLS(options: object): readonly [raw: BunSocket, tls: BunSocket];
}

/** `Bun.TCPSocketListener`. */
export interface BunListener {
  readonly hostname: string;
  readonly port: number;
  stop(closeActiveConnections?: boolean): void;
}

/** The namespace. */
export interface BunApi {
  listen(options: object): BunListener;
  connect(options: object): Promise<BunSocket>;
  readonly CryptoHasher: { hash(algorithm: "sha1", text: string, encoding: "base64"): string; };
}

/** Bun itself. */
export const Bun: BunApi = (globalThis as unknown as { Bun: BunApi; }).Bun;

/** A transport over a socket of Bun. */
export class BunTransport implements Transport {
  readonly socket: BunSocket;
  readonly peer: Address;
  readonly secure: boolean;
  readonly unix: boolean;
  #events: TransportEvents | undefined;
  #closed = false;
  #error: Error | undefined;

  // Reading
  /** Chunks from before the first `attach`. */
  #early: Uint8Array[] | undefined;
  #inputEnded = false;

  // Writing
  /** What the system has not taken yet, if anything. */
  #outbox: Outbox | undefined;
  #blocked = false;
  #ending = false;
  #outputEnded = false;

  constructor(socket: BunSocket, secure: boolean, unix: boolean) {
    this.socket = socket;
    // Read now: the socket forgets it at the end, when applications log it.
    this.peer = unix ? { path: "" } : peerOf(socket);
    this.secure = secure;
    this.unix = unix;
    socket.data = this;
    if (!unix) socket.setNoDelay(true);
  }

  get bufferedAmount(): number {
    return this.#outbox?.size ?? 0;
  }

  get done(): boolean {
    return this.#outbox === undefined;
  }

  attach(events: TransportEvents): void {
    const first = this.#events === undefined;
    this.#events = events;
    if (this.#closed || (first && this.#early !== undefined)) queueMicrotask(() => this.#catchUp());
  }

  // Mostly there is one chunk, and the system takes all of it.
  write(chunks: readonly Uint8Array[]): boolean {
    if (chunks.length === 1 && this.#outbox === undefined) {
      const chunk = chunks[0]!;
      const count = this.socket.write(chunk);
      if (count === chunk.length) return true;
      chunks = [chunk.subarray(Math.max(count, 0))];
    }
    (this.#outbox ??= new Outbox()).push(chunks);
    this.#flush();
    this.#blocked = this.bufferedAmount >= HIGH_WATER_MARK;
    return !this.#blocked;
  }

  end(): void {
    this.#ending = true;
    this.#flush();
  }

  abort(): void {
    this.socket.terminate();
  }

  pause(): void {
    this.socket.pause();
  }

  resume(): void {
    this.socket.resume();
  }

  received(chunk: Uint8Array): void {
    if (this.#events === undefined) (this.#early ??= []).push(chunk);
    else this.#events.received(chunk);
  }

  drained(): void {
    this.#flush();
    if (!this.#blocked || this.#outbox !== undefined) return;
    this.#blocked = false;
    this.#events!.drained();
  }

  ended(): void {
    this.#inputEnded = true;
    this.#events?.ended();
    if (this.#outputEnded) this.socket.end();
  }

  // Bun reports a failure of TLS twice: as an error, and as the end.
  closed(error?: Error): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#error = error;
    this.#outbox = undefined;
    this.#events?.closed(error);
  }

  /** Reports to the first owner what came before it, and to any owner that it is too late. */
  #catchUp(): void {
    const early = this.#early ?? [];
    this.#early = undefined;
    for (const chunk of early) this.#events!.received(chunk);
    if (this.#inputEnded) this.#events!.ended();
    if (this.#closed) this.#events!.closed(this.#error);
  }

  /** Writes what the system takes; the rest follows after its `drain`. */
  #flush(): void {
    const outbox = this.#outbox;
    while (outbox !== undefined && outbox.size > 0) {
      const block = outbox.next();
      const count = this.socket.write(block);
      // The peer has reset the connection, which a paused socket, such as a blocked one, never
      // reports.
      if (count < 0) return queueMicrotask(() => this.socket.terminate());
      outbox.wrote(count);
      if (count < block.length) return;
    }
    this.#outbox = undefined;
    if (this.#ending && !this.#outputEnded) this.#endOutput();
  }

  // `end` would close both directions at once, and could lose what was written.
  #endOutput(): void {
    this.#outputEnded = true;
    this.socket.shutdown();
    if (this.#inputEnded) this.socket.end();
  }
}

function peerOf({ remoteAddress, remotePort }: BunSocket): Address {
  if (remoteAddress === undefined || remotePort === undefined) return {};
  return ipAddress(remoteAddress, remotePort);
}

/** Handlers of a socket's events, as `Bun.listen` and `Bun.connect` take them. */
export interface BunHandlers {
  readonly binaryType: "uint8array";
  data(socket: BunSocket, chunk: Uint8Array): void;
  drain(socket: BunSocket): void;
  end(socket: BunSocket): void;
  close(socket: BunSocket, error?: Error): void;
  error(socket: BunSocket, error: Error): void;
}

/** Passes the events of a socket to its transport. One object serves all sockets. */
export const handlers: BunHandlers = {
  binaryType: "uint8array",
  data: ({ data }, chunk) => data?.received(chunk),
  drain: ({ data }) => data?.drained(),
  end: ({ data }) => data?.ended(),
  close: ({ data }, error) => data?.closed(error),
  error: ({ data }, error) => data?.closed(error),
};
