// TLS options in Bun's form, and when to accept a peer despite a TLS error. It is a file of its own
// because servers (runtime.ts) and clients (dial.ts) share it. The options are those of
// host/transport.ts.

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

/** The options in Bun's form. */
export function tlsOptions({ alpnProtocols, ...tls }: TlsServerOptions | TlsClientOptions): object {
  return { ...tls, ...alpnProtocols !== undefined && { ALPNProtocols: alpnProtocols.join(",") } };
}
