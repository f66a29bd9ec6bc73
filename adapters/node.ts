/**
 * sansws on Node: `net` and `tls`.
 *
 * @module
 */

import { createHash } from "node:crypto";
import { connect as netConnect, createServer, isIP } from "node:net";
import type { AddressInfo, NetConnectOpts, Server as NetServer, Socket as NetSocket } from "node:net";
import process from "node:process";
import { connect as tlsConnect, createServer as createTlsServer, TLSSocket } from "node:tls";
import type { TlsOptions } from "node:tls";
import type { RequestHead } from "../core/mod.ts";
import { HeaderFields } from "../core/mod.ts";
import { deflateCodec } from "./deflate.ts";
import { ipAddress } from "./host/address.ts";
import { connect as connectOn, type ConnectOptions } from "./host/client/client.ts";
import { step } from "./host/client/connect-error.ts";
import type { ReconnectOptions, ReconnectTarget } from "./host/client/reconnect-options.ts";
import { ReconnectingSocket, surroundings } from "./host/client/reconnecting.ts";
import { Clock } from "./host/clock.ts";
import { byteLength, gather, GATHER_BELOW, giveBack } from "./host/outbox.ts";
import {
  serve as serveOn,
  type ServeOptions,
  type Server,
  type ServerOptions,
  SocketServer,
} from "./host/server/server.ts";
import type { Socket } from "./host/socket/socket.ts";
import type {
  Address,
  DialOptions,
  Listener,
  ListenOptions,
  Runtime,
  TlsClientOptions,
  Transport,
  TransportEvents,
} from "./host/transport.ts";
import { HIGH_WATER_MARK } from "./host/transport.ts";

// --- Runtime types ---

/** A socket that knows its transport, so that all sockets can share their listeners. */
interface Owned extends NetSocket {
  [owner]?: NodeTransport;
}

const owner = Symbol("transport");

// --- Transport ---

class NodeTransport implements Transport {
  readonly socket: Owned;
  #events: TransportEvents | undefined;
  #peer: Address | undefined;
  #error: Error | undefined;

  constructor(socket: Owned) {
    this.socket = socket;
    socket[owner] = this;
    socket.on("error", onError);
  }

  get peer(): Address {
    return this.#peer ??= addressOf(this.socket.remoteAddress, this.socket.remotePort);
  }

  get secure(): boolean {
    return this.socket instanceof TLSSocket;
  }

  get bufferedAmount(): number {
    return this.socket.writableLength;
  }

  attach(events: TransportEvents): void {
    const first = this.#events === undefined;
    this.#events = events;
    if (this.socket.closed) queueMicrotask(() => this.closed());
    if (!first) return;
    this.socket.on("data", onData).on("end", onEnd).on("drain", onDrain).on("close", onClose);
  }

  // Whether `write` returns true tells little: it does not while the socket is corked, nor for one large chunk, although all of it
  // may have left by then. What still waits does tell.
  write(chunks: readonly Uint8Array[]): boolean {
    const { socket } = this;
    if (chunks.length === 1) socket.write(chunks[0]!);
    else if (byteLength(chunks) < GATHER_BELOW) this.#writeGathered(chunks);
    else this.#writeCorked(chunks);
    return socket.writableLength < HIGH_WATER_MARK;
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
    return this.socket.off("data", onData).off("end", onEnd).off("drain", onDrain).off("close", onClose);
  }

  #writeGathered(chunks: readonly Uint8Array[]): void {
    const block = gather(chunks);
    this.socket.write(block);
    // With nothing left to write the block has been read, and can serve again.
    if (this.socket.writableLength === 0) giveBack(block);
  }

  #writeCorked(chunks: readonly Uint8Array[]): void {
    this.socket.cork();
    for (const chunk of chunks) this.socket.write(chunk);
    this.socket.uncork();
  }
}

// Applications get a plain Uint8Array: a Buffer would pass for one until somebody calls `toString` or `slice`.
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

function listenerAddress(server: NetServer): Address {
  const address = server.address() as AddressInfo | string;
  return typeof address === "string" ? { path: address } : { hostname: address.address, port: address.port };
}

function listen(
  options: ListenOptions,
  accept: (transport: Transport) => void,
  report: (error: unknown) => void,
): Promise<Listener> {
  const { port = 0, hostname = "0.0.0.0", path, tls } = options;
  const common = { allowHalfOpen: true, noDelay: true };
  const open = (socket: NetSocket): void => accept(new NodeTransport(socket));
  const server = tls === undefined
    ? createServer(common, open)
    : createTls({ ...common, ...tlsServerOptions(tls) }, open);
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(path === undefined ? { port, host: hostname } : { path }, () => {
      server.off("error", reject).on("error", report);
      resolve({ address: listenerAddress(server), stop: () => void server.close() });
    });
  });
}

// Who has not shaken hands yet is not waited for when the server closes: such a socket does not keep the process alive.
function createTls(options: TlsOptions, open: (socket: NetSocket) => void): NetServer {
  const server = createTlsServer(options, (socket) => open(socket.ref()));
  return server.prependListener("connection", (socket: NetSocket) => socket.unref()).on("tlsClientError", drop);
}

// Of a handshake that failed, or took too long, Node only tells: unless it is closed here, its socket stays.
function drop(_error: Error, socket: TLSSocket): void {
  socket.destroy();
}

