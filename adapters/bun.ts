/**
 * sansws on Bun: `Bun.listen` and `Bun.connect`.
 *
 * @module
 */

import process from "node:process";
import { UsageError } from "../core/mod.ts";
import { deflateCodec } from "./deflate.ts";
import { ipAddress } from "./host/address.ts";
import { connect as connectOn, type ConnectOptions } from "./host/client/client.ts";
import { ConnectError } from "./host/client/connect-error.ts";
import type { ReconnectOptions, ReconnectTarget } from "./host/client/reconnect-options.ts";
import { ReconnectingSocket, surroundings } from "./host/client/reconnecting.ts";
import { Clock } from "./host/clock.ts";
import { Outbox } from "./host/outbox.ts";
import { serve as serveOn, type ServeOptions, type Server } from "./host/server/server.ts";
import type { Socket } from "./host/socket/socket.ts";
import type {
  Address,
  DialOptions,
  Listener,
  ListenOptions,
  Runtime,
  TlsClientOptions,
  TlsServerOptions,
  Transport,
  TransportEvents,
} from "./host/transport.ts";
import { HIGH_WATER_MARK } from "./host/transport.ts";

// --- Runtime types ---

// What this file asks of Bun, so that it type-checks everywhere.
interface BunSocket {
  data: BunTransport | undefined;
  /** Neither is there when the peer has reset the connection. */
  readonly remoteAddress: string | undefined;
  readonly remotePort: number | undefined;
  /** How many bytes it took, maybe none; negative when the socket is closed. It keeps none for later. */
  write(bytes: Uint8Array): number;
  /** Ends writing. */
  shutdown(): void;
  end(): void;
  terminate(): void;
  pause(): void;
  resume(): void;
  setNoDelay(noDelay: boolean): void;
  upgradeTLS(options: object): readonly [raw: BunSocket, tls: BunSocket];
}

/** What is wrong with a peer's certificate, or with its TLS at all. */
interface TlsError {
  readonly code?: string;
}

interface BunListener {
  readonly hostname: string;
  readonly port: number;
  stop(closeActiveConnections?: boolean): void;
}

interface BunApi {
  listen(options: object): BunListener;
  connect(options: object): Promise<BunSocket>;
  CryptoHasher: new(algorithm: "sha1") => { update(bytes: Uint8Array): { digest(): Uint8Array; }; };
}

const { Bun } = globalThis as unknown as { Bun: BunApi; };

// --- Transport ---

class BunTransport implements Transport {
  readonly socket: BunSocket;
  readonly secure: boolean;
  readonly unix: boolean;
  #events: TransportEvents | undefined;
  #peer: Address | undefined;
  /** What came before anybody asked. */
  #early: Uint8Array[] | undefined;
  /** What the system has not taken yet, if there is anything. */
  #outbox: Outbox | undefined;
  #blocked = false;
  #ending = false;
  #outputEnded = false;
  #inputEnded = false;
  #closed = false;
  #error: Error | undefined;

  constructor(socket: BunSocket, secure: boolean, unix: boolean) {
    this.socket = socket;
    this.secure = secure;
    this.unix = unix;
    socket.data = this;
    if (!unix) socket.setNoDelay(true);
  }

  get peer(): Address {
    return this.#peer ??= this.unix ? { path: "" } : peerOf(this.socket);
  }

  get bufferedAmount(): number {
    return this.#outbox?.size ?? 0;
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

  // A failure of TLS is reported twice: as an error, and as the end.
  closed(error?: Error): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#error = error;
    this.#outbox = undefined;
    this.#events?.closed(error);
  }

