// A header of the PROXY protocol, version 1 or 2 (HAProxy, doc/proxy-protocol.txt), as a Machine: a
// proxy sends it before the client's first byte, and names the client in it. forwarded.ts puts it
// on a transport, and says whom it is read from.
//
// The TLVs of version 2 are skipped, CRC32C included: TCP has checksums of its own.

import ipaddr from "ipaddr.js";
import type { Machine } from "../../../core/mod.ts";
import type { Address } from "../transport.ts";
import { isIPv4, isIPv6 } from "./networks.ts";

interface Header {
  /** Bytes that it takes. */
  readonly size: number;
  /** `undefined` where the header names none, and the peer of the transport is meant. */
  readonly client?: Address | undefined;
}

/** What the bytes so far are: a header, the beginning of one, or neither. */
type Parsed = Header | "incomplete" | "malformed";

/** §2.1: "a 108-byte buffer is always enough to store all the line and a trailing zero". */
const MAX_LINE = 107;

/**
 * §2.2 allows 65535. The largest TLV in use is a client's certificate, of one or two KiB, so a
 * proxy needs no more than 16 KiB, the default of `limits.maxHeadSize`.
 */
const MAX_LENGTH = 16 * 1024;

/** Bytes of version 2 before the addresses. */
const FIXED = 16;
/** Bytes of both addresses and ports, by family: none, IPv4, IPv6, unix. */
const ADDRESSES: readonly number[] = [0, 12, 36, 216];
const [, INET, INET6] = [0, 1, 2];
const STREAM = 1;
const DGRAM = 2;
const LOCAL = 0x20;
const PROXY = 0x21;

/** No header has more that is looked at: the rest is TLVs. */
const MAX_KEPT = FIXED + 216;

const TEXT = Uint8Array.from("PROXY ", (char) => char.charCodeAt(0));
const BINARY = Uint8Array.of(13, 10, 13, 10, 0, 13, 10, 0x51, 0x55, 0x49, 0x54, 10);

function parse(bytes: Uint8Array): Parsed {
  if (agree(bytes, TEXT)) return parseText(bytes);
  return agree(bytes, BINARY) ? parseBinary(bytes) : "malformed";
}

/** Whether one begins with the other. */
function agree(bytes: Uint8Array, signature: Uint8Array): boolean {
  return signature.every((byte, index) => index >= bytes.length || bytes[index] === byte);
}

// §2.1, such as "PROXY TCP4 192.0.2.1 198.51.100.1 56324 443\r\n". Behind UNKNOWN "the receiver
// must ignore anything presented before the CRLF".
function parseText(bytes: Uint8Array): Parsed {
  const text = String.fromCharCode(...bytes.subarray(0, MAX_LINE));
  const end = text.indexOf("\r\n");
  if (end === -1) return bytes.length < MAX_LINE ? "incomplete" : "malformed";
  const size = end + 2;
  const [, family, ...fields] = text.slice(0, end).split(" ");
  if (family === "UNKNOWN") return { size };
  const [source = "", target = "", ...ports] = fields;
  const isAddress = family === "TCP4" ? isIPv4 : isIPv6;
  const legal = (family === "TCP4" || family === "TCP6") && isAddress(source) && isAddress(target)
    && ports.length === 2 && ports.every(isPort);
  if (!legal) return "malformed";
  return { size, client: addressFrom(ipaddr.parse(source).toByteArray(), Number(ports[0])) };
}

function isPort(text: string): boolean {
  return /^(?:0|[1-9]\d{0,4})$/.test(text) && Number(text) <= 65_535;
}

// §2.2. LOCAL is the proxy's own connection, such as a health check: the receiver "must use the
// real connection endpoints". The same goes for what is no stream, as at HAProxy itself. Of
// unassigned values: "Receivers must drop connections presenting unexpected values here."
function parseBinary(bytes: Uint8Array): Parsed {
  if (bytes.length < FIXED) return "incomplete";
  const command = bytes[12]!;
  const length = bytes[14]! << 8 | bytes[15]!;
  if (length > MAX_LENGTH || (command !== LOCAL && command !== PROXY)) return "malformed";
  if (command === LOCAL) return { size: FIXED + length };
  return parseAddresses(bytes, length);
}

