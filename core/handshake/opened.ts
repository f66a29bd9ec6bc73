// What both sides of the opening handshake share: the options that outlive it, and the connection it ends in.

import type { ConnectionOptions } from "../connection.ts";
import { Connection } from "../connection.ts";
import type { DeflateOptions, DeflateParams, GivenDeflateOptions } from "../deflate/negotiate.ts";
import { MessageDeflate } from "../deflate/transform.ts";
import type { SyncDigest } from "./accept.ts";

/** How a handshake, and the connection it opens, is set up. */
export interface HandshakeOptions extends Omit<ConnectionOptions, "role" | "deflate"> {
  /** Offers or accepts permessage-deflate (RFC 7692); without it no extension is used. */
  readonly deflate?: GivenDeflateOptions | undefined;
  /** A synchronous SHA-1 to use instead of Web Crypto's. */
  readonly sha1?: SyncDigest | undefined;
}

/** The names of {@linkcode HandshakeOptions}. */
export const HANDSHAKE_OPTIONS: readonly string[] = [
  "limits",
  "timeouts",
  "messages",
  "text",
  "chunks",
  "deflate",
  "sha1",
];

/** The end of a successful handshake. */
export interface Opened {
  readonly connection: Connection;
  /** The subprotocol in use; empty when there is none (RFC 6455 §1.9). */
  readonly protocol: string;
  /** The value of Sec-WebSocket-Extensions in the answer; empty when no extension is in use. */
  readonly extensions: string;
  /** Bytes that came with the handshake: the first the connection is to receive. */
  readonly rest: Uint8Array;
}

/** The connection that both sides agreed on; `params` is what they agreed on about permessage-deflate. */
export function openConnection(
  role: "client" | "server",
  { limits, timeouts, messages, text, chunks }: HandshakeOptions,
  deflate: DeflateOptions | undefined,
  params: DeflateParams | undefined,
  now: number,
): Connection {
  const agreed = deflate !== undefined && params !== undefined;
  const transform = agreed ? new MessageDeflate(params, deflate) : undefined;
  return new Connection({ role, limits, timeouts, messages, text, chunks, deflate: transform }, now);
}
