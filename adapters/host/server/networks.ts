// Lists of IP addresses and networks, compared by ipaddr.js however they are written, and which
// peers are in one.

import ipaddr from "ipaddr.js";
import type { Address } from "../transport.ts";

/** In a list: all peers of a unix socket, which have no address. nginx writes it so. */
export const UNIX = "unix:";

type Network = readonly [address: ipaddr.IPv4 | ipaddr.IPv6, bits: number];

/** Whether it is an address, or a network such as `10.0.0.0/8`. */
export function isNetwork(entry: unknown): boolean {
  return typeof entry === "string" && networkFrom(entry) !== undefined;
}

/** Tells the peers that are in the list. */
export function peersIn(list: readonly string[]): (peer: Address) => boolean {
  const networks = list.map(networkFrom).filter((network) => network !== undefined);
  const unix = list.includes(UNIX);
  return ({ hostname, path }) => {
    if (hostname === undefined) return unix && path !== undefined;
    const address = ipaddr.process(hostname.replace(/%.*$/, "")); // without the zone of IPv6
    return networks.some(([network, bits]) => {
      return network.kind() === address.kind() && address.match(network, bits);
    });
  };
}

function networkFrom(entry: string): Network | undefined {
  const [, hostname = "", prefix] = /^([^/]+)(?:\/(\d{1,3}))?$/.exec(entry) ?? [];
  if (!isIPv4(hostname) && !isIPv6(hostname)) return undefined;
  const address = ipaddr.process(hostname);
  const most = address.kind() === "ipv4" ? 32 : 128;
  const bits = Number(prefix ?? most);
  return bits <= most ? [address, bits] : undefined;
}

/** An IPv4 address in its usual form: `ipaddr.isValid` also takes `"10"` and `"0x7f.1"`. */
export function isIPv4(text: string): boolean {
  return ipaddr.IPv4.isValidFourPartDecimal(text);
}

/** An IPv6 address without a zone. */
export function isIPv6(text: string): boolean {
  return !text.includes("%") && ipaddr.IPv6.isValid(text);
}
