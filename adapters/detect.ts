// `serve` and `connect` on the runtime that this is: found when it is first needed, not by conditions of a package manager, which not
// all registries have.

import type { ConnectOptions } from "./host/client.ts";
import type { ServeOptions, Server } from "./host/server.ts";
import type { Socket } from "./host/socket.ts";

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
 * @throws {UsageError} for an unknown option, an illegal value, or one that the runtime cannot serve
 * @throws when the address is in use, unknown or not permitted
 */
export async function serve<Data = unknown>(options: ServeOptions<Data>): Promise<Server<Data>> {
  return (await load()).serve(options);
}

/**
 * Connects to a server.
 *
 * @param url `ws:`, `wss:`, `http:` or `https:`, without a fragment
 * @throws {UsageError} for a URL or option that is not legal, or that the runtime cannot serve
 * @throws {HandshakeError} when the server does not open a WebSocket: with its answer, if it gave one
 * @throws whatever the runtime says when there is no way to the server, and the signal's reason when it is aborted
 */
export async function connect<Data = unknown>(
  url: string | URL,
  options?: ConnectOptions<Data>,
): Promise<Socket<Data>> {
  return (await load()).connect(url, options);
}
