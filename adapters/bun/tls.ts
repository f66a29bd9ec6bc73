// TLS options in Bun's form, and when to accept a peer despite a TLS error. It is a file of its own
// because servers (runtime.ts) and clients (dial.ts) share it. The options are those of
// host/transport.ts.

import { concat } from "../../core/internal.ts";
import { checkAsked, clientProtocols, serverNameOf, serverProtocols } from "../host/tls.ts";
import type { TlsClientOptions, TlsServerOptions } from "../host/transport.ts";

/** What is wrong with a peer's certificate, or with its TLS at all. */
export interface TlsError {
  readonly code?: string;
}

/** Whether to go on: `rejectUnauthorized: false` accepts any certificate, but no failed TLS. */
export function isAccepted(
  authorized: boolean,
  error: TlsError | null,
  rejectUnauthorized: boolean,
): boolean {
  return authorized || (!rejectUnauthorized && error?.code !== "EPROTO");
}

/** A server's options in Bun's form. */
export function serverOptions(options: TlsServerOptions): object {
  checkAsked(options);
  const { alpnProtocols: _, ...tls } = options;
  const protocols = serverProtocols(options);
  return { ...tls, ...protocols !== undefined && { ALPNProtocols: protocolList(protocols) } };
}

/** A client's options in Bun's form. It is never empty: for `tls: {}` Bun connects without TLS. */
export function clientOptions(hostname: string, options: TlsClientOptions): object {
  const { alpnProtocols: _, ...tls } = options;
  // Without `serverName` Bun sends the host it connects to, even an address. Empty sends none.
  const serverName = serverNameOf(hostname, options).sent;
  return { ...tls, serverName, ALPNProtocols: protocolList(clientProtocols(options)) };
}

// RFC 7301 §3.1: each name behind a byte for its length. Bun takes the extension's own bytes, and
// sends nothing when they are malformed.
function protocolList(names: readonly string[]): Uint8Array {
  const encoded = names.map((name) => new TextEncoder().encode(name));
  return concat(encoded.flatMap((name) => [Uint8Array.of(name.length), name]));
}
