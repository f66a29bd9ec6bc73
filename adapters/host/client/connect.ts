// `connect`: from a URL to an open socket, through a transport, the opening handshake (RFC 6455
// §4.1) and redirects. route.ts reaches the peer, redirect.ts decides where a redirect leads,
// scope.ts ends connecting early.

import { checkFields, KEY_GUID } from "../../../core/internal.ts";
import { acceptKey, ClientHandshake, type ClientHandshakeEvent } from "../../../core/mod.ts";
import { createKey, type HeaderField, type HeaderInput, UsageError } from "../../../core/mod.ts";
import {
  anything,
  checkOptions,
  type Checks,
  isObject,
  takes,
  withDefaults,
  wrong,
} from "../check.ts";
import { CLIENT_BACKPRESSURE, clientTls, COMMON, type CommonOptions } from "../options.ts";
import { HANDLERS, handshakeOptions, headers, milliseconds, signal } from "../options.ts";
import { proxy } from "../proxy/proxy.ts";
import type { Pump } from "../pump.ts";
import { pickHandlers } from "../socket/handlers.ts";
import type { Backpressure, Owner } from "../socket/session.ts";
import { type Handlers, openSession, type Socket } from "../socket/socket.ts";
import { Topics } from "../topics.ts";
import { type Context, plain, type Runtime } from "../transport.ts";
import { type Hop, nextHop, redirect, type RedirectChoice, resolveRedirect } from "./redirect.ts";
import { negotiate, type RouteOptions, routeTo } from "./route.ts";
import { ConnectScope, Lifetime, lifetime, type LifetimeOptions } from "./scope.ts";
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
  /** Gives up connecting, or closes the open socket, by default with 1001. */
  readonly lifetime?: AbortSignal | LifetimeOptions | undefined;
  /**
   * Milliseconds for all of connecting: names, proxies, TLS, redirects and handshakes. Default
   * 30 000. `timeouts.handshake` covers the answer alone.
   */
  readonly timeout?: number | undefined;
  /** A unix socket to connect to, instead of the URL's host. */
  readonly path?: string | undefined;
  /** Follows redirects. Default: none. Other origins get no credentials and none of `headers`. */
  readonly redirect?: RedirectChoice | undefined;
  /** The socket's `data`. */
  readonly data?: Data;
}

/** The checks of {@linkcode ConnectOptions}. */
export const CLIENT: Checks<ConnectOptions<never>> = {
  ...COMMON,
  ...HANDLERS,
  protocols: (value, path) => {
    if (!Array.isArray(value) && typeof value !== "string") {
      throw wrong(path, value, "a string or an array of strings");
    }
  },
  headers,
  signal,
  lifetime,
  timeout: milliseconds,
  tls: clientTls,
  path: takes("the path of a socket", (value) => typeof value === "string" && value !== ""),
  proxy,
  stream: takes("a stream, or a function that makes one", isObject),
  redirect,
  data: anything,
};

/** Milliseconds: three attempts of TCP to reach the server, and the handshake. */
const DEFAULT_TIMEOUT = 30_000;

/** Connects to a server on a runtime; see `EntryPoints.connect`. */
export async function connect<Data = unknown>(
  runtime: Runtime,
  url: string | URL,
  options: ConnectOptions<Data> = {},
): Promise<Socket<Data>> {
  checkOptions(options, CLIENT);
  return await new Client(runtime, options).connect(url);
}

/**
 * A copy of the options that are named. What can be read only once is read: each attempt and each
 * redirect needs it again.
 */
export function keepOptions<O extends object>(options: O, names: readonly string[]): O {
  const given = options as Record<string, unknown>;
  const kept: Record<string, unknown> = {};
  for (const name of names) if (given[name] !== undefined) kept[name] = given[name];
  if (kept["headers"] !== undefined) kept["headers"] = readHeaders(kept["headers"]);
  const { proxy } = kept;
  if (isObject(proxy) && "headers" in proxy && proxy.headers !== undefined) {
    kept["proxy"] = { ...proxy, headers: readHeaders(proxy.headers) };
  }
  return kept as O;
}