function parseAddresses(bytes: Uint8Array, length: number): Parsed {
  const [family, protocol] = [bytes[13]! >> 4, bytes[13]! & 0xf];
  const needed = ADDRESSES[family];
  if (needed === undefined || protocol > DGRAM) return "malformed";
  const size = FIXED + length;
  if (needed === 0 || protocol !== STREAM) return { size };
  if (length < needed) return "malformed";
  if (bytes.length < FIXED + needed) return "incomplete";
  const addresses = bytes.subarray(FIXED, FIXED + needed);
  if (family === INET) return { size, client: addressIn(addresses, 4) };
  if (family === INET6) return { size, client: addressIn(addresses, 16) };
  return { size, client: { path: pathIn(addresses.subarray(0, needed / 2)) } };
}

/** The source: two addresses of so many bytes come first, then its port. */
function addressIn(bytes: Uint8Array, width: number): Address {
  const port = bytes[2 * width]! << 8 | bytes[2 * width + 1]!;
  return addressFrom([...bytes.subarray(0, width)], port);
}

function addressFrom(bytes: number[], port: number): Address {
  const address = ipaddr.fromByteArray(bytes);
  return { hostname: ipaddr.process(address.toString()).toString(), port };
}

/** Ends at a NUL; an abstract name, which begins with one, counts as none. */
function pathIn(bytes: Uint8Array): string {
  const end = bytes.indexOf(0);
  return new TextDecoder().decode(end === -1 ? bytes : bytes.subarray(0, end));
}

// --- The machine ---

/** The one event of a header. */
export type HeaderEvent =
  | {
    readonly type: "forwarded";
    readonly client: Address | undefined;
    /** What came behind the header, maybe nothing. */
    readonly rest: Uint8Array;
  }
  | { readonly type: "failed"; };

const NO_EVENTS: readonly never[] = [];

/** Reads one header, cut anywhere. It has no output: a peer that breaks the protocol is dropped. */
export class ProxyHeader implements Machine<HeaderEvent> {
  readonly pendingOutput: number = 0;
  readonly outputEnded: boolean = false;
  deadline: number;
  expired = false;
  readonly #kept = new Uint8Array(MAX_KEPT);
  #received = 0;
  #over = false;

  constructor(deadline: number) {
    this.deadline = deadline;
  }

  receive(chunk: Uint8Array): readonly HeaderEvent[] {
    if (this.#over || chunk.length === 0) return NO_EVENTS;
    const before = this.#received;
    const room = MAX_KEPT - before;
    if (room > 0) this.#kept.set(chunk.subarray(0, room), before);
    this.#received += chunk.length;
    const parsed = parse(this.#kept.subarray(0, Math.min(this.#received, MAX_KEPT)));
    if (parsed === "malformed") return this.#fail();
    if (parsed === "incomplete" || this.#received < parsed.size) return NO_EVENTS;
    this.#end();
    const rest = chunk.subarray(parsed.size - before);
    return [{ type: "forwarded", client: parsed.client, rest }];
  }

  /** Without a byte nothing was asked: a load balancer sees by connecting whether it could. */
  receiveEnd(): readonly HeaderEvent[] {
    if (this.#over || this.#received > 0) return this.#fail();
    this.#end();
    this.expired = true;
    return NO_EVENTS;
  }

  tick(now: number): readonly HeaderEvent[] {
    return now >= this.deadline ? this.#fail() : NO_EVENTS;
  }

  takeOutput(): Uint8Array[] {
    return [];
  }

  #fail(): readonly HeaderEvent[] {
    if (this.#over) return NO_EVENTS;
    this.#end();
    this.expired = true;
    return [{ type: "failed" }];
  }

  #end(): void {
    this.#over = true;
    this.deadline = Infinity;
  }
}
