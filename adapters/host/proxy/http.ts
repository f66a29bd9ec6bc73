// The client's side of HTTP's CONNECT (RFC 9110 §9.3.6): the request, and the proxy's answer.
// Redirects and authentication challenges are not followed: every status from 300 on is a failure.
// tunnel.ts drives it.

import { checkFields, formatCredentials, formatRequestHead } from "../../../core/internal.ts";
import { hasCredentials, HeadReader, parseResponseHead } from "../../../core/internal.ts";
import type { ResponseHead } from "../../../core/internal.ts";
import { DEFAULT_LIMITS, HANDSHAKE_FAULTS, HandshakeAnswer } from "../../../core/mod.ts";
import type { HeaderField } from "../../../core/mod.ts";
import { ConnectError } from "../client/error.ts";
import { authorityOf, type Target } from "../client/target.ts";
import type { Dialogue, Proxy } from "./proxy.ts";

/** Informational answers that may come before the final one. */
const MAX_INTERIMS = 16;

/** Asks an HTTP proxy for a connection to the target. */
export class HttpDialogue implements Dialogue {
  readonly opening: Uint8Array;
  #reader = new HeadReader("response", DEFAULT_LIMITS);
  #interims = 0;

  /** @throws {UsageError} for an illegal field or illegal credentials */
  constructor(proxy: Proxy, target: Target) {
    const authority = authorityOf(target);
    const own = ["host", "content-length"];
    const given = checkFields(proxy.headers, (name) => own.includes(name));
    const fields: HeaderField[] = [["Host", authority], ...given];
    if (hasCredentials(proxy)) fields.push(["Proxy-Authorization", formatCredentials(proxy)]);
    this.opening = formatRequestHead("CONNECT", authority, fields);
  }

  receive(chunk: Uint8Array): "done" | undefined {
    const bytes = this.#reader.receive(chunk);
    if (bytes === undefined) return undefined;
    const head = typeof bytes === "string" ? bytes : parseResponseHead(bytes);
    if (typeof head === "string") {
      const { message } = HANDSHAKE_FAULTS[head];
      throw new ConnectError("proxy", `the proxy's answer to CONNECT: ${message}`);
    }
    const { rest } = this.#reader;
    if (head.status < 200) return this.#skip(head, rest);
    if (head.status >= 300) throw refused(head);
    // A WebSocket or TLS server does not speak first, so these bytes cannot be from the target.
    if (rest.length === 0) return "done";
    throw new ConnectError("proxy", "there was more behind the proxy's answer to CONNECT");
  }

  #skip(head: ResponseHead, rest: Uint8Array): "done" | undefined {
    if (head.status === 101 || ++this.#interims > MAX_INTERIMS) throw refused(head);
    this.#reader = new HeadReader("response", DEFAULT_LIMITS);
    return this.receive(rest);
  }
}

function refused(head: ResponseHead): ConnectError {
  const message = `the proxy answered CONNECT with ${head.status} ${head.statusText}`.trim();
  return new ConnectError("proxy", message, undefined, new HandshakeAnswer(head));
}
