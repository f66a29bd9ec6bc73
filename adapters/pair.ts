// `pair`: two connected sockets without a network, for the tests of applications. The opening
// handshake, frames, backpressure, limits and the closing handshake are real; ports, files and
// latency are absent.

import { anything, checkOptions, type Checks, without } from "./host/check.ts";
import { CLIENT, connect, type ConnectOptions } from "./host/client/connect.ts";
import { SERVER, type ServerOptions, SocketServer } from "./host/server/server.ts";
import type { Socket } from "./host/socket/socket.ts";
import { memoryRuntime } from "./memory/runtime.ts";

/** How the two ends of a pair are set up. */
export interface PairOptions<ServerData = unknown, ClientData = unknown> {
  /** As for `serve`, without a place to listen at. */
  readonly server?: ServerOptions<ServerData> | undefined;
  /** As for `connect`, without the options for reaching a server. */
  readonly client?:
    | Omit<ConnectOptions<ClientData>, "path" | "proxy" | "stream" | "tls" | "redirect">
    | undefined;
  /** The client's URL. Default `ws://localhost/`; with `wss:` both ends count as encrypted. */
  readonly url?: string | URL | undefined;
}

const WITHOUT_ROUTE = without(CLIENT, "path", "proxy", "stream", "tls", "redirect");

const PAIR: Checks<PairOptions<never, never>> = {
  server: (value) => checkOptions(value as ServerOptions, SERVER, "server"),
  client: (value) => checkOptions(value as typeof WITHOUT_ROUTE, WITHOUT_ROUTE, "client"),
  url: anything,
};

/** The two ends of one connection. */
export interface SocketPair<ServerData = unknown, ClientData = unknown> {
  /** The end that asked for the connection, and masks what it sends (RFC 6455 §5.1). */
  readonly client: Socket<ClientData>;
  /** The end that was asked: what `open` of the server's options is given. */
  readonly server: Socket<ServerData>;
}

/**
 * Makes two open sockets that are connected with each other in memory.
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
  checkOptions(options, PAIR, "pair");
  const { server = {}, client = {}, url = "ws://localhost/" } = options;
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
