/**
 * sansws on Node: `net` and `tls`.
 *
 * @module
 */

import { hash } from "node:crypto";
import { createServer } from "node:net";
import type { AddressInfo, Server as NetServer, Socket as NetSocket } from "node:net";
import process from "node:process";
import { createServer as createTlsServer, type TlsOptions, type TLSSocket } from "node:tls";
import { HeaderFields, type RequestHead, type SendOptions } from "../core/mod.ts";
import { deflateCodec } from "./deflate.ts";
import { connect as connectOn, type ConnectOptions } from "./host/client/client.ts";
import type { ReconnectOptions, ReconnectTarget } from "./host/client/reconnect-options.ts";
import { ReconnectingSocket, surroundings } from "./host/client/reconnecting.ts";
import { Clock } from "./host/clock.ts";
import {
  type CloseOptions,
  serve as serveOn,
  type ServeOptions,
  type Server,
  type ServerOptions,
  SocketServer,
} from "./host/server/server.ts";
import type { Sendable } from "./host/socket/handlers.ts";
import type { Socket } from "./host/socket/socket.ts";
import type { Address, Listener, ListenOptions, Runtime, Transport } from "./host/transport.ts";
import { dial, secure } from "./node/dial.ts";
import { NodeTransport } from "./node/transport.ts";

// --- Listening ---

function listenerAddress(server: NetServer): Address {
  const address = server.address() as AddressInfo | string;
  return typeof address === "string"
    ? { path: address }
    : { hostname: address.address, port: address.port };
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

// Who has not shaken hands yet is not waited for when the server closes: such a socket does not
// keep the process alive.
function createTls(options: TlsOptions, open: (socket: NetSocket) => void): NetServer {
  const server = createTlsServer(options, (socket) => open(socket.ref()));
  return server.prependListener("connection", (socket: NetSocket) => socket.unref()).on(
    "tlsClientError",
    drop,
  );
}

// Of a handshake that failed, or took too long, Node only tells: unless it is closed here, its
// socket stays.
function drop(_error: Error, socket: TLSSocket): void {
  socket.destroy();
}

/** A TLS handshake has as much time as one of WebSocket. */
const TLS_HANDSHAKE_TIMEOUT = 10_000;

function tlsServerOptions(
  { alpnProtocols, ca, ...tls }: NonNullable<ListenOptions["tls"]>,
): TlsOptions {
  return {
    ...tls as TlsOptions,
    ...ca !== undefined && { ca: ca as string | string[] },
    ...alpnProtocols !== undefined && { ALPNProtocols: [...alpnProtocols] },
    handshakeTimeout: TLS_HANDSHAKE_TIMEOUT,
  };
}

// --- Entry points ---

const runtime: Runtime = {
  name: "Node",
  clock: new Clock(),
  deflate: deflateCodec,
  sha1: (text) => hash("sha1", text, "base64"),
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
export function connect<Data = unknown>(
  url: string | URL,
  options?: ConnectOptions<Data>,
): Promise<Socket<Data>> {
  return connectOn(runtime, url, options);
}

/**
 * Connects to a server, and again whenever the connection ends; see `reconnecting` of the package
 * root.
 */
export function reconnecting<Data = unknown>(
  target: ReconnectTarget,
  options: ReconnectOptions<Data> = {},
): ReconnectingSocket<Data> {
  return new ReconnectingSocket(target, options, surroundings(connect));
}

/**
 * What is asked of an `http.IncomingMessage`, written out so that the public types need no package
 * of Node's.
 */
export interface UpgradeMessage {
  /** Such as `"GET"`; case matters. */
  readonly method?: string | undefined;
  /** The request target as sent, mostly a path with its query (RFC 9112 §3.2). */
  readonly url?: string | undefined;
  /**
   * Names and values in turn, as sent: repetitions, which `headers` hides, must be seen to be
   * refused.
   */
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

  /**
   * A listener for the `upgrade` event of an `http.Server` or `https.Server`; it answers every
   * request it is given.
   */
  handleUpgrade(request: UpgradeMessage, socket: object, head: Uint8Array): void {
    const transport = new NodeTransport(socket as NetSocket);
    transport.socket.setTimeout(0);
    transport.socket.setNoDelay(true);
    this.#server.accept(transport, headOf(request), new Uint8Array(head));
  }

  /** The open sockets. */
  get sockets(): ReadonlySet<Socket<Data>> {
    return this.#server.sockets;
  }

  /** Sends to all subscribers of the topic; returns to how many. */
  publish(topic: string, data: Sendable, options?: SendOptions): number {
    return this.#server.publish(topic, data, options);
  }

  /**
   * Closes the sockets, and answers further upgrades with 503; the HTTP server goes on.
   *
   * @throws {UsageError} for a code or deadline that is not legal
   */
  close(options?: CloseOptions): Promise<void> {
    return this.#server.close(options);
  }
}

/**
 * Serves WebSockets on an HTTP server that is there already, such as one of Express, Fastify or
 * Vite.
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
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    fields.push([rawHeaders[i]!, rawHeaders[i + 1]!]);
  }
  return { method, target: url, headers: new HeaderFields(fields) };
}

export * from "./host/mod.ts";
export { pair, type PairOptions, type SocketPair } from "./pair.ts";
