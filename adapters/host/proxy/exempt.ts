// NO_PROXY: the targets that are reached without a proxy, in the forms that curl and Go's httpproxy
// take. Addresses and networks are compared by ipaddr.js, however they are written.
//
//   *                          every target
//   example.com, .example.com  the host and all its subdomains; a name may be international
//   *.example.com, 192.168.*   with any text for the star
//   10.0.0.0/8, fd00::/8       every address of the network
//   [::1]:8080, host:8080      at that port only

import ipaddr from "ipaddr.js";
import { authority } from "../transport.ts";

/** A host and port, as the target's URL has them: lower case, ASCII, IPv6 without brackets. */
export interface HostPort {
  readonly hostname: string;
  readonly port: number;
}

/** Whether the value of NO_PROXY names the target. */
export function isExempt({ hostname, port }: HostPort, list: string): boolean {
  const host = hostname.replace(/\.$/, "");
  return list.split(/[\s,]+/).some((entry) => {
    const [name, entryPort] = splitPort(entry.toLowerCase());
    if (name === "" || (entryPort !== undefined && Number(entryPort) !== port)) return false;
    return name === "*" || namesAddress(name, host) || namesHost(name, host);
  });
}

// `host`, `host:8080`, `::1`, `[::1]`, `[::1]:8080`: an IPv6 address without brackets has no port.
function splitPort(entry: string): readonly [name: string, port: string | undefined] {
  const [, bracketed, plain, port] = /^(?:\[([^\]]*)\]|([^:]*))(?::(\d+))?$/.exec(entry) ?? [];
  return [bracketed ?? plain ?? entry, port];
}

function namesAddress(name: string, host: string): boolean {
  if (!ipaddr.isValid(host)) return false;
  const address = ipaddr.process(host);
  if (ipaddr.isValidCIDR(name)) {
    const network = ipaddr.parseCIDR(name);
    return network[0].kind() === address.kind() && address.match(network);
  }
  return ipaddr.isValid(name) && ipaddr.process(name).toString() === address.toString();
}

function namesHost(name: string, host: string): boolean {
  if (name.includes("*")) return matches(name, host);
  const domain = toAscii(name.replace(/^\.|\.$/g, ""));
  return host === domain || (host.endsWith(`.${domain}`) && !ipaddr.isValid(host));
}

// Linear: the parts between the stars are looked for from left to right.
function matches(pattern: string, host: string): boolean {
  const parts = pattern.split("*");
  const last = parts.pop()!;
  let at = 0;
  for (const [index, part] of parts.entries()) {
    const found = host.indexOf(part, at);
    if (found === -1 || (index === 0 && found !== 0)) return false;
    at = found + part.length;
  }
  return host.length - last.length >= at && host.endsWith(last);
}

function toAscii(name: string): string {
  const url = `http://${authority(name)}`;
  return URL.canParse(url) ? new URL(url).hostname : name;
}
