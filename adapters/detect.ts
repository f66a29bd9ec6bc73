// `serve`, `connect` and `reconnecting` on the runtime that this is: found when it is first needed,
// not by conditions of a package manager, which not all registries have.

import type { ConnectOptions } from "./host/client/client.ts";
import type { ReconnectOptions, ReconnectTarget } from "./host/client/reconnect-options.ts";
import { ReconnectingSocket, surroundings } from "./host/client/reconnecting.ts";
import type { ServeOptions, Server } from "./host/server/server.ts";
import type { Socket } from "./host/socket/socket.ts";

interface Adapter {
  serve<Data>(options: ServeOptions<Data>): Promise<Server<Data>>;
  connect<Data>(url: string | URL, options?: ConnectOptions<Data>): Promise<Socket<Data>>;
}

// Deno and Bun look like Node to most questions, so they are asked for first.
function load(): Promise<Adapter> {
  if ("Deno" in globalThis) return import("./deno.ts");
  if ("Bun" in globalThis) return import("./bun.ts");
  return import("./node.ts");
}

/**
 * Starts a server.
 *
 * @throws {UsageError} for an unknown option, an illegal value, or one that the runtime cannot
 *   serve
 * @throws when the address is in use, unknown or not permitted
 */
export async function serve<Data = unknown>(options: ServeOptions<Data>): Promise<Server<Data>> {
  return (await load()).serve(options);
}

/**
 * Connects to a server.
 *
 * @param url `ws:`, `wss:`, `http:` or `https:`, without a fragment; or
 *   `ws+unix:/path/of/the.sock:/path/of/the/request`
 * @throws {UsageError} for a URL or option that is not legal, or that the runtime cannot serve
 * @throws {HandshakeError} when the server does not open a WebSocket: with its answer, if it gave
 *   one
 * @throws {ConnectError} when there is no way to the server: with what the runtime or the proxy
 *   says, such as about its certificate
 * @throws the reason of the signal, or of the lifetime, that is aborted
 */
export async function connect<Data = unknown>(
  url: string | URL,
  options?: ConnectOptions<Data>,
): Promise<Socket<Data>> {
  return (await load()).connect(url, options);
}

/**
 * Connects to a server, and again whenever the connection ends, until it is closed or the end is
 * one that would come again.
 *
 * @param target a URL, or a function that is asked for one before each attempt, with other options
 *   if it wants
 * @example
 * ```ts
 * const socket = reconnecting("wss://example.com/feed");
 * for await (const message of socket) console.log(message);
 * ```
 * @throws {UsageError} for a URL or option that is not legal
 */
export function reconnecting<Data = unknown>(
  target: ReconnectTarget,
  options: ReconnectOptions<Data> = {},
): ReconnectingSocket<Data> {
  return new ReconnectingSocket(target, options, surroundings(connect));
}
