// The client: from a URL to an open socket, by way of a transport and the opening handshake, and of
// redirects where they are wanted.
//
// What a good answer is, the core's ClientHandshake knows; how to reach the peer, route.ts; where a
// redirect leads, redirect.ts.

import { checkFields } from "../../../core/http/fields.ts";
import { refuseUnknown } from "../../../core/limits.ts";
import type { HeaderInput, Opened } from "../../../core/mod.ts";
import { ClientHandshake, Topics, UsageError } from "../../../core/mod.ts";
import type { Clock } from "../clock.ts";
import type { CommonOptions } from "../options.ts";
import {
  CLIENT_BACKPRESSURE,
  COMMON_NAMES,
  HANDLER_NAMES,
  handshakeOptions,
  pickHandlers,
  resolveBackpressure,
} from "../options.ts";
import type { Backpressure, Handlers, Owner } from "../socket/handlers.ts";
import { Session } from "../socket/session.ts";
import type { Socket } from "../socket/socket.ts";
import type { Runtime, TlsClientOptions, Transport } from "../transport.ts";
import { checkProtocols, checkTimeout, requireSignal } from "./checks.ts";
import { ClientOpening } from "./client-opening.ts";
import { Lifetime, type LifetimeOptions } from "./lifetime.ts";
import { type Hop, nextHop, type RedirectChoice, resolveRedirect } from "./redirect.ts";
import { type RouteOptions, routeTo } from "./route.ts";
import { ConnectScope } from "./scope.ts";
import { parseTarget } from "./target.ts";

/** How a client connects. */
export interface ConnectOptions<Data = unknown>
  extends CommonOptions, Handlers<Data>, RouteOptions
{
  /** Subprotocols to offer, the preferred one first. */
  readonly protocols?: string | readonly string[] | undefined;
  /** Fields for the request, besides those of the handshake. */
  readonly headers?: HeaderInput | undefined;
  /** Gives up connecting. Once the socket is open it has no effect. */
  readonly signal?: AbortSignal | undefined;
  /**
   * The life of the connection: when it is aborted, connecting is given up, or the open socket
   * closed, with 1001 if nothing else is said.
   */
  readonly lifetime?: AbortSignal | LifetimeOptions | undefined;
  /**
   * Milliseconds for all of connecting: names, proxies, TLS, redirects and handshakes. Default 30
   * s. `timeouts.handshake` is for the answer alone.
   */
  readonly timeout?: number | undefined;
  /** A unix socket to connect to, instead of the URL's host. */
  readonly path?: string | undefined;
  /**
   * Follows redirects. Default: none. Other origins get no credentials and no headers of the
   * caller.
   */
  readonly redirect?: RedirectChoice | undefined;
  /** What the socket's `data` is. */
  readonly data?: Data;
}

/** The names of {@linkcode ConnectOptions}. */
export const CLIENT_NAMES: readonly string[] = [
  ...COMMON_NAMES,
  ...HANDLER_NAMES,
  "protocols",
  "headers",
  "signal",
  "lifetime",
  "timeout",
  "tls",
  "path",
  "proxy",
  "stream",
  "redirect",
  "data",
];

/** Long enough for three attempts of TCP to reach the server, with the handshake behind. */
const DEFAULT_TIMEOUT = 30_000;

/**
 * Connects to a server.
 *
 * @param url `ws:`, `wss:`, `http:` or `https:`, without a fragment; or
 *   `ws+unix:/path/of/the.sock:/path/of/the/request`
 * @throws {UsageError} for a URL or option that is not legal, or that the runtime cannot serve
 * @throws {ConnectError} when there is no way to the server: with what the runtime or the proxy
 *   says, such as about its certificate
 * @throws {HandshakeError} when the server does not open a WebSocket: with its answer, if it gave
 *   one
 * @throws the reason of the signal, or of the lifetime, that is aborted
 */
export async function connect<Data = unknown>(
  runtime: Runtime,
  url: string | URL,
  options: ConnectOptions<Data> = {},
): Promise<Socket<Data>> {
  refuseUnknown("options", options, CLIENT_NAMES);
  return await new Client(runtime, options).connect(url);
}

/** One call of `connect`; and to its socket, what a server is to its own. */
class Client<Data> implements Owner<Data> {
  readonly handlers: Handlers<Data>;
  readonly backpressure: Backpressure;
  readonly topics: Topics<Socket<Data>> = new Topics();
  readonly clock: Clock;
  readonly #runtime: Runtime;
  readonly #options: ConnectOptions<Data>;
  readonly #protocols: readonly string[];
  readonly #timeout: number;
  readonly #maxRedirects: number | undefined;
  readonly #keptHeaders: readonly string[];
  readonly #lifetime: Lifetime | undefined;

  constructor(runtime: Runtime, options: ConnectOptions<Data>) {
    this.handlers = pickHandlers(options);
    this.backpressure = resolveBackpressure(CLIENT_BACKPRESSURE, options.backpressure);
    this.clock = runtime.clock;
    this.#runtime = runtime;
    this.#options = options;
    this.#protocols = checkProtocols(options.protocols);
    if (options.signal !== undefined) requireSignal("signal", options.signal);
    this.#timeout = checkTimeout("timeout", options.timeout ?? DEFAULT_TIMEOUT);
    const { max, keep } = resolveRedirect(options.redirect);
    this.#maxRedirects = max;
    this.#keptHeaders = keep;
    this.#lifetime = options.lifetime === undefined ? undefined : new Lifetime(options.lifetime);
    if (max !== undefined && typeof options.stream === "object") {
      throw new UsageError("a redirect needs another stream: give a function that makes one");
    }
  }

  async connect(url: string | URL): Promise<Socket<Data>> {
    const { path, headers, tls, signal } = this.#options;
    const fields = checkFields(headers, () => false);
    const hop = { target: parseTarget(url, path), headers: fields, tls, left: this.#maxRedirects };
    const signals = [signal, this.#lifetime?.signal];
    const scope = new ConnectScope(this.clock, { timeout: this.#timeout, signals });
    try {
      return await this.#follow(hop, scope.signal);
    } finally {
      scope.end();
    }
  }

  async #follow(first: Hop, signal: AbortSignal): Promise<Socket<Data>> {
    for (let hop = first;;) {
      try {
        return await this.#request(hop, signal);
      } catch (failure) {
        hop = nextHop(hop, failure, this.#keptHeaders);
      }
    }
  }

  // The request comes first: what is wrong with it should open no connection.
  async #request(hop: Hop, signal: AbortSignal): Promise<Socket<Data>> {
    const { target, headers } = hop;
    const route = routeTo(target, { ...this.#options, tls: this.#tlsFor(hop) }, this.#runtime);
    const options = {
      ...handshakeOptions(this.#runtime, this.#options),
      protocols: this.#protocols,
      headers,
    };
    const handshake = await ClientHandshake.create(target.url, options, this.clock.now());
    const transport = await route(signal);
    return new ClientOpening(transport, handshake, this.clock, signal, this.#opened).run();
  }

  // Who follows redirects may be led from ws: to wss:, and has said how.
  #tlsFor({ target, tls, left }: Hop): TlsClientOptions | undefined {
    return target.secure || left === undefined ? tls : undefined;
  }

  readonly #opened = (opened: Opened, transport: Transport): Socket<Data> => {
    const session = new Session(opened, transport, this, this.#options.data as Data);
    this.#lifetime?.watch(session);
    session.start(opened.rest);
    return session.socket;
  };

  forget(): void {
    this.#lifetime?.end();
  }
}
