// A WebSocket server over any runtime: it accepts transports, opens sockets on them, publishes to
// them, and closes them all. Transports become sockets in incoming.ts and come from an adapter.

import { encodeClose, refuseUnknown } from "../../../core/internal.ts";
import type { HandshakeOptions, Opened, RequestHead, SendOptions } from "../../../core/mod.ts";
import { CloseCode, UsageError } from "../../../core/mod.ts";
import type { Clock } from "../clock.ts";
import { showAs } from "../inspect.ts";
import {
  COMMON_NAMES,
  type CommonOptions,
  handshakeOptions,
  resolveBackpressure,
  SERVER_BACKPRESSURE,
} from "../options.ts";
import { HANDLER_NAMES, pickHandlers, report } from "../socket/handlers.ts";
import { publish, type Sendable } from "../socket/sending.ts";
import type { Backpressure, Owner, Session } from "../socket/session.ts";
import { type Handlers, openSession, type Socket } from "../socket/socket.ts";
import { Topics } from "../topics.ts";
import type { Address, Listener, ListenOptions, Runtime, Transport } from "../transport.ts";
import { urlOf } from "../transport.ts";
import { Deferred } from "../waiting.ts";
import { Admission, type ConnectionLimits } from "./admission.ts";
import type { RequestHook, UpgradeHook } from "./hooks.ts";
import { Incoming, type IncomingHost } from "./incoming.ts";

/** How a server treats its clients. */
export interface ServerOptions<Data = unknown> extends CommonOptions, Handlers<Data> {
  /** Asked before each 101: origin, authentication, subprotocol, headers. Default: accepts all. */
  readonly upgrade?: UpgradeHook<Data> | undefined;
  /** Serves GET and HEAD requests that are not upgrades. Default: 426. */
  readonly request?: RequestHook | undefined;
  /** Subprotocols in order of preference, for when the upgrade hook names none. */
  readonly protocols?: readonly string[] | undefined;
  /** How many may come in. */
  readonly connections?: Partial<ConnectionLimits> | undefined;
}

/** How a server treats its clients, and where it listens. */
export interface ServeOptions<Data = unknown> extends ServerOptions<Data>, ListenOptions {}

/** How a server is closed. */
export interface CloseOptions {
  /** For the Close frames. Default 1001. */
  readonly code?: number | undefined;
  /** For the Close frames. Default empty. */
  readonly reason?: string | undefined;
  /** Milliseconds after which what is still there is dropped. Default 10 s; `Infinity` waits. */
  readonly deadline?: number | undefined;
}

const SERVER_NAMES: readonly string[] = [
  ...COMMON_NAMES,
  ...HANDLER_NAMES,
  "upgrade",
  "request",
  "protocols",
  "connections",
];
const LISTEN_NAMES: readonly string[] = ["port", "hostname", "path", "tls"];

/** A server without a listener: transports are given to it. */
export class SocketServer<Data = unknown> implements Owner<Socket<Data>>, IncomingHost<Data> {
  readonly handlers: Handlers<Data>;
  readonly backpressure: Backpressure;
  readonly topics: Topics<Socket<Data>> = new Topics();
  readonly clock: Clock;
  readonly handshake: HandshakeOptions;
  readonly protocols: readonly string[];
  readonly upgrade: UpgradeHook<Data> | undefined;
  readonly request: RequestHook | undefined;
  readonly sha1: Runtime["sha1"];

  readonly #sockets = new Set<Socket<Data>>();
  readonly #incoming = new Set<Incoming<Data>>();
  readonly #admission: Admission;
  #closed: Deferred<void> | undefined;

  /** @throws {UsageError} for an unknown option or an illegal value */
  constructor(
    runtime: Runtime,
    options: ServerOptions<Data>,
    otherNames: readonly string[] = [],
  ) {
    refuseUnknown("options", options, [...SERVER_NAMES, ...otherNames]);
    this.handlers = pickHandlers(options);
    this.backpressure = resolveBackpressure(SERVER_BACKPRESSURE, options.backpressure);
    this.clock = runtime.clock;
    this.sha1 = runtime.sha1;
    this.handshake = handshakeOptions(runtime, options);
    this.protocols = options.protocols ?? [];
    this.upgrade = options.upgrade;
    this.request = options.request;
    this.#admission = new Admission(options.connections);
  }

  /** The open sockets. */
  get sockets(): ReadonlySet<Socket<Data>> {
    return this.#sockets;
  }

  /** Sends to all subscribers of the topic; returns to how many. */
  publish(topic: string, data: Sendable, options?: SendOptions): number {
    return publish(this.topics, topic, data, options);
  }

