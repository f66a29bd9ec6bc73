// A WebSocket server over any runtime: it accepts transports, opens sockets on them, publishes to
// them, and closes them all. Transports become sockets in incoming.ts and come from an adapter.

import { encodeClose } from "../../../core/internal.ts";
import type { HandshakeOptions, Opened, RequestHead, SendOptions } from "../../../core/mod.ts";
import { CloseCode, UsageError } from "../../../core/mod.ts";
import { anything, callable, checkOptions, type Checks, integer, members } from "../check.ts";
import { takes, text } from "../check.ts";
import { after, type Clock } from "../clock.ts";
import { showAs } from "../inspect.ts";
import { COMMON, type CommonOptions, HANDLERS, handshakeOptions } from "../options.ts";
import { SERVER_BACKPRESSURE, serverTls, subprotocols } from "../options.ts";
import { call, pickHandlers, report } from "../socket/handlers.ts";
import { publish, type Sendable } from "../socket/sending.ts";
import type { Backpressure, Owner, Session } from "../socket/session.ts";
import { type Handlers, openSession, type Socket } from "../socket/socket.ts";
import { Topics } from "../topics.ts";
import type { Address, Context, Listener, ListenOptions, Runtime } from "../transport.ts";
import { plain, type Transport, urlOf } from "../transport.ts";
import { Deferred } from "../waiting.ts";
import { Admission, type ConnectionLimits, CONNECTIONS } from "./admission.ts";
import type { Refusal, RefusedHandler, RequestHook, UpgradeHook } from "./hooks.ts";
import { Incoming, type IncomingHost } from "./incoming.ts";

/** How a server treats its clients. */
export interface ServerOptions<Data = unknown> extends CommonOptions, Handlers<Data> {
  /** Asked before each 101: origin, authentication, subprotocol, headers. Default: accepts all. */
  readonly upgrade?: UpgradeHook<Data> | undefined;
  /** Serves GET and HEAD requests that are not upgrades. Default: 426. */
  readonly request?: RequestHook | undefined;
  /** Hears of everything that is turned away: status, rule and peer. */
  readonly refused?: RefusedHandler | undefined;
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

/** The checks of {@linkcode ServerOptions}. */
export const SERVER: Checks<ServerOptions<never>> = {
  ...COMMON,
  ...HANDLERS,
  upgrade: callable,
  request: callable,
  refused: callable,
  protocols: subprotocols,
  connections: members(CONNECTIONS),
};

const LISTEN: Checks<ListenOptions> = {
  port: integer(0, 65_535),
  hostname: text,
  path: text,
  tls: serverTls,
};

const CLOSE: Checks<CloseOptions> = {
  code: anything,
  reason: anything,
  deadline: takes("milliseconds, 0 or more, or Infinity", (value) => {
    return typeof value === "number" && value >= 0;
  }),
};

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
  readonly ordered: boolean;
  readonly sha1: Runtime["sha1"];
  readonly #refused: RefusedHandler | undefined;
  readonly #runtime: Runtime;
  readonly #context: Context;

  readonly #sockets = new Set<Socket<Data>>();
  readonly #incoming = new Set<Incoming<Data>>();
  readonly #admission: Admission;
  #closed: Deferred<void> | undefined;

  /** Takes options that are checked. */
  constructor(runtime: Runtime, options: ServerOptions<Data>) {
    this.handlers = pickHandlers(options, Object.keys(HANDLERS));
    this.backpressure = { ...SERVER_BACKPRESSURE, ...options.backpressure };
    this.clock = runtime.clock;
    this.sha1 = runtime.sha1;
    this.handshake = handshakeOptions(runtime, options);
    this.protocols = [...options.protocols ?? []];
    this.upgrade = options.upgrade?.bind(options);
    this.request = options.request?.bind(options);
    this.ordered = options.ordered ?? false;
    this.#refused = options.refused?.bind(options);
    this.#admission = new Admission(options.connections);
    this.#runtime = runtime;
    this.#context = this.captureContext();
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
  accept(
    transport: Transport,
    head?: RequestHead,
    rest?: Uint8Array,
    context: Context = this.#context,
  ): void {
    if (!this.#admission.admit(transport, this)) return;
    const incoming = new Incoming(transport, this, context);
    this.#incoming.add(incoming);
    incoming.start(head, rest);
  }

  captureContext(): Context {
    return this.#runtime.captureContext?.() ?? plain;
  }

  answering(): void {
    this.#admission.settle();
  }

  refused(refusal: Refusal): void {
    const { handlers } = this;
    if (this.#refused === undefined) return;
    void call(() => this.#refused!(refusal), (error) => report(handlers, error));
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
    if (!incoming.answered) this.#admission.settle();
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
    const closed = this.#closed ??= this.#beginClosing(code, reason);
    // The earliest deadline counts, whichever call brought it.
    const cancel = after(deadline, () => this.#abortAll());
    await closed.promise;
    cancel();
  }

  #beginClosing(code: number, reason: string): Deferred<void> {
    const closed = this.#closed = new Deferred<void>();
    for (const socket of this.#sockets) socket.close(code, reason);
    for (const incoming of this.#incoming) incoming.abandon();
    if (this.#sockets.size === 0 && this.#incoming.size === 0) closed.resolve();
    return closed;
  }

  #abortAll(): void {
    for (const socket of this.#sockets) socket.abort();
    for (const { pump } of this.#incoming) pump.abort();
  }
}

function resolveClose(
  options: CloseOptions = {},
): { readonly code: number; readonly reason: string; readonly deadline: number; } {
  checkOptions(options, CLOSE, "close");
  const { code = CloseCode.goingAway, reason = "", deadline = 10_000 } = options;
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
  checkOptions(options, { ...SERVER, ...LISTEN });
  const server = new SocketServer(runtime, options);
  const { port, hostname, path, tls } = options;
  if (port === undefined && path === undefined) {
    throw new UsageError(
      "port is missing: 0 lets the system choose one; or give the path of a socket",
    );
  }
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