/** A TLS handshake has as much time as one of WebSocket. */
const TLS_HANDSHAKE_TIMEOUT = 10_000;

function tlsServerOptions({ alpnProtocols, ca, ...tls }: NonNullable<ListenOptions["tls"]>): TlsOptions {
  return {
    ...tls as TlsOptions,
    ...ca !== undefined && { ca: ca as string | string[] },
    ...alpnProtocols !== undefined && { ALPNProtocols: [...alpnProtocols] },
    handshakeTimeout: TLS_HANDSHAKE_TIMEOUT,
  };
}

function tlsClientOptions(hostname: string, options: TlsClientOptions): object {
  const { alpnProtocols = ["http/1.1"], serverName, ...tls } = options;
  const name = serverName ?? (isIP(hostname) === 0 ? hostname : undefined);
  // Without `host` the certificate of an address would be checked for "localhost".
  return { ...tls, host: hostname, ALPNProtocols: [...alpnProtocols], ...name !== undefined && { servername: name } };
}

async function dial({ hostname, port, path, tls, signal }: DialOptions): Promise<Transport> {
  const target = path === undefined ? { host: hostname, port } : { path };
  const socket = netConnect({ ...target, allowHalfOpen: true, noDelay: true } as NetConnectOpts);
  const transport = await connected(socket, "connect", signal);
  if (tls === undefined) return transport;
  const message = `no TLS with ${hostname}`;
  return step("tls", message, signal, () => secure(transport, hostname, tls, signal));
}

function secure(
  transport: Transport,
  hostname: string,
  options: TlsClientOptions,
  signal?: AbortSignal,
): Promise<Transport> {
  const socket = (transport as NodeTransport).release();
  return connected(tlsConnect({ socket, ...tlsClientOptions(hostname, options) }), "secureConnect", signal);
}

/** The transport, once the event has come; on failure and when the signal is aborted the socket is dropped. */
function connected(socket: NetSocket, event: string, signal?: AbortSignal): Promise<Transport> {
  return new Promise((resolve, reject) => {
    const settle = (): void => signal?.removeEventListener("abort", abort);
    const fail = (error: unknown): void => {
      settle();
      socket.destroy();
      reject(error);
    };
    const abort = (): void => fail(signal!.reason);
    signal?.addEventListener("abort", abort);
    socket.once("error", fail).once(event, () => {
      settle();
      socket.off("error", fail);
      resolve(new NodeTransport(socket));
    });
    if (signal?.aborted) abort();
  });
}

// --- Entry points ---

const runtime: Runtime = {
  name: "Node",
  clock: new Clock(),
  deflate: deflateCodec,
  sha1: (bytes) => createHash("sha1").update(bytes).digest(),
  listen,
  dial,
  checkSecure() {},
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

/** What is asked of an `http.IncomingMessage`, written out so that the public types need no package of Node's. */
export interface UpgradeMessage {
  readonly method?: string | undefined;
  readonly url?: string | undefined;
  readonly rawHeaders: readonly string[];
}

/** A WebSocket server on somebody else's HTTP server. */
export class AttachedServer<Data = unknown> {
  readonly #server: SocketServer<Data>;

  /** Made by {@linkcode attach}. */
  constructor(options: ServerOptions<Data>) {
    this.#server = new SocketServer(runtime, options);
    this.handleUpgrade = this.handleUpgrade.bind(this);
  }

  /** A listener for the `upgrade` event of an `http.Server` or `https.Server`; it answers every request it is given. */
  handleUpgrade(request: UpgradeMessage, socket: object, head: Uint8Array): void {
    const transport = new NodeTransport(socket as NetSocket);
    transport.socket.setTimeout(0);
    transport.socket.setNoDelay(true);
    this.#server.accept(transport, headOf(request), new Uint8Array(head));
  }

  /** The open sockets. */
  get sockets(): SocketServer<Data>["sockets"] {
    return this.#server.sockets;
  }

  /** Sends to all subscribers of the topic; returns to how many. */
  publish(...args: Parameters<SocketServer<Data>["publish"]>): number {
    return this.#server.publish(...args);
  }

  /** Closes the sockets, and answers further upgrades with 503; the HTTP server goes on. */
  close(...args: Parameters<SocketServer<Data>["close"]>): Promise<void> {
    return this.#server.close(...args);
  }
}

/**
 * Serves WebSockets on an HTTP server that is there already, such as one of Express, Fastify or Vite.
 *
 * @example
 * ```ts
 * const sockets = attach({ message: (socket, data) => socket.send(data) });
 * httpServer.on("upgrade", sockets.handleUpgrade);
 * ```
 * @throws {UsageError} for an unknown option or an illegal value
 */
export function attach<Data = unknown>(options: ServerOptions<Data>): AttachedServer<Data> {
  return new AttachedServer(options);
}

function headOf({ method = "", url = "", rawHeaders }: UpgradeMessage): RequestHead {
  const fields: [string, string][] = [];
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) fields.push([rawHeaders[i]!, rawHeaders[i + 1]!]);
  return { method, target: url, headers: new HeaderFields(fields) };
}

export * from "./host/mod.ts";
export type { PairOptions, SocketPair } from "./pair.ts";
export { pair } from "./pair.ts";
