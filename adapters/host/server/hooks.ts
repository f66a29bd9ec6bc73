// What an application is asked before a WebSocket is opened, or a page served, and what it may
// answer.

import {
  type HeaderInput,
  type RequestHead,
  type UpgradeRequest,
  UsageError,
} from "../../../core/mod.ts";
import type { Address } from "../transport.ts";

/** An upgrade request, with what the transport knows. */
export interface IncomingUpgrade extends UpgradeRequest {
  /** The other end of the transport: the client, or the proxy in front of this server. */
  readonly peer: Address;
  /** Whether it came over TLS. */
  readonly secure: boolean;
  /** Aborted when the client leaves, or is answered for another reason, before the decision. */
  readonly signal: AbortSignal;
}

/** Lets the request pass. */
export interface Accept<Data = unknown> {
  /** One of the subprotocols offered. Default: the first of the server's that was, if any. */
  readonly protocol?: string | undefined;
  /** Fields for the 101 answer, such as Set-Cookie. */
  readonly headers?: HeaderInput | undefined;
  /** The socket's `data`. */
  readonly data?: Data;
}

/** Answers the request with a status of HTTP instead. */
export interface Reject {
  /** 200-599. */
  readonly status: number;
  /** Such as WWW-Authenticate; not Connection, Content-Length or Transfer-Encoding. */
  readonly headers?: HeaderInput | undefined;
  /**
   * Text goes out as UTF-8, and as `text/plain` unless the headers say otherwise. Default none; 204
   * and 304 have none.
   */
  readonly body?: string | Uint8Array | undefined;
}

/**
 * What an upgrade hook returns. Nothing is the same as `{}`, which accepts; a Response, of whatever
 * implementation, rejects. Anything else is an error: the client gets 500.
 */
export type UpgradeDecision<Data = unknown> = Accept<Data> | Reject | Response | undefined | void;

/**
 * Decides on an upgrade request, once, before the 101. What it throws goes to `error`, and the
 * client gets 500.
 */
export type UpgradeHook<Data = unknown> = (
  request: IncomingUpgrade,
) => UpgradeDecision<Data> | Promise<UpgradeDecision<Data>>;

/**
 * Serves a GET or HEAD request that is not an upgrade; without it such a request gets 426. The
 * request's `signal` is aborted when the client leaves.
 */
export type RequestHook = (request: Request, info: RequestInfo) => Response | Promise<Response>;

/** What the transport knows of a request. */
export interface RequestInfo {
  /** The other end of the transport: the client, or the proxy in front of this server. */
  readonly peer: Address;
  /** Whether it came over TLS to this server; a proxy in front may have had it otherwise. */
  readonly secure: boolean;
}

/** A handshake, request or connection that was turned away. */
export interface Refusal {
  /** The status of the answer. */
  readonly status: number;
  /**
   * Why: a name in `HANDSHAKE_FAULTS`; `"rejected"` by the upgrade hook; `"hook-failed"`;
   * `"no-request-hook"`; `"closing"`; `"proxy-protocol"` for a header that is malformed, missing or
   * late, which has no answer; or the limit, such as `"connections.max"`.
   */
  readonly rule: string;
  /** The other end of the transport. */
  readonly peer: Address;
  /** The request, once its head is read. */
  readonly request?: RequestHead;
}

/** Hears of every refusal, for logs and metrics. It runs for each of a flood: keep it cheap. */
export type RefusedHandler = (refusal: Refusal) => void;

/** How {@linkcode allowOrigins} treats a request without an Origin. */
export interface OriginOptions {
  /** Lets in clients that send no Origin, as most that are not browsers. Default true. */
  readonly allowMissing?: boolean | undefined;
}

/**
 * A check of the Origin for the upgrade hook: `undefined` for a request that may pass, 403 for any
 * other. Browsers send cookies with a WebSocket whatever page opens it, and only the Origin tells
 * which page that is (RFC 6455 §10.2).
 *
 * @param origins such as `"https://example.com"`: scheme, host and a port that is not the default
 *   one; compared exactly
 * @throws {UsageError} for what no client sends as its Origin
 */
export function allowOrigins(
  origins: Iterable<string>,
  { allowMissing = true }: OriginOptions = {},
): (request: Pick<UpgradeRequest, "origin">) => Reject | undefined {
  if (typeof origins === "string") throw new UsageError("allowOrigins takes a list of origins");
  const allowed = new Set(Array.from(origins, checkedOrigin));
  return ({ origin }) => {
    if (origin === undefined ? allowMissing : allowed.has(origin)) return undefined;
    return { status: 403, body: "this origin is not allowed\n" };
  };
}

// A serialized origin (RFC 6454 §6.2). `URL.origin` knows the schemes of the web alone, and a
// browser's extensions have one of their own.
function checkedOrigin(given: string): string {
  const url = URL.canParse(given) ? new URL(given) : undefined;
  const origin = url === undefined ? "" : `${url.protocol}//${url.host}`;
  const isOrigin = url !== undefined && url.host !== "" && !url.host.includes("*")
    && (url.href === origin || url.href === `${origin}/`);
  if (isOrigin) return origin;
  const what = "it takes scheme, host and port, such as https://example.com";
  throw new UsageError(`allowOrigins: ${JSON.stringify(given)} is no origin; ${what}`);
}
