// The client: from a URL to an open socket, by way of a transport and the opening handshake.
//
// What a good answer is, the core's ClientHandshake knows; how to reach the peer, the adapter.

import { refuseUnknown } from "../../core/limits.ts";
import type { ClientHandshakeOptions, HeaderInput, Opened } from "../../core/mod.ts";
import { ClientHandshake, HandshakeError, Topics, UsageError } from "../../core/mod.ts";
import type { Clock, Sleeper } from "./clock.ts";
import type { Backpressure, Handlers, Owner } from "./handlers.ts";
import { linger } from "./linger.ts";
import type { CommonOptions } from "./options.ts";
import {
  CLIENT_BACKPRESSURE,
  COMMON_NAMES,
  HANDLER_NAMES,
  handshakeOptions,
  pickHandlers,
  resolveBackpressure,
} from "./options.ts";
import { Session } from "./session.ts";
import type { Socket } from "./socket.ts";
import type { Runtime, TlsClientOptions, Transport, TransportEvents } from "./transport.ts";

/** How a client connects. */
export interface ConnectOptions<Data = unknown> extends CommonOptions, Handlers<Data> {
  /** Subprotocols to offer, the preferred one first. */
  readonly protocols?: string | readonly string[] | undefined;
  /** Fields for the request, besides those of the handshake. */
  readonly headers?: HeaderInput | undefined;
  /** Gives up connecting. Once the socket is open it has no effect. */
  readonly signal?: AbortSignal | undefined;
  /** For `wss:` URLs. */
  readonly tls?: TlsClientOptions | undefined;
  /** A unix socket to connect to, instead of the URL's host. */
  readonly path?: string | undefined;
  /** What the socket's `data` is. */
  readonly data?: Data;
}

const CLIENT_NAMES: readonly string[] = [
  ...COMMON_NAMES,
  ...HANDLER_NAMES,
  "protocols",
  "headers",
  "signal",
  "tls",
  "path",
  "data",
];

/**
 * Connects to a server.
 *
 * @param url `ws:`, `wss:`, `http:` or `https:`, without a fragment
 * @throws {UsageError} for a URL or option that is not legal, or that the runtime cannot serve
 * @throws {HandshakeError} when the server does not open a WebSocket: with its answer, if it gave one
 * @throws whatever the runtime says when there is no way to the server, and the signal's reason when it is aborted
 */
export async function connect<Data = unknown>(
  runtime: Runtime,
  url: string | URL,
  options: ConnectOptions<Data> = {},
): Promise<Socket<Data>> {
  refuseUnknown("options", options, CLIENT_NAMES);
  const { signal } = options;
  signal?.throwIfAborted();
  const target = parseUrl(url);
  const owner = new ClientOwner(runtime, options);
  const handshake = await ClientHandshake.create(target, clientHandshakeOptions(runtime, options), runtime.clock.now());
  const transport = await runtime.dial({ ...addressOf(target, options), signal });
  const opened = (opened: Opened): Socket<Data> => {
    const session = new Session(opened, transport, owner, options.data as Data);
    session.start(opened.rest);
    return session.socket;
  };
  return new ClientOpening(transport, handshake, runtime.clock, signal, opened).run();
}

function parseUrl(url: string | URL): URL {
  try {
    return new URL(url);
  } catch {
    throw new UsageError(`${JSON.stringify(String(url))} is not a URL`);
  }
}

function addressOf(
  url: URL,
  options: ConnectOptions,
): { hostname?: string; port?: number; path?: string; tls?: TlsClientOptions; } {
  const secure = url.protocol === "wss:" || url.protocol === "https:";
  const tls = secure ? { tls: options.tls ?? {} } : {};
  if (!secure && options.tls !== undefined) throw new UsageError("tls is for wss: URLs");
  if (options.path !== undefined) return { path: options.path, ...tls };
  const port = url.port === "" ? secure ? 443 : 80 : Number(url.port);
  return { hostname: url.hostname.replace(/^\[|\]$/g, ""), port, ...tls };
}

function clientHandshakeOptions<Data>(runtime: Runtime, options: ConnectOptions<Data>): ClientHandshakeOptions {
  const { protocols = [], headers } = options;
  const offered = typeof protocols === "string" ? [protocols] : protocols;
  return { ...handshakeOptions(runtime, options), protocols: offered, headers };
}

/** What a client's socket has in place of a server. */
class ClientOwner<Data> implements Owner<Data> {
  readonly handlers: Handlers<Data>;
  readonly backpressure: Backpressure;
  readonly topics: Topics<Socket<Data>> = new Topics();
  readonly clock: Clock;

  constructor(runtime: Runtime, options: ConnectOptions<Data>) {
    this.handlers = pickHandlers(options);
    this.backpressure = resolveBackpressure(CLIENT_BACKPRESSURE, options.backpressure);
    this.clock = runtime.clock;
  }

  forget(): void {}
}

/** A client's transport until it is a socket, which it becomes within the call that brings the answer: no byte is in between. */
class ClientOpening<Data> implements TransportEvents, Sleeper {
  readonly #transport: Transport;
  readonly #handshake: ClientHandshake;
  readonly #clock: Clock;
  readonly #signal: AbortSignal | undefined;
  readonly #abort = (): void => this.#fail(this.#signal!.reason);
  #alarm = 0;
  #over = false;
  readonly #opened: (opened: Opened) => Socket<Data>;
  #resolve!: (socket: Socket<Data>) => void;
  #reject!: (error: unknown) => void;

  constructor(
    transport: Transport,
    handshake: ClientHandshake,
    clock: Clock,
    signal: AbortSignal | undefined,
    opened: (opened: Opened) => Socket<Data>,
  ) {
    this.#transport = transport;
    this.#handshake = handshake;
    this.#clock = clock;
    this.#signal = signal;
    this.#opened = opened;
  }

  run(): Promise<Socket<Data>> {
    return new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
      this.#alarm = this.#clock.schedule(this, this.#handshake.deadline);
      this.#signal?.addEventListener("abort", this.#abort);
      this.#transport.attach(this);
      this.#transport.write(this.#handshake.takeOutput());
    });
  }

  received(chunk: Uint8Array): void {
    if (this.#over) return;
    const opened = this.#handshake.receive(chunk, this.#clock.now());
    if (opened === undefined) return this.#settle();
    this.#finish();
    this.#resolve(this.#opened(opened));
  }

  ended(): void {
    this.#handshake.receiveEnd(this.#clock.now());
    this.#settle();
  }

  drained(): void {}

  closed(error?: Error): void {
    if (error === undefined) this.ended();
    else this.#fail(new HandshakeError("answer-incomplete", error.message, undefined, error));
  }

  wake(now: number): void {
    this.#handshake.tick(now);
    this.#settle();
    if (!this.#over) this.#alarm = this.#clock.schedule(this, this.#handshake.deadline);
  }

  #settle(): void {
    const { failure } = this.#handshake;
    if (failure === undefined || this.#over) return;
    this.#finish();
    linger(this.#transport, this.#clock, () => {});
    this.#reject(failure);
  }

  #fail(error: unknown): void {
    if (this.#over) return;
    this.#finish();
    this.#transport.abort();
    this.#reject(error);
  }

  #finish(): void {
    this.#over = true;
    this.#clock.cancel(this, this.#alarm);
    this.#signal?.removeEventListener("abort", this.#abort);
  }
}
