// Two sockets that are connected with each other without a network, for the tests of applications:
// with a real opening handshake, real frames, backpressure, limits and the closing handshake, but
// without ports, files and latency.

import { refuseUnknown } from "../core/limits.ts";
import { UsageError } from "../core/mod.ts";
import { deflateCodec } from "./deflate.ts";
import { CLIENT_NAMES, connect, type ConnectOptions } from "./host/client/client.ts";
import { Clock } from "./host/clock.ts";
import { memoryTransports } from "./host/memory.ts";
import { type ServerOptions, SocketServer } from "./host/server/server.ts";
import type { Socket } from "./host/socket/socket.ts";
import type { Runtime, Transport } from "./host/transport.ts";

/** How the two ends of a pair are set up. */
export interface PairOptions<ServerData = unknown, ClientData = unknown> {
  /** As for `serve`, without a place to listen at. */
  readonly server?: ServerOptions<ServerData> | undefined;
  /** As for `connect`, without what says how a server is reached. */
  readonly client?:
    | Omit<ConnectOptions<ClientData>, "path" | "proxy" | "stream" | "tls" | "redirect">
    | undefined;
  /**
   * What the client asks for. Default `ws://localhost/`; with `wss:` both ends take the transport
   * for encrypted.
   */
  readonly url?: string | URL | undefined;
}

/** What says how a server is reached. */
const ROUTE_NAMES: readonly string[] = ["path", "proxy", "stream", "tls", "redirect"];

/** The two ends of one connection. */
export interface SocketPair<ServerData = unknown, ClientData = unknown> {
  /** The end that asked for the connection, and masks what it sends (RFC 6455 §5.1). */
  readonly client: Socket<ClientData>;
  /** The end that was asked: what `open` of the server's options is given. */
  readonly server: Socket<ServerData>;
}

/**
 * Two open sockets that are connected with each other in memory.
 *
 * @example
 * ```ts
 * const { client, server } = await pair();
 * client.send("hello");
 * for await (const message of server) console.log(message);
 * ```
 * @throws {UsageError} for an unknown option or an illegal value
 * @throws {HandshakeError} when the server's `upgrade` hook rejects the client
 */
export async function pair<ServerData = unknown, ClientData = unknown>(
  options: PairOptions<ServerData, ClientData> = {},
): Promise<SocketPair<ServerData, ClientData>> {
  refuseUnknown("pair", options, ["server", "client", "url"]);
  const { server = {}, client = {}, url = "ws://localhost/" } = options;
  refuseUnknown("client", client, CLIENT_NAMES.filter((name) => !ROUTE_NAMES.includes(name)));
  const runtime = memoryRuntime((transport) => host.accept(transport));
  const host = new SocketServer(runtime, server);
  const { open } = host.handlers;
  const opened = new Promise<Socket<ServerData>>((resolve) => {
    host.handlers.open = (socket) => {
      resolve(socket);
      return open?.(socket);
    };
  });
  return { client: await connect(runtime, url, client), server: await opened };
}

/**
 * A runtime on which every dial leads to one server. Each has a clock of its own, so that a test
 * may fake its timers.
 */
function memoryRuntime(accept: (transport: Transport) => void): Runtime {
  const nowhere = (): never => {
    throw new UsageError("there is no network in memory");
  };
  return {
    name: "memory",
    clock: new Clock(),
    deflate: deflateCodec,
    listen: nowhere,
    dial({ tls }) {
      const [near, far] = memoryTransports(tls !== undefined);
      accept(far);
      return Promise.resolve(near);
    },
    checkSecure: nowhere,
    secure: nowhere,
    env: () => undefined,
  };
}