function readHeaders(headers: unknown): HeaderField[] {
  return checkFields(headers as HeaderInput, () => false);
}

/** One call of `connect`; it owns its socket as a server owns many. */
class Client<Data> implements Owner<Socket<Data>> {
  readonly handlers: Handlers<Data>;
  readonly backpressure: Backpressure;
  readonly ordered: boolean;
  readonly topics: Topics<Socket<Data>> = new Topics();
  readonly #runtime: Runtime;
  readonly #context: Context;
  readonly #options: ConnectOptions<Data>;
  readonly #protocols: readonly string[];
  readonly #redirect: ReturnType<typeof resolveRedirect>;
  readonly #lifetime: Lifetime | undefined;

  constructor(runtime: Runtime, options: ConnectOptions<Data>) {
    this.handlers = pickHandlers(options, Object.keys(HANDLERS));
    this.backpressure = withDefaults(CLIENT_BACKPRESSURE, options.backpressure);
    this.ordered = options.ordered ?? false;
    this.#runtime = runtime;
    this.#context = runtime.captureContext?.() ?? plain;
    this.#options = keepOptions(options, Object.keys(CLIENT));
    this.#protocols = [options.protocols ?? []].flat();
    this.#redirect = resolveRedirect(options.redirect);
    this.#lifetime = options.lifetime === undefined ? undefined : new Lifetime(options.lifetime);
    if (this.#redirect.max !== undefined && typeof options.stream === "object") {
      throw new UsageError("a redirect needs another stream: give a function that makes one");
    }
  }

  async connect(url: string | URL): Promise<Socket<Data>> {
    const { path, headers, tls, signal, timeout = DEFAULT_TIMEOUT } = this.#options;
    const fields = headers as readonly HeaderField[] | undefined ?? [];
    const hop = { target: parseTarget(url, path), headers: fields, tls, left: this.#redirect.max };
    const signals = [signal, this.#lifetime?.signal];
    const scope = new ConnectScope(this.#runtime.clock, { timeout, signals });
    try {
      return await this.#follow(hop, scope.signal);
    } finally {
      scope.end();
    }
  }

  #follow(hop: Hop, signal: AbortSignal): Promise<Socket<Data>> {
    return this.#request(hop, signal).catch((failure: unknown) =>
      this.#follow(nextHop(hop, failure, this.#redirect.keep), signal)
    );
  }

  // The request is made first: an illegal one opens no connection.
  async #request({ target, headers, tls, left }: Hop, signal: AbortSignal): Promise<Socket<Data>> {
    const { clock, sha1 } = this.#runtime;
    // A redirect may lead from ws: to wss:, so with redirects `tls` is legal for ws:, too.
    const targetTls = target.secure || left === undefined ? tls : undefined;
    const route = routeTo(target, { ...this.#options, tls: targetTls }, this.#runtime);
    const key = createKey();
    const accept = sha1?.(key + KEY_GUID) ?? await acceptKey(key);
    const common = handshakeOptions(this.#runtime, this.#options);
    const options = { ...common, key, accept, protocols: this.#protocols, headers };
    const handshake = new ClientHandshake(target.url, options, clock.now());
    const transport = await route(signal);
    handshake.begin(clock.now());
    return negotiate(transport, clock, handshake, signal, this.#take);
  }

  readonly #take = (event: ClientHandshakeEvent, pump: Pump): Socket<Data> => {
    if (event.type === "failed") throw event.error;
    pump.context = this.#context;
    const session = openSession(event, pump, this, this.#options.data as Data);
    this.#lifetime?.watch(session);
    session.start(event.rest);
    return session.socket;
  };

  forget(): void {
    this.#lifetime?.end();
  }
}