  // --- Transports ---

  /** Takes a transport; `head` and `rest` are there when an HTTP server has read the request. */
  accept(transport: Transport, head?: RequestHead, rest?: Uint8Array): void {
    if (!this.#admission.admit(transport, this)) return;
    const incoming = new Incoming(transport, this);
    this.#incoming.add(incoming);
    incoming.start(head, rest);
  }

  opened(incoming: Incoming<Data>, opened: Opened, data: Data): void {
    this.#incoming.delete(incoming);
    this.#admission.settle();
    const session = openSession(opened, incoming.pump, this, data);
    this.#sockets.add(session.socket);
    session.start(opened.rest);
    if (this.closing) session.close(CloseCode.goingAway, "");
  }

  gone(incoming: Incoming<Data>): void {
    this.#incoming.delete(incoming);
    this.#admission.settle();
    this.#leave(incoming.pump.transport);
  }

  forget({ socket, pump }: Session<Socket<Data>>): void {
    this.#sockets.delete(socket);
    this.#leave(pump.transport);
  }

  #leave(transport: Transport): void {
    this.#admission.leave(transport);
    if (this.#sockets.size === 0 && this.#incoming.size === 0) this.#closed?.resolve();
  }

  report(error: unknown): void {
    report(this.handlers, error);
  }

  // --- Closing ---

  /** Whether `close` was called. */
  get closing(): boolean {
    return this.#closed !== undefined;
  }

  /**
   * Closes every socket, answers upgrades that are under way with 503, waits, and drops what is
   * left at the deadline.
   *
   * @throws {UsageError} for a code or deadline that is not legal
   */
  async close(options?: CloseOptions): Promise<void> {
    const { code, reason, deadline } = resolveClose(options);
    if (this.#closed !== undefined) return this.#closed.promise;
    const closed = this.#closed = new Deferred<void>();
    for (const socket of this.#sockets) socket.close(code, reason);
    for (const incoming of this.#incoming) incoming.abandon();
    if (this.#sockets.size === 0 && this.#incoming.size === 0) return closed.resolve();
    const timer = deadline === Infinity ? undefined : setTimeout(() => this.#abortAll(), deadline);
    await closed.promise;
    clearTimeout(timer);
  }

  #abortAll(): void {
    for (const socket of this.#sockets) socket.abort();
    for (const { pump } of this.#incoming) pump.abort();
  }
}

function resolveClose(options: CloseOptions = {}): Required<CloseOptions> & {
  readonly code: number;
  readonly reason: string;
  readonly deadline: number;
} {
  const { code = CloseCode.goingAway, reason = "", deadline = 10_000 } = options;
  if (!(deadline >= 0)) {
    throw new UsageError(`deadline is ${deadline}; it takes milliseconds, 0 or more, or Infinity`);
  }
  encodeClose(code, reason);
  return { code, reason, deadline };
}

/** A server that listens. */
export class Server<Data = unknown> {
  /** For a client on this machine: `ws://127.0.0.1:8080/`, `wss:`, or `ws+unix:` with a path. */
  readonly url: string;
  readonly #server: SocketServer<Data>;
  readonly #listener: Listener;

  /** Servers are made by `serve`. */
  constructor(server: SocketServer<Data>, listener: Listener, secure: boolean) {
    this.url = urlOf(listener.address, secure);
    this.#server = server;
    this.#listener = listener;
  }

  /** Where it listens; the port is the real one when 0 was asked for. */
  get address(): Address {
    return this.#listener.address;
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
   * Stops listening, closes every socket, answers upgrades that are under way with 503, waits, and
   * drops what is left at the deadline.
   *
   * @throws {UsageError} for a code or deadline that is not legal
   */
  async close(options?: CloseOptions): Promise<void> {
    const resolved = resolveClose(options);
    await Promise.all([this.#listener.stop(), this.#server.close(resolved)]);
  }
}

showAs(Server, ({ url, sockets }) => ({ url, sockets: sockets.size }));

/** Starts a server on a runtime; see `EntryPoints.serve`. */
export async function serve<Data>(
  runtime: Runtime,
  options: ServeOptions<Data>,
): Promise<Server<Data>> {
  const server = new SocketServer(runtime, options, LISTEN_NAMES);
  const { port, hostname, path, tls } = options;
  if (path !== undefined && (port !== undefined || hostname !== undefined)) {
    throw new UsageError("path is for a unix socket: it excludes port and hostname");
  }
  const listener = await runtime.listen(
    { port, hostname, path, tls },
    (transport) => server.accept(transport),
    (error) => server.report(error),
  );
  return new Server(server, listener, tls !== undefined);
}
