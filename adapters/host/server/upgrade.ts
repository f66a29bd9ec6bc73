// What an application is asked, and may answer, before a WebSocket is opened.

import type { HeaderInput, UpgradeRequest } from "../../../core/mod.ts";
import type { Address } from "../transport.ts";

/** An upgrade request, with what the transport knows. */
export interface IncomingUpgrade extends UpgradeRequest {
  /** The other end of the transport: the client, or the proxy in front of this server. */
  readonly peer: Address;
  /** Whether it came over TLS. */
  readonly secure: boolean;
}

/** Lets the request pass. */
export interface Accept<Data = unknown> {
  /**
   * One of the subprotocols the client offered. Default: the first of the server's `protocols` that
   * it offered, if any.
   */
  readonly protocol?: string | undefined;
  /** Fields for the 101 answer, such as Set-Cookie. */
  readonly headers?: HeaderInput | undefined;
  /** What the socket's `data` is. */
  readonly data?: Data;
}

/** Answers the request with a status of HTTP instead. */
export interface Reject {
  /** 200-599. */
  readonly status: number;
  /**
   * Such as WWW-Authenticate. Connection, Content-Length and Transfer-Encoding are the handshake's
   * own, and refused here.
   */
  readonly headers?: HeaderInput | undefined;
  /**
   * Text goes out as UTF-8, and as `text/plain` unless the headers say otherwise. Default none; 204
   * and 304 have none.
   */
  readonly body?: string | Uint8Array | undefined;
}

/**
 * What an upgrade hook may return; nothing is the same as `{}`, which accepts; a web Response
 * rejects.
 */
export type UpgradeDecision<Data = unknown> = Accept<Data> | Reject | Response | undefined | void;

/**
 * Decides on an upgrade request: asked once, before the 101. What it throws goes to `error`, and
 * the client hears 500.
 */
export type UpgradeHook<Data = unknown> = (
  request: IncomingUpgrade,
) => UpgradeDecision<Data> | Promise<UpgradeDecision<Data>>;

/** Serves a request that is not an upgrade; without it such a request hears 426. */
export type RequestHook = (request: Request, info: RequestInfo) => Response | Promise<Response>;

/** What the transport knows of a request. */
export interface RequestInfo {
  /** The other end of the transport: the client, or the proxy in front of this server. */
  readonly peer: Address;
  /** Whether it came over TLS to this server; what a proxy in front had is not known here. */
  readonly secure: boolean;
}
