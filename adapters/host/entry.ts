// The entry points of every adapter, made once from a runtime. They are apart, so that a bundler
// leaves out the one that is not used.

import type { ConnectOptions } from "./client/connect.ts";
import { connect } from "./client/connect.ts";
import { serve, type ServeOptions, type Server } from "./server/serve.ts";
import type { Socket } from "./socket/socket.ts";
import type { Runtime } from "./transport.ts";

/** A server and a client on one runtime. */
export interface EntryPoints {
  /**
   * Starts a server.
   *
   * @throws {UsageError} for an unknown option, an illegal value, or one that the runtime lacks
   * @throws when the address is in use, unknown or not permitted
   */
  serve<Data = unknown>(options: ServeOptions<Data>): Promise<Server<Data>>;
  /**
   * Connects to a server.
   *
   * @param url `ws:`, `wss:`, `http:` or `https:`, without a fragment; or
   *   `ws+unix:/path/of/the.sock:/path/of/the/request`
   * @throws {UsageError} for a URL or option that is not legal, or that the runtime lacks
   * @throws {ConnectError} when there is no way to the server: with the reason of the runtime or
   *   the proxy, such as what is wrong with a certificate
   * @throws {HandshakeError} when the server does not open a WebSocket: with its answer, if it gave
   *   one
   * @throws the reason of the signal, or of the lifetime, that is aborted
   */
  connect<Data = unknown>(
    url: string | URL,
    options?: ConnectOptions<Data>,
  ): Promise<Socket<Data>>;
}

type Load = () => Runtime | Promise<Runtime>;

/** `serve` on a runtime, which may be loaded when it is first needed. */
export function serveOn(load: Load): EntryPoints["serve"] {
  return async (options) => await serve(await load(), options);
}

/** `connect` on a runtime, which may be loaded when it is first needed. */
export function connectOn(load: Load): EntryPoints["connect"] {
  return async (url, options) => await connect(await load(), url, options);
}