  /** Reports to the first owner what came before it, and to any that it is late. */
  #catchUp(): void {
    const early = this.#early ?? [];
    this.#early = undefined;
    for (const chunk of early) this.#events!.received(chunk);
    if (this.#inputEnded) this.#events!.ended();
    if (this.#closed) this.#events!.closed(this.#error);
  }

  /** Writes what the system takes; the rest goes when it says so. */
  #flush(): void {
    const outbox = this.#outbox;
    while (outbox !== undefined && outbox.size > 0) {
      const block = outbox.next();
      const count = this.socket.write(block);
      if (count < 0) return this.#giveUp();
      outbox.wrote(count);
      if (count < block.length) return;
    }
    this.#outbox = undefined;
    if (this.#ending && !this.#outputEnded) this.#endOutput();
  }

  // The peer has reset the connection. A socket that is paused, as one is whose output waits, would not hear of that.
  #giveUp(): void {
    queueMicrotask(() => this.socket.terminate());
  }

  // `end` would close at once, and could take with it what was written; `shutdown` ends only this direction.
  #endOutput(): void {
    this.#outputEnded = true;
    this.socket.shutdown();
    if (this.#inputEnded) this.socket.end();
  }
}

function peerOf({ remoteAddress, remotePort }: BunSocket): Address {
  return remoteAddress === undefined || remotePort === undefined ? {} : ipAddress(remoteAddress, remotePort);
}

/** The events of a socket, passed on to its transport. One object serves all sockets. */
const handlers = {
  binaryType: "uint8array",
  data: ({ data }: BunSocket, chunk: Uint8Array): void => data?.received(chunk),
  drain: ({ data }: BunSocket): void => data?.drained(),
  end: ({ data }: BunSocket): void => data?.ended(),
  close: ({ data }: BunSocket, error?: Error): void => data?.closed(error),
  error: ({ data }: BunSocket, error: Error): void => data?.closed(error),
};

function listen(
  { port = 0, hostname = "0.0.0.0", path, tls }: ListenOptions,
  accept: (transport: Transport) => void,
): Listener {
  const unix = path !== undefined;
  const open = (socket: BunSocket): void => accept(new BunTransport(socket, tls !== undefined, unix));
  const listener = Bun.listen({
    ...unix ? { unix: path } : { hostname, port },
    ...tls !== undefined && { tls: tlsOptions(tls) },
    allowHalfOpen: true,
    socket: { ...handlers, open, ...tls !== undefined && serverTlsHandlers(tls) },
  });
  const address = unix ? { path } : { hostname: listener.hostname, port: listener.port };
  return { address, stop: () => listener.stop() };
}

// With a handler for the handshake Bun opens a socket before it, so that the peer's time, and its place among the connections, count
// from then on; and leaves it to us whom to refuse.
function serverTlsHandlers({ rejectUnauthorized = true }: TlsServerOptions): object {
  const handshake = (socket: BunSocket, authorized: boolean, error: TlsError | null): void => {
    if (!isAccepted(authorized, error, rejectUnauthorized)) socket.terminate();
  };
  return { handshake };
}

function isAccepted(authorized: boolean, error: TlsError | null, rejectUnauthorized: boolean): boolean {
  return authorized || (!rejectUnauthorized && error?.code !== "EPROTO");
}

function tlsOptions({ alpnProtocols, ...tls }: TlsServerOptions | TlsClientOptions): object {
  return { ...tls, ...alpnProtocols !== undefined && { ALPNProtocols: alpnProtocols.join(",") } };
}

function dial({ hostname, port, path, tls, signal }: DialOptions): Promise<Transport> {
  const unix = path !== undefined;
  return connected(tls !== undefined, unix, signal, (hooks) => {
    const options = { ...unix ? { unix: path } : { hostname, port }, allowHalfOpen: true };
    const connectError = (_socket: BunSocket, error: Error): void => hooks.fail(error);
    const connecting = tls === undefined
      ? Bun.connect({ ...options, socket: { ...handlers, open: hooks.done, connectError } })
      : Bun.connect({
        ...options,
        tls: { serverName: hostname, ...clientTls(tls) },
        socket: { ...tlsHandlers(hostname, tls, hooks), connectError },
      });
    connecting.catch(hooks.fail);
  });
}

function checkSecure(_options: TlsClientOptions, within: boolean): void {
  if (within) throw new UsageError("Bun has no TLS within TLS: wss: through an https: proxy");
}

