/**
 * sansws on Bun: `Bun.listen` and `Bun.connect`.
 *
 * @module
 */

import process from "node:process";
import { checkSecure, dial, secure } from "./bun/dial.ts";
import { isAccepted, type TlsError, tlsOptions } from "./bun/tls.ts";
import { Bun, type BunSocket, BunTransport, handlers } from "./bun/transport.ts";
import { deflateCodec } from "./deflate.ts";
import { connect as connectOn, type ConnectOptions } from "./host/client/client.ts";
import type { ReconnectOptions, ReconnectTarget } from "./host/client/reconnect-options.ts";
import { ReconnectingSocket, surroundings } from "./host/client/reconnecting.ts";
import { Clock } from "./host/clock.ts";
import { serve as serveOn, type ServeOptions, type Server } from "./host/server/server.ts";
import type { Socket } from "./host/socket/socket.ts";
import type {
  Listener,
  ListenOptions,
  Runtime,
  TlsServerOptions,
  Transport,
} from "./host/transport.ts";

// --- Listening ---

function listen(
  { port = 0, hostname = "0.0.0.0", path, tls }: ListenOptions,
  accept: (transport: Transport) => void,
): Listener {
  const unix = path !== undefined;
  const open = (socket: BunSocket): void =>
    accept(new BunTransport(socket, tls !== undefined, unix));
  const listener = Bun.listen({
    ...unix ? { unix: path } : { hostname, port },
    ...tls !== undefined && { tls: tlsOptions(tls) },
    allowHalfOpen: true,
    socket: { ...handlers, open, ...tls !== undefined && serverTlsHandlers(tls) },
  });
  const address = unix ? { path } : { hostname: listener.hostname, port: listener.port };
  return { address, stop: () => listener.stop() };
}

// With a handler for the handshake Bun opens a socket before it, so that the peer's time, and its
// place among the connections, count from then on; and leaves it to us whom to refuse.
function serverTlsHandlers({ rejectUnauthorized = true }: TlsServerOptions): object {
  const handshake = (socket: BunSocket, authorized: boolean, error: TlsError | null): void => {
    if (!isAccepted(authorized, error, rejectUnauthorized)) socket.terminate();
  };
  return { handshake };
}

// --- Entry points ---

const runtime: Runtime = {
  name: "Bun",
  clock: new Clock(),
  deflate: deflateCodec,
  sha1: (text) => Bun.CryptoHasher.hash("sha1", text, "base64"),
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

export * from "./host/mod.ts";
export { pair, type PairOptions, type SocketPair } from "./pair.ts";
