// A WebSocket server on an HTTP server that is there already.

import type { Socket as NetSocket } from "node:net";
import { HeaderFields, type RequestHead, type SendOptions } from "../../core/mod.ts";
import { showAs } from "../host/inspect.ts";
import { type CloseOptions, type ServerOptions, SocketServer } from "../host/server/server.ts";
import type { Sendable } from "../host/socket/sending.ts";
import type { Socket } from "../host/socket/socket.ts";
import { runtime } from "./runtime.ts";
import { NodeTransport } from "./transport.ts";

/**
 * What is asked of an `http.IncomingMessage`, written out so that the public types need no package
 * of Node's.
 */
export interface UpgradeMessage {
  /** Such as `"GET"`; case matters. */
  readonly method?: string | undefined;
  /** The request target as sent, mostly a path with its query (RFC 9112 §3.2). */
  readonly url?: string | undefined;
  /**
   * Names and values in turn, as sent: repetitions, which `headers` hides, must be seen to be
   * refused.
   */
  readonly rawHeaders: readonly string[];
  /** Such as `"1.1"`, which is the default. */
  readonly httpVersion?: string | undefined;
}

/** A WebSocket server on somebody else's HTTP server. */
export class AttachedServer<Data = unknown> {
  readonly #server: SocketServer<Data>;

  /** Made by {@linkcode attach}. */
  constructor(options: ServerOptions<Data>) {
    this.#server = new SocketServer(runtime, options);
    this.handleUpgrade = this.handleUpgrade.bind(this);
  }

  /**
   * A listener for the `upgrade` event of an `http.Server` or `https.Server`; it answers every
   * request it is given.
   */
  handleUpgrade(request: UpgradeMessage, socket: object, head: Uint8Array): void {
    const transport = new NodeTransport(socket as NetSocket);
    transport.socket.setTimeout(0);
    transport.socket.setNoDelay(true);
    this.#server.accept(transport, headOf(request), new Uint8Array(head));
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
   * Closes the sockets, and answers further upgrades with 503; the HTTP server goes on.
   *
   * @throws {UsageError} for a code or deadline that is not legal
   */
  close(options?: CloseOptions): Promise<void> {
    return this.#server.close(options);
  }
}

showAs(AttachedServer, ({ sockets }) => ({ sockets: sockets.size }));

/**
 * Serves WebSockets on an HTTP server that is there already, such as one of Express, Fastify or
 * Vite.
 *
 * @example
 * ```ts
 * const sockets = attach({ message: (socket, data) => socket.send(data) });
 * httpServer.on("upgrade", sockets.handleUpgrade);
 * ```
 * @throws {UsageError} for an unknown option or an illegal value
 */
export function attach<Data = unknown>(options: ServerOptions<Data>): AttachedServer<Data> {
  return new AttachedServer(options);
}

function headOf(
  { method = "", url = "", rawHeaders, httpVersion = "1.1" }: UpgradeMessage,
): RequestHead {
  const fields: [string, string][] = [];
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    fields.push([rawHeaders[i]!, rawHeaders[i + 1]!]);
  }
  return { method, target: url, version: `HTTP/${httpVersion}`, headers: new HeaderFields(fields) };
}
