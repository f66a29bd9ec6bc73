// The client's side of SOCKS version 5 (RFC 1928), with a user name and password (RFC 1929). Host
// names go to the proxy unresolved: it may be the only one able to resolve them. Only the command
// CONNECT is here.

import { concat, hasCredentials, utf8Encoder } from "../../../core/internal.ts";
import { UsageError } from "../../../core/mod.ts";
import { ConnectError } from "../client/error.ts";
import type { Target } from "../client/target.ts";
import { ipv6Groups } from "../transport.ts";
import type { Dialogue, Proxy } from "./proxy.ts";

const VERSION = 5;
/** The version of RFC 1929's sub-negotiation. */
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

/** Asks a SOCKS proxy for a connection to the target. */
export class SocksDialogue implements Dialogue {
  readonly opening: Uint8Array;
  readonly #credentials: Uint8Array | undefined;
  readonly #request: Uint8Array;
  /** The reply that is awaited. */
  #step: "method" | "password" | "reply" = "method";
  #held: Uint8Array = new Uint8Array(0);

  /** @throws {UsageError} for a name, user name or password over 255 bytes, SOCKS's limit */
  constructor(proxy: Proxy, target: Target) {
    this.#credentials = hasCredentials(proxy) ? formatPassword(proxy) : undefined;
    const methods = [Method.none, ...this.#credentials === undefined ? [] : [Method.password]];
    this.#request = formatRequest(target);
    this.opening = Uint8Array.of(VERSION, methods.length, ...methods);
  }

  // Each reply is awaited before the next request is sent, so at most one can be here.
  receive(chunk: Uint8Array): Uint8Array | "done" | undefined {
    const bytes = this.#held = concat([this.#held, chunk]);
    // Not every proxy sends the right version in the sub-negotiation.
    if (this.#step !== "password" && bytes[0] !== VERSION) {
      throw failure("does not speak SOCKS version 5");
    }
    const size = this.#replySize(bytes);
    if (bytes.length < size) return undefined;
    if (bytes.length > size) throw failure("sent more than was asked for");
    this.#held = new Uint8Array(0);
    return this.#answer(bytes[1]!);
  }

  /** The size of the awaited reply, as far as its first bytes tell. */
  #replySize(bytes: Uint8Array): number {
    if (this.#step !== "reply") return 2;
    const head = 4;
    const port = 2;
    const [, , , type, length] = bytes;
    if (length === undefined) return head + 1;
    const address = type === AddressType.v4 ? 4 : type === AddressType.v6 ? 16 : 1 + length;
    return head + address + port;
  }

  #answer(code: number): Uint8Array | "done" {
    if (this.#step === "method") return this.#takeMethod(code);
    if (this.#step === "reply") {
      if (code === 0) return "done";
      throw failure(`answered: ${REPLIES[code] ?? `reply ${code}`}`);
    }
    if (code !== 0) throw failure("did not accept the user name and password");
    return this.#ask();
  }

  #takeMethod(method: number): Uint8Array {
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

function failure(what: string): ConnectError {
  return new ConnectError("proxy", `the SOCKS proxy ${what}`);
}

function formatPassword({ username, password }: Proxy): Uint8Array {
  return concat([Uint8Array.of(AUTH_VERSION), ...[username, password].map(formatCredential)]);
}

function formatCredential(encoded: string): Uint8Array {
  const what = "the proxy's user name or password";
  try {
    return withLength(decodeURIComponent(encoded), what);
  } catch (error) {
    if (error instanceof UsageError) throw error;
    throw new UsageError(`${what} is not percent-encoded UTF-8`);
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
  if (!hostname.includes(":")) {
    return concat([Uint8Array.of(AddressType.name), withLength(hostname, "the host name")]);
  }
  // The URL parser has left hexadecimal groups and at most one "::" (RFC 5952).
  const groups = ipv6Groups(hostname).map((group) => parseInt(group, 16));
  return Uint8Array.of(AddressType.v6, ...groups.flatMap((group) => [group >> 8, group & 0xff]));
}

/** The text in UTF-8, behind one byte with its length. */
function withLength(text: string, what: string): Uint8Array {
  const bytes = utf8Encoder.encode(text);
  if (bytes.length <= 255) return concat([Uint8Array.of(bytes.length), bytes]);
  throw new UsageError(`${what} is longer than the 255 bytes that SOCKS has for it`);
}
