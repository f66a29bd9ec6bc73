// A server that listens: its options, where it listens, and its public face. What it does with the
// transports that come is in server.ts.

import { type SendOptions, UsageError } from "../../../core/mod.ts";
import { boolean, checkOptions, type Checks, integer, text } from "../check.ts";
import { showAs } from "../inspect.ts";
import { certificate, serverTls } from "../options.ts";
import type { Sendable } from "../socket/sending.ts";
import type { Socket } from "../socket/socket.ts";
import type { Address, Certificate, Listener, ListenOptions, Runtime } from "../transport.ts";
import { urlOf } from "../transport.ts";
import { proxyProtocol, type ProxyProtocolOptions } from "./forwarded.ts";
import { peersIn } from "./networks.ts";
import { type CloseOptions, resolveClose, SERVER, type ServerOptions } from "./server.ts";
import { SocketServer } from "./server.ts";

/** How a server treats its clients, and where it listens. */
export interface ServeOptions<Data = unknown> extends ServerOptions<Data>, ListenOptions {
  /**
   * Proxies that name their clients by the PROXY protocol, version 1 or 2. A connection from one
   * must begin with its header, within `timeouts.handshake`; otherwise it is dropped and `refused`
   * gets `"proxy-protocol"`, unless it ends without a byte. `peer` is the client everywhere, for
   * `connections.maxPerAddress` too; with LOCAL and UNKNOWN it stays the proxy. From other peers no
   * header is read, and one is a fault of HTTP (400).
   *
   * Not with `tls`: the header comes before the TLS handshake, which the runtime reads itself. Let
   * the proxy end TLS.
   */
  readonly proxyProtocol?: ProxyProtocolOptions | undefined;
}

const LISTEN: Checks<ListenOptions> = {
  port: integer(0, 65_535),
  hostname: text,
  path: text,
  fd: integer(0, 0x7fff_ffff),
  reusePort: boolean,
  mode: integer(0, 0o777),
  tls: serverTls,
};

const SERVE: Checks<ServeOptions<never>> = { ...SERVER, ...LISTEN, proxyProtocol };

/** A server that listens. */
export class Server<Data = unknown> {
  /** For a client on this machine: `ws://127.0.0.1:8080/`, `wss:`, or `ws+unix:` with a path. */
  readonly url: string;
  readonly #server: SocketServer<Data>;
  readonly #listener: Listener;
  readonly #runtime: string;

  /** Servers are made by `serve`; `runtime` is its name. */
  constructor(server: SocketServer<Data>, listener: Listener, secure: boolean, runtime: string) {
    this.url = urlOf(listener.address, secure);
    this.#server = server;
    this.#listener = listener;
    this.#runtime = runtime;
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
   * Serves new TLS handshakes with another certificate, such as one that was renewed; open sockets
   * go on. Node only.
   *
   * @throws {UsageError} on a server without `tls`, on Deno and Bun, and for what is not PEM
   * @throws the error of OpenSSL for a key that does not fit; the certificate before stays in use
   */
  replaceCertificate(given: Certificate): void {
    certificate(given, "certificate");
    if (!this.url.startsWith("wss")) throw new UsageError("the server has no tls to replace");
    if (this.#listener.replaceCertificate === undefined) {
      throw new UsageError(`${this.#runtime} has no support for replaceCertificate`);
    }
    this.#listener.replaceCertificate(given);
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
  checkOptions(options, SERVE);
  checkPlace(options);
  const server = new SocketServer(runtime, options);
  const { port, hostname, path, fd, reusePort, mode, tls, proxyProtocol } = options;
  const isProxy = proxyProtocol && peersIn(proxyProtocol.trusted);
  const listener = await runtime.listen(
    { port, hostname, path, fd, reusePort, mode, tls },
    (transport) => {
      if (isProxy?.(transport.peer)) server.acceptForwarded(transport);
      else server.accept(transport);
    },
    (error) => server.report(error),
  );
  return new Server(server, listener, tls !== undefined, runtime.name);
}

type PlaceOptions = Omit<ServeOptions, keyof ServerOptions>;

/** @throws {UsageError} for options that exclude or need each other */
function checkPlace(options: PlaceOptions): void {
  const { port, hostname, path, fd, reusePort, mode, tls, proxyProtocol } = options;
  const refuse = (when: boolean, why: string): void => {
    if (when) throw new UsageError(why);
  };
  const isPort = port !== undefined || hostname !== undefined;
  refuse(fd !== undefined && (isPort || path !== undefined), FD_EXCLUDES);
  refuse(path !== undefined && isPort, "path is for a unix socket: it excludes port and hostname");
  refuse(port === undefined && path === undefined && fd === undefined, PORT_MISSING);
  refuse(reusePort === true && port === undefined, "reusePort is for a port, which is missing");
  refuse(mode !== undefined && path === undefined, "mode is for a unix socket: it needs path");
  refuse(tls !== undefined && proxyProtocol !== undefined, PROXY_BEFORE_TLS);
}

const PORT_MISSING = "port is missing: 0 lets the system choose one; or give the path of a socket";
const FD_EXCLUDES = "fd is a socket that listens already: it excludes port, hostname and path";
const PROXY_BEFORE_TLS =
  "proxyProtocol excludes tls: a PROXY header comes before the TLS handshake, "
  + "which the runtime reads itself; let the proxy end TLS";
