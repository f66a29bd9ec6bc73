// HTTP's CONNECT, as a client of a proxy speaks it: RFC 9110 §9.3.6. Bytes in, bytes out;
// tunnel.ts brings them to the transport.

import { formatCredentials, hasCredentials } from "../../../core/handshake/offer.ts";
import { checkFields } from "../../../core/http/fields.ts";
import { HeadReader, parseResponseHead, type ResponseHead } from "../../../core/http/head.ts";
import { formatRequestHead } from "../../../core/http/head.ts";
import { DEFAULT_LIMITS, HANDSHAKE_FAULTS, type HeaderField } from "../../../core/mod.ts";
import { ConnectError } from "./connect-error.ts";
import type { Proxy } from "./proxy.ts";
import { authorityOf, type Target } from "./target.ts";
import type { Negotiation } from "./tunnel.ts";

/** Informational answers that may come before the final one. */
const MAX_INTERIMS = 16;

/** Asks an HTTP proxy for a way to the target. */
export class ConnectTunnel implements Negotiation {
  readonly opening: Uint8Array;
  #reader = new HeadReader("response", DEFAULT_LIMITS);
  #interims = 0;

  /** @throws {UsageError} for a field or credentials that must not be sent */
  constructor(proxy: Proxy, target: Target) {
    const authority = authorityOf(target);
    const given = checkFields(
      proxy.headers,
      (name) => name === "host" || name === "content-length",
    );
    const fields: HeaderField[] = [["Host", authority], ...given];
    if (hasCredentials(proxy)) fields.push(["Proxy-Authorization", formatCredentials(proxy)]);
    this.opening = formatRequestHead("CONNECT", authority, fields);
  }

  receive(chunk: Uint8Array): "done" | undefined {
    const bytes = this.#reader.receive(chunk);
    if (bytes === undefined) return undefined;
    const head = typeof bytes === "string" ? bytes : parseResponseHead(bytes);
    if (typeof head === "string") {
      throw new ConnectError(
        "proxy",
        `the proxy's answer to CONNECT: ${HANDSHAKE_FAULTS[head].message}`,
      );
    }
    const { rest } = this.#reader;
    if (head.status < 200) return this.#skip(head, rest);
    if (head.status >= 300) throw refused(head);
    // A server of WebSocket or TLS does not speak first: what comes now is not from the one that
    // was asked for.
    if (rest.length > 0) {
      throw new ConnectError("proxy", "there was more behind the proxy's answer to CONNECT");
    }
    return "done";
  }

  #skip(head: ResponseHead, rest: Uint8Array): "done" | undefined {
    if (head.status === 101 || ++this.#interims > MAX_INTERIMS) throw refused(head);
    this.#reader = new HeadReader("response", DEFAULT_LIMITS);
    return this.receive(rest);
  }
}

function refused({ status, statusText, headers }: ResponseHead): ConnectError {
  const answer = { status, statusText, headers: [...headers] };
  return new ConnectError(
    "proxy",
    `the proxy answered CONNECT with ${status} ${statusText}`.trim(),
    undefined,
    answer,
  );
}
