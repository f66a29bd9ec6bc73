// What TLS on Bun takes and tells, on a server and on a client alike.

import type { TlsClientOptions, TlsServerOptions } from "../host/transport.ts";

/** What is wrong with a peer's certificate, or with its TLS at all. */
export interface TlsError {
  readonly code?: string;
}

/** Whether to go on: `rejectUnauthorized: false` forgives a certificate, but no TLS that failed. */
export function isAccepted(
  authorized: boolean,
  error: TlsError | null,
  rejectUnauthorized: boolean,
): boolean {
  return authorized || (!rejectUnauthorized && error?.code !== "EPROTO");
}

/** The options as Bun takes them. */
export function tlsOptions({ alpnProtocols, ...tls }: TlsServerOptions | TlsClientOptions): object {
  return { ...tls, ...alpnProtocols !== undefined && { ALPNProtocols: alpnProtocols.join(",") } };
}
