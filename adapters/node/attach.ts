// A WebSocket server on an existing HTTP server, by its `upgrade` event. The HTTP server parses the
// request; the core checks the handshake as for any other server (RFC 6455 §4.2). `serve` needs no
// HTTP server.

import type { Socket as NetSocket } from "node:net";
import { type HeaderField, HeaderFields, type RequestHead } from "../../core/mod.ts";
import { type SendOptions, UsageError } from "../../core/mod.ts";
import { checkOptions, type Checks, takes } from "../host/check.ts";
import { showAs } from "../host/inspect.ts";
import { type CloseOptions, SERVER, type ServerOptions } from "../host/server/server.ts";
import { SocketServer } from "../host/server/server.ts";
import type { Sendable } from "../host/socket/sending.ts";
import type { Socket } from "../host/socket/socket.ts";
import { runtime } from "./runtime.ts";
import { NodeTransport } from "./transport.ts";

/** What of an `http.IncomingMessage` is needed, so that the public types need no package. */
export interface UpgradeMessage {
  /** Such as `"GET"`; case matters. */
  readonly method?: string | undefined;
  /** The request target as sent, mostly a path with its query (RFC 9112 §3.2). */
  readonly url?: string | undefined;
  /** Names and values in turn, as sent: `headers` hides repeated fields, which may be illegal. */
  readonly rawHeaders?: readonly string[] | undefined;
  /** Used where there is no `rawHeaders`. */
  readonly headers?: Readonly<Record<string, string | readonly string[] | undefined>> | undefined;
  /** Such as `"1.1"`, which is the default. */
  readonly httpVersion?: string | undefined;
}

/** How a server treats its clients, and which of an HTTP server's upgrades are its own. */
export interface AttachOptions<Data = unknown> extends ServerOptions<Data> {
  /**
   * The path, without a query, of the requests to take; or a function that says so. Others are left
   * to the next listener. Default: takes every request.
   */
  readonly path?: string | ((request: UpgradeMessage) => boolean) | undefined;
}

const ATTACH: Checks<AttachOptions<never>> = {
  ...SERVER,
  path: takes("a path that begins with a slash, or a function", (value) => {
    return typeof value === "function" || (typeof value === "string" && value.startsWith("/"));
  }),
};

/** The sockets that a server of this library has taken. */
const taken = new WeakSet<object>();

/** A WebSocket server on somebody else's HTTP server. */
export class AttachedServer<Data = unknown> {
  readonly #server: SocketServer<Data>;
  readonly #path: AttachOptions["path"];

  /** Made by {@linkcode attach}. */
  constructor(options: AttachOptions<Data>) {
    checkOptions(options, ATTACH);
    this.#server = new SocketServer(runtime, options);
    this.#path = typeof options.path === "function" ? options.path.bind(options) : options.path;
    this.handleUpgrade = this.handleUpgrade.bind(this);
  }

  /**
   * A listener for `upgrade` of an `http.Server` or `https.Server`. It answers the requests that
   * are its own, over any `Duplex`.
   *
   * @throws {UsageError} for a socket that was taken already: two listeners answer one request
   */
  handleUpgrade(request: UpgradeMessage, socket: object, head: Uint8Array): void {
    if (!this.#takes(request)) return;
    if (taken.has(socket)) {
      throw new UsageError("the socket was taken already: give each server a path of its own");
    }
    taken.add(socket);
    const transport = new NodeTransport(socket as NetSocket);
    transport.begin();
    const context = this.#server.captureContext();
    this.#server.accept(transport, headOf(request), new Uint8Array(head), context);
  }

  #takes(request: UpgradeMessage): boolean {
    const path = this.#path;
    if (typeof path === "function") return path(request);
    return path === undefined || (request.url ?? "").split("?", 1)[0] === path;
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
   * @throws {UsageError} for an illegal code or deadline
   */
  close(options?: CloseOptions): Promise<void> {
    return this.#server.close(options);
  }
}

showAs(AttachedServer, ({ sockets }) => ({ sockets: sockets.size }));

/**
 * Serves WebSockets on an existing HTTP server, such as one of Express, Fastify or Vite.
 *
 * @example
 * ```ts
 * const sockets = attach({ message: (socket, data) => socket.send(data) });
 * httpServer.on("upgrade", sockets.handleUpgrade);
 * ```
 * @throws {UsageError} for an unknown option or an illegal value
 */
export function attach<Data = unknown>(options: AttachOptions<Data>): AttachedServer<Data> {
  return new AttachedServer(options);
}

function headOf(request: UpgradeMessage): RequestHead {
  const { method = "", url = "", httpVersion = "1.1" } = request;
  const headers = new HeaderFields(fieldsOf(request));
  return { method, target: url, version: `HTTP/${httpVersion}`, headers };
}

function fieldsOf({ rawHeaders, headers = {} }: UpgradeMessage): HeaderField[] {
  if (rawHeaders === undefined) {
    return Object.entries(headers).flatMap(([name, value]) =>
      [value ?? []].flat().map((each): HeaderField => [name, String(each)])
    );
  }
  const fields: HeaderField[] = [];
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    fields.push([rawHeaders[i]!, rawHeaders[i + 1]!]);
  }
  return fields;
}
