// TLS options that every runtime takes in another form, and none checks in full: the name of the
// server (RFC 6066 §3) and the application protocols (RFC 7301). The types are in transport.ts.

import { UsageError } from "../../core/mod.ts";
import { authority, type TlsClientOptions, type TlsServerOptions } from "./transport.ts";

/** The server's name for a client. */
export interface ServerName {
  /** What the certificate must be valid for: a name without a trailing dot, or an address. */
  readonly name: string;
  /**
   * The name in the ClientHello, empty for none. RFC 6066 §3: "Literal IPv4 and IPv6 addresses are
   * not permitted in 'HostName'", which is sent "without a trailing dot".
   */
  readonly sent: string;
}

const NAME = /^(?=.{1,253}$)[\w-]{1,63}(\.[\w-]{1,63})*$/;

/** The name to request and to check. @throws {UsageError} when `serverName` is no name of a host */
export function serverNameOf(hostname: string, { serverName }: TlsClientOptions): ServerName {
  const name = (serverName ?? hostname).replace(/\.$/, "");
  const isAddress = name.includes(":") || /^\d+(\.\d+){3}$/.test(name);
  if (serverName !== undefined && !(isAddress ? isHost(name) : NAME.test(name))) {
    const given = JSON.stringify(serverName.slice(0, 80));
    throw new UsageError(`tls.serverName is ${given}; it takes a name in ASCII, or an address`);
  }
  return { name, sent: isAddress ? "" : name };
}

function isHost(address: string): boolean {
  return URL.canParse(`ws://${authority(address)}/`);
}

/** A client's application protocols. @throws {UsageError} */
export function clientProtocols({ alpnProtocols = ["http/1.1"] }: TlsClientOptions): string[] {
  return checkedProtocols(alpnProtocols);
}

/** A server's, `undefined` to answer no offer. @throws {UsageError} */
export function serverProtocols({ alpnProtocols = [] }: TlsServerOptions): string[] | undefined {
  return alpnProtocols.length === 0 ? undefined : checkedProtocols(alpnProtocols);
}

/** Refuses options about a certificate that no client is asked for. @throws {UsageError} */
export function checkAsked({ requestCert, ca, rejectUnauthorized }: TlsServerOptions): void {
  if (requestCert === true) return;
  for (const [name, value] of Object.entries({ ca, rejectUnauthorized })) {
    if (value === undefined) continue;
    throw new UsageError(`tls.${name} has no effect without tls.requestCert: true`);
  }
}

// RFC 7301 §3.1: `opaque ProtocolName<1..2^8-1>`
function checkedProtocols(names: readonly string[]): string[] {
  const encoder = new TextEncoder();
  if (names.every((name) => encoder.encode(name).length < 256)) return [...names];
  throw new UsageError("tls.alpnProtocols has a name of more than 255 bytes");
}
