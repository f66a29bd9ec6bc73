// A transport over a socket of Node: a `net.Socket`, a `tls.TLSSocket`, or another Duplex in the
// place of one. Node queues what the kernel does not take. dial.ts, runtime.ts and attach.ts make
// the sockets.

import { Socket as NetSocket } from "node:net";
import { TLSSocket } from "node:tls";
import { copyOf } from "../../core/internal.ts";
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
    // Read now: the socket forgets it at the end, when applications log it.
    this.peer = addressOf(socket.remoteAddress, socket.remotePort);
    socket[owner] = this;
    socket.on("error", onError);
  }

  /** Takes over a socket that had another owner: a Duplex may have no timeout and no delay. */
  begin(): void {
    this.socket.setTimeout?.(0);
    this.socket.setNoDelay?.(true);
  }

  get secure(): boolean {
    return this.socket instanceof TLSSocket;
  }

  get bufferedAmount(): number {
    return this.socket.writableLength;
  }

  // Then the kernel has the bytes of a socket. Another Duplex may keep what it was given.
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

  // What `socket.write` returns says little: it is false while the socket is corked. A destroyed
  // socket reports writableLength 0: return false, so that a send loop yields until 'close'. And
  // wait for 'drain' only if Node will say it: another server may have set a high-water mark.
  write(chunks: readonly Uint8Array[]): boolean {
    const { socket } = this;
    if (chunks.length === 1 && this.#native) socket.write(chunks[0]!);
    else this.#writeAll(chunks);
    const waits = socket.writableLength >= HIGH_WATER_MARK && socket.writableNeedDrain;
    return !waits && socket.writable;
  }

  // A Duplex of somebody else gets memory of its own.
  #writeAll(chunks: readonly Uint8Array[]): void {
    this.socket.cork();
    for (const chunk of chunks) this.socket.write(this.#native ? chunk : copyOf(chunk));
    this.socket.uncork();
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

  /** Gives the socket away: its new owner receives its events. */
  release(): NetSocket {
    const { socket } = this;
    return socket.off("data", onData).off("end", onEnd).off("drain", onDrain).off("close", onClose);
  }
}

// A plain Uint8Array: a Buffer passes for one until an application calls `toString` or `slice`.
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
