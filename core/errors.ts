// The three kinds of error, sorted by who is to blame. A caller's mistake is thrown, a peer's is
// reported: ProtocolError by the `closed` event, HandshakeError by the handshake's `failed` event.

import { HANDSHAKE_FAULTS, type HandshakeFault } from "./faults.ts";
import type { HeaderFields } from "./http/fields.ts";
import { lenientDecoder } from "./platform.ts";
import { type ViolationName, VIOLATIONS } from "./violations.ts";

/** The caller used the library wrongly; the message says what to do instead. */
export class UsageError extends Error {
  /** Tells the error apart where `instanceof` cannot: where the library was loaded twice. */
  override readonly name = "UsageError";
}

/** The peer broke a rule of the protocol (or of its own liveness), which ended the connection. */
export class ProtocolError extends Error {
  /** Tells the error apart where `instanceof` cannot: where the library was loaded twice. */
  override readonly name = "ProtocolError";
  /** The broken rule's name in `VIOLATIONS`. */
  readonly violation: ViolationName;
  /** The close code that was sent for it. */
  readonly code: number;
  /** Where the rule stands, such as `"RFC 6455 §5.2"`. */
  readonly section: string;

  /** Code, section and message are those of the rule in `VIOLATIONS`. */
  constructor(violation: ViolationName) {
    const { code, section, message } = VIOLATIONS[violation];
    super(`${message} (${section})`);
    this.violation = violation;
    this.code = code;
    this.section = section;
  }
}

/** An HTTP answer that was not the upgrade that a client asked for. */
export class HandshakeAnswer {
  /** The status code, 100-599. */
  readonly status: number;
  /** The reason phrase; often empty. */
  readonly statusText: string;
  /** The header fields, in order. */
  readonly headers: HeaderFields;
  /** The first bytes of the body, 64 KiB at most. */
  readonly body: Uint8Array;

  /** Made by a handshake of the answer's head and body. */
  constructor(head: Omit<HandshakeAnswer, "body" | "text">, body: Uint8Array = new Uint8Array(0)) {
    this.status = head.status;
    this.statusText = head.statusText;
    this.headers = head.headers;
    this.body = body;
  }

  /** The body as text; what is not UTF-8 in it is replaced. */
  text(): string {
    return lenientDecoder.decode(this.body);
  }
}

/** The opening handshake failed (RFC 6455 §4). */
export class HandshakeError extends Error {
  /** Tells the error apart where `instanceof` cannot: where the library was loaded twice. */
  override readonly name = "HandshakeError";
  /** The broken rule's name in `HANDSHAKE_FAULTS`. */
  readonly fault: HandshakeFault;
  /** Where the rule stands. */
  readonly section: string;
  /** For a client: the answer the server gave, where it gave a readable one. */
  readonly answer: HandshakeAnswer | undefined;

  /** `detail` says what of the answer broke the rule; `cause` is the error behind it, if any. */
  constructor(fault: HandshakeFault, detail?: string, answer?: HandshakeAnswer, cause?: unknown) {
    const { section, message } = HANDSHAKE_FAULTS[fault];
    super(detail === undefined ? `${message} (${section})` : `${message}: ${detail} (${section})`);
    this.fault = fault;
    this.section = section;
    this.answer = answer;
    if (cause !== undefined) this.cause = cause;
  }
}
