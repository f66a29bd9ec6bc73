// One end of a transport, as every runtime should tell it.

import type { Address } from "./transport.ts";

/** An IP address and port. A listener for both families sees an IPv4 peer as `::ffff:192.0.2.1` (RFC 4291 §2.5.5.2). */
export function ipAddress(hostname: string, port: number): Address {
  return { hostname: hostname.replace(/^::ffff:(?=\d+\.)/, ""), port };
}