// Over a socket that exists, Bun runs TLS in a second one.
function secure(
  transport: Transport,
  hostname: string,
  options: TlsClientOptions,
  signal: AbortSignal,
): Promise<Transport> {
  const { socket, unix } = transport as BunTransport;
  return connected(true, unix, signal, (hooks) => {
    // What is encrypted is still reported of the first one.
    socket.data = undefined;
    socket.upgradeTLS({
      data: undefined,
      tls: { serverName: hostname, ...clientTls(options) },
      socket: tlsHandlers(hostname, options, hooks),
    });
  });
}

function clientTls(options: TlsClientOptions): object {
  return tlsOptions({ alpnProtocols: ["http/1.1"], ...options });
}

/** What becomes of a socket that is to be connected. */
interface Hooks {
  /** There is a socket, though not ready yet. */
  reached(socket: BunSocket): void;
  done(socket: BunSocket): void;
  fail(error: unknown): void;
}

/** Handlers of a client's socket for TLS: of a bad certificate Bun tells with the handshake, and leaves it to us. */
function tlsHandlers(name: string, { rejectUnauthorized = true }: TlsClientOptions, hooks: Hooks): object {
  const fail = (error: unknown): void => hooks.fail(new ConnectError("tls", `no TLS with ${name}`, error));
  const handshake = (socket: BunSocket, authorized: boolean, error: TlsError | null): void => {
    if (isAccepted(authorized, error, rejectUnauthorized)) return hooks.done(socket);
    fail(error);
    socket.terminate();
  };
  const close = ({ data }: BunSocket, error?: Error): void => {
    if (data === undefined) fail(error ?? "the connection was lost");
    else data.closed(error);
  };
  return { ...handlers, open: hooks.reached, handshake, close, error: close };
}

/** The transport, once it is done; on failure and when the signal is aborted its socket is dropped. */
function connected(
  secure: boolean,
  unix: boolean,
  signal: AbortSignal | undefined,
  begin: (hooks: Hooks) => void,
): Promise<Transport> {
  return new Promise((resolve, reject) => {
    let reached: BunSocket | undefined;
    const abort = (): void => {
      reached?.terminate();
      reject(signal!.reason);
    };
    const settle = (): void => signal?.removeEventListener("abort", abort);
    const keep = (socket: BunSocket): void => {
      reached = socket;
      if (signal?.aborted) socket.terminate();
    };
    signal?.addEventListener("abort", abort);
    begin({
      reached: keep,
      done(socket) {
        settle();
        keep(socket);
        if (!signal?.aborted) resolve(new BunTransport(socket, secure, unix));
      },
      fail(error) {
        settle();
        reject(error);
      },
    });
    if (signal?.aborted) abort();
  });
}

// --- Entry points ---

const runtime: Runtime = {
  name: "Bun",
  clock: new Clock(),
  deflate: deflateCodec,
  sha1: (bytes) => new Bun.CryptoHasher("sha1").update(bytes).digest(),
  listen,
  dial,
  checkSecure,
  secure,
  env: (name) => process.env[name],
};

/** Starts a server; see `serve` of the package root. */
export function serve<Data = unknown>(options: ServeOptions<Data>): Promise<Server<Data>> {
  return serveOn(runtime, options);
}

/** Connects to a server; see `connect` of the package root. */
export function connect<Data = unknown>(url: string | URL, options?: ConnectOptions<Data>): Promise<Socket<Data>> {
  return connectOn(runtime, url, options);
}

/** Connects to a server, and again whenever the connection ends; see `reconnecting` of the package root. */
export function reconnecting<Data = unknown>(
  target: ReconnectTarget,
  options: ReconnectOptions<Data> = {},
): ReconnectingSocket<Data> {
  return new ReconnectingSocket(target, options, surroundings(connect));
}

export * from "./host/mod.ts";
export type { PairOptions, SocketPair } from "./pair.ts";
export { pair } from "./pair.ts";
