// One end of a transport, as every runtime should tell it, and as a URL has it.

import type { Address } from "./transport.ts";

/**
 * An IP address and port. A listener for both families sees an IPv4 peer as `::ffff:192.0.2.1` (RFC
 * 4291 §2.5.5.2).
 */
export function ipAddress(hostname: string, port: number): Address {
  return { hostname: hostname.replace(/^::ffff:(?=\d+\.)/, ""), port };
}

/**
 * What counts as one address: an IPv4 address, or the network of 64 bits that an IPv6 address is in
 * (RFC 4291 §2.5.1), for whoever has one of its addresses mostly has them all.
 */
export function networkOf(hostname: string): string {
  if (!hostname.includes(":")) return hostname;
  const [head, tail] = hostname.split("::").map((part) => part === "" ? [] : part.split(":"));
  const zeros = tail === undefined ? 0 : 8 - head!.length - tail.length;
  return [...head!, ...Array.from({ length: zeros }, () => "0"), ...tail ?? []].slice(0, 4).join(
    ":",
  );
}

/** The URL under which a client on the same machine reaches what listens there. */
export function urlOf({ hostname = "", port = 0, path }: Address, secure: boolean): string {
  const scheme = secure ? "wss" : "ws";
  if (path !== undefined) {
    return `${scheme}+unix:${encodeURI(path).replace(/[:?#]/g, encodeURIComponent)}:/`;
  }
  return `${scheme}://${EVERYWHERE.has(hostname) ? "localhost" : authority(hostname)}:${port}/`;
}

// What listens on all addresses of the machine has none of its own.
const EVERYWHERE: ReadonlySet<string> = new Set(["0.0.0.0", "::"]);

/** A host name or IP address as it stands in a URL (RFC 3986 §3.2.2). */
export function authority(hostname: string): string {
  return hostname.includes(":") ? `[${hostname}]` : hostname;
}
