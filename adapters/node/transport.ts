// A transport over a `net.Socket`, or a `tls.TLSSocket`, which is one.

import { Socket as NetSocket } from "node:net";
import { TLSSocket } from "node:tls";
import type { Address, Transport, TransportEvents } from "../host/transport.ts";
import { HIGH_WATER_MARK, ipAddress } from "../host/transport.ts";

/** A socket that knows its transport, so that all sockets can share their listeners. */
interface Owned extends NetSocket {
  [owner]?: NodeTransport;
}

const owner: unique symbol = Symbol("transport");

/** A transport over a socket of Node. */
export class NodeTransport implements Transport {
  readonly socket: Owned;
  readonly peer: Address;
  #events: TransportEvents | undefined;
  #error: Error | undefined;
  readonly #native: boolean;

  constructor(socket: Owned) {
    this.socket = socket;
    this.#native = socket instanceof NetSocket;
    // Read at once: the socket forgets it at the end, which is when applications log it.
    this.peer = addressOf(socket.remoteAddress, socket.remotePort);
    socket[owner] = this;
    socket.on("error", onError);
  }

  get secure(): boolean {
    return this.socket instanceof TLSSocket;
  }

  get bufferedAmount(): number {
    return this.socket.writableLength;
  }

  // True of a socket, whose bytes the kernel has then. Another Duplex may keep what it was given.
  get done(): boolean {
    return this.#native && this.socket.writableLength === 0;
  }

  attach(events: TransportEvents): void {
    const first = this.#events === undefined;
    this.#events = events;
    if (this.socket.closed) queueMicrotask(() => this.closed());
    if (!first) return;
    this.socket.on("data", onData).on("end", onEnd).on("drain", onDrain).on("close", onClose);
  }

  // What `write` returns says little: it is false while the socket is corked, and for one large
  // chunk of which all may have left. A destroyed socket reports writableLength 0: return false, so
  // that a send loop yields until 'close'.
  write(chunks: readonly Uint8Array[]): boolean {
    const { socket } = this;
    if (chunks.length > 1) socket.cork();
    for (const chunk of chunks) socket.write(chunk);
    if (chunks.length > 1) socket.uncork();
    return socket.writable && socket.writableLength < HIGH_WATER_MARK;
  }

  end(): void {
    this.socket.end();
  }

  abort(): void {
    this.socket.destroy();
  }

  pause(): void {
    this.socket.pause();
  }

  resume(): void {
    this.socket.resume();
  }

  received(chunk: Uint8Array): void {
    this.#events!.received(chunk);
  }

  ended(): void {
    this.#events!.ended();
  }

  drained(): void {
    this.#events!.drained();
  }

  failed(error: Error): void {
    this.#error ??= error;
  }

  closed(): void {
    this.#events!.closed(this.#error);
  }

  /** Gives the socket away; what goes wrong with it, its new owner hears of. */
  release(): NetSocket {
    return this.socket.off("data", onData).off("end", onEnd).off("drain", onDrain).off(
      "close",
      onClose,
    );
  }
}

// Applications get a plain Uint8Array: a Buffer would pass for one until somebody calls `toString`
// or `slice`.
function onData(this: Owned, chunk: Buffer): void {
  this[owner]!.received(new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.byteLength));
}

function onEnd(this: Owned): void {
  this[owner]!.ended();
}

function onDrain(this: Owned): void {
  this[owner]!.drained();
}

function onError(this: Owned, error: Error): void {
  this[owner]!.failed(error);
}

function onClose(this: Owned): void {
  this[owner]!.closed();
}

function addressOf(hostname: string | undefined, port: number | undefined): Address {
  return hostname === undefined || port === undefined ? { path: "" } : ipAddress(hostname, port);
}
