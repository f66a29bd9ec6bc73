// How a connection ends, and how long that may take: the closing handshake (RFC 6455 §7.1.2), the
// failure (§7.1.7) and the loss of the transport. connection.ts reads frames and reports events.

import { copyOf } from "./bytes.ts";
import { CloseCode, type CloseInfo, decodeClose, encodeClose } from "./close.ts";
import type { ProtocolError } from "./errors.ts";
import type { ClosedEvent } from "./events.ts";
import type { Sender } from "./sender.ts";

/** The state of a connection on its way from open to closed. */
export class Closing {
  state: "open" | "closing" | "closed" = "open";
  sent: CloseInfo | undefined;
  received: CloseInfo | undefined;
  /** What `closed` will say, once that is settled; input has no meaning then (§1.4, §7.1.7). */
  outcome: ClosedEvent | undefined;
  outputEnded = false;
  /** The transport should have ended by then (§7.1.1). */
  deadline: number = Infinity;
  expired = false;

  readonly #client: boolean;
  readonly #timeout: number;
  readonly #sender: Sender;

  constructor(client: boolean, timeout: number, sender: Sender) {
    this.#client = client;
    this.#timeout = timeout;
    this.#sender = sender;
  }

  // `behind`: after the application's answers to events of the same chunk. "An endpoint MAY delay
  // sending a Close frame until its current message is sent" (§5.5.1).
  send(payload: Uint8Array, behind: boolean, now: number): void {
    this.sent = decodeClose(payload) as CloseInfo; // what was sent: a long reason was cut
    if (behind) this.#sender.closeLater(copyOf(payload));
    else this.#sender.close(payload);
    this.#begin(now);
  }

  /** The peer's Close frame arrived; returns whether that began the closing handshake. */
  receive(info: CloseInfo, payload: Uint8Array, behind: boolean, now: number): boolean {
    const first = this.state === "open";
    // "the endpoint typically echos the status code it received" (§5.5.1): verbatim.
    if (first) this.send(payload, behind, now);
    this.#begin(now);
    this.received = info;
    this.outcome = { type: "closed", ...info, clean: true, cause: first ? "peer" : "local" };
    // "the server MUST close the underlying TCP connection immediately; the client SHOULD wait for
    // the server" (§5.5.1, §7.1.1).
    this.outputEnded = !this.#client;
    return first;
  }

  /** "Fail the WebSocket Connection" (§7.1.7): where a violation becomes a Close frame. */
  fail(error: ProtocolError, cause: "violation" | "timeout", behind: boolean, now: number): void {
    const { code, message: reason } = error;
    if (this.state === "open") this.send(encodeClose(code, reason), behind, now);
    this.outcome = { type: "closed", code, reason, clean: false, cause, error };
    this.outputEnded = true;
    this.#begin(now);
  }

  /** The transport is gone, or its time is up: returns the settled outcome, or one of `cause`. */
  finish(cause: "lost" | "timeout", now: number, error?: Error): ClosedEvent {
    this.#begin(now);
    this.state = "closed";
    this.outputEnded = true;
    const { abnormal: code } = CloseCode;
    const event: ClosedEvent = { type: "closed", code, reason: "", clean: false, cause };
    return this.outcome ??= error === undefined ? event : { ...event, error };
  }

  expire(): void {
    this.deadline = Infinity;
    this.expired = true;
  }

  #begin(now: number): void {
    this.state = "closing";
    this.deadline = now + this.#timeout;
  }
}
