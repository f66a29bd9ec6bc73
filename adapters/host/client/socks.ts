// SOCKS version 5, as a client speaks it: RFC 1928, with user name and password by RFC 1929. Bytes
// in, bytes out; tunnel.ts brings them to the transport.
//
// Names go to the proxy as they are: only it may be able to resolve them.

import { concat } from "../../../core/bytes.ts";
import { hasCredentials } from "../../../core/handshake/offer.ts";
import { UsageError } from "../../../core/mod.ts";
import { utf8Encoder } from "../../../core/platform.ts";
import { ConnectError } from "./connect-error.ts";
import type { Proxy } from "./proxy.ts";
import type { Target } from "./target.ts";
import type { Negotiation } from "./tunnel.ts";

const VERSION = 5;
/** Of the sub-negotiation of RFC 1929. */
const AUTH_VERSION = 1;

const Method = { none: 0, password: 2 } as const;
const COMMAND_CONNECT = 1;
const RESERVED = 0;
const AddressType = { v4: 1, name: 3, v6: 4 } as const;

/** RFC 1928 §6, by the value of REP. */
const REPLIES: readonly string[] = [
  "succeeded",
  "general SOCKS server failure",
  "connection not allowed by ruleset",
  "network unreachable",
  "host unreachable",
  "connection refused",
  "TTL expired",
  "command not supported",
  "address type not supported",
];

type Step = "method" | "password" | "reply";

/** Asks a SOCKS proxy for a way to the target. */
export class SocksTunnel implements Negotiation {
  readonly opening: Uint8Array;
  readonly #credentials: Uint8Array | undefined;
  readonly #request: Uint8Array;
  #step: Step = "method";
  #held: Uint8Array = new Uint8Array(0);

  /** @throws {UsageError} for a name, user name or password that is longer than SOCKS can say */
  constructor(proxy: Proxy, target: Target) {
    this.#credentials = hasCredentials(proxy) ? formatPassword(proxy) : undefined;
    const methods = this.#credentials === undefined
      ? [Method.none]
      : [Method.none, Method.password];
    this.#request = formatRequest(target);
    this.opening = Uint8Array.of(VERSION, methods.length, ...methods);
  }

  // Each reply is awaited before the next request, so at most one can be here.
  receive(chunk: Uint8Array): Uint8Array | "done" | undefined {
    const bytes = this.#held = concat([this.#held, chunk]);
    // The sub-negotiation has a version of its own, which not every proxy writes right.
    if (this.#step !== "password" && bytes[0] !== VERSION) {
      throw failure("does not speak SOCKS version 5");
    }
    const size = this.#replySize(bytes);
    if (bytes.length < size) return undefined;
    if (bytes.length > size) throw failure("sent more than was asked for");
    this.#held = new Uint8Array(0);
    return this.#answer(bytes);
  }

  /** How long the awaited reply is, as far as its first bytes tell. */
  #replySize(bytes: Uint8Array): number {
    if (this.#step !== "reply") return 2;
    const head = 4;
    if (bytes.length <= head) return head + 1;
    const port = 2;
    const addressSize = bytes[3] === AddressType.v4
      ? 4
      : bytes[3] === AddressType.v6
      ? 16
      : 1 + bytes[head]!;
    return head + addressSize + port;
  }

  #answer(reply: Uint8Array): Uint8Array | "done" {
    switch (this.#step) {
      case "method":
        return this.#takeMethod(reply);
      case "password":
        if (reply[1] !== 0) throw failure("did not accept the user name and password");
        return this.#ask();
      case "reply":
        return takeReply(reply);
    }
  }

  #takeMethod([, method]: Uint8Array): Uint8Array {
    if (method === Method.none) return this.#ask();
    if (this.#credentials === undefined) {
      throw failure("does not serve without a user name and password");
    }
    if (method !== Method.password) throw failure("does not take a user name and password");
    this.#step = "password";
    return this.#credentials;
  }

  #ask(): Uint8Array {
    this.#step = "reply";
    return this.#request;
  }
}

function takeReply([, reply = 1]: Uint8Array): "done" {
  if (reply !== 0) throw failure(`answered: ${REPLIES[reply] ?? `reply ${reply}`}`);
  return "done";
}

function failure(what: string): ConnectError {
  return new ConnectError("proxy", `the SOCKS proxy ${what}`);
}

function formatPassword({ username, password }: Proxy): Uint8Array {
  return concat([Uint8Array.of(AUTH_VERSION), ...[username, password].map(formatCredential)]);
}

function formatCredential(encoded: string): Uint8Array {
  try {
    return withLength(decodeURIComponent(encoded), "the proxy's user name or password");
  } catch (error) {
    if (error instanceof UsageError) throw error;
    throw new UsageError("the proxy's user name or password is not percent-encoded UTF-8");
  }
}

function formatRequest({ hostname, port }: Target): Uint8Array {
  const head = Uint8Array.of(VERSION, COMMAND_CONNECT, RESERVED);
  return concat([head, formatAddress(hostname), Uint8Array.of(port >> 8, port & 0xff)]);
}

function formatAddress(hostname: string): Uint8Array {
  if (/^\d+(?:\.\d+){3}$/.test(hostname)) {
    return Uint8Array.of(AddressType.v4, ...hostname.split(".").map(Number));
  }
  if (hostname.includes(":")) return Uint8Array.of(AddressType.v6, ...parseIpv6(hostname));
  return concat([Uint8Array.of(AddressType.name), withLength(hostname, "the host name")]);
}

// As the WHATWG URL parser writes it (RFC 5952): groups of hexadecimal digits, at most one "::",
// nothing else.
function parseIpv6(text: string): number[] {
  const [head = "", tail] = text.split("::");
  const groups = (part: string): number[] =>
    part === "" ? [] : part.split(":").map((group) => parseInt(group, 16));
  const before = groups(head);
  const after = tail === undefined ? [] : groups(tail);
  const zeros = new Array<number>(8 - before.length - after.length).fill(0);
  return [...before, ...zeros, ...after].flatMap((group) => [group >> 8, group & 0xff]);
}

/** The text in UTF-8, behind one byte that says how long it is. */
function withLength(text: string, what: string): Uint8Array {
  const bytes = utf8Encoder.encode(text);
  if (bytes.length > 255) {
    throw new UsageError(`${what} is longer than the 255 bytes that SOCKS has for it`);
  }
  return concat([Uint8Array.of(bytes.length), bytes]);
}
