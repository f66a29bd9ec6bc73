// ServerHandshake: the opening handshake as a server sees it, RFC 6455 §4.2. Bytes and times go
// in; a request comes out, and after the application's answer a connection.
//
// request.ts says what a request must be, response.ts how it is answered. The application decides
// whether a good request is accepted, and computes the digest of its key.

import { Pieces } from "../bytes.ts";
import { answerOffers } from "../deflate/negotiate.ts";
import { HandshakeError, UsageError } from "../errors.ts";
import { NO_EVENTS } from "../events.ts";
import { HANDSHAKE_FAULTS, type HandshakeFault } from "../faults.ts";
import type { Extension, HeaderField, HeaderInput } from "../http/fields.ts";
import { checkFields } from "../http/format.ts";
import { HeadReader, isTarget, parseRequestHead, type RequestHead } from "../http/head.ts";
import { refuseUnknown } from "../limits.ts";
import { LINGER, type Machine } from "../machine.ts";
import { Output } from "../output.ts";
import type { HandshakeFailed, HandshakeOptions, Opened, ResolvedOptions } from "./options.ts";
import { openConnection, resolveOptions } from "./options.ts";
import type { UpgradeRequest } from "./request.ts";
import { ownFields, readUpgrade, requestFault, wantsWebSocket } from "./request.ts";
import { formatRefusal, formatSwitch } from "./response.ts";

/** What a server's handshake reports: a request at most once, and after it only a failure. */
export type ServerHandshakeEvent =
  | { readonly type: "upgrade"; readonly request: UpgradeRequest; }
  | { readonly type: "request"; readonly request: RequestHead; }
  /** Bytes came before the answer. They are kept; a host may stop reading. */
  | { readonly type: "early"; }
  | HandshakeFailed & { readonly request?: RequestHead; };

/** How a request is accepted. */
export interface AcceptChoice {
  /** One of the subprotocols that the client offered; none by default. */
  readonly protocol?: string | undefined;
  /** Fields for the 101 answer, besides those of the handshake. */
  readonly headers?: HeaderInput | undefined;
}

/**
 * Bytes that may come before the answer: 1 MiB. No chunk of a runtime is larger than 512 KiB, so a
 * host that stops reading once it has the request never meets it.
 */
export const MAX_EARLY_BYTES: number = 1024 * 1024;

// RFC 9110 §15.5.6: 405 names the allowed methods. §15.5.22: 426 names the protocol, and RFC 6455
// §4.4: its version.
const ALLOW: readonly HeaderField[] = [["Allow", "GET, HEAD, OPTIONS"]];
const UPGRADE: readonly HeaderField[] = [["Upgrade", "websocket"], ["Sec-WebSocket-Version", "13"]];
const FAULT_FIELDS: Readonly<Partial<Record<HandshakeFault, readonly HeaderField[]>>> = {
  "method-not-get": [["Allow", "GET"]],
  "method-not-allowed": ALLOW,
  "upgrade-http-version": UPGRADE,
  "upgrade-missing": UPGRADE,
  "version-missing": UPGRADE,
  "version-unsupported": UPGRADE,
};

const OWN_IN_REFUSAL: readonly string[] = ["connection", "content-length", "transfer-encoding"];
const isOwnInAccept = ownFields(["upgrade", ...OWN_IN_REFUSAL]);

/**
 * The opening handshake of one connection to a server.
 *
 * - **Inputs** `receive`, `receiveHead`, `receiveEnd`, `tick`: the transport and the clock.
 * - **Commands** `accept`, `reject`: the application's decision about the request.
 * - **Outputs** `takeOutput`, `outputEnded`, `deadline`, `expired`: look at them after every call.
 *
 * A request that breaks a rule is answered at once, with the rule's status in `HANDSHAKE_FAULTS`. A
 * GET or HEAD request without an upgrade is reported as `request`: `reject` or the host answers it.
 *
 * ```ts
 * for (const event of handshake.receive(chunk, now())) {
 *   if (event.type === "request") handshake.reject(426);
 *   if (event.type === "upgrade") {
 *     const opened = handshake.accept({}, await acceptKey(event.request.key));
 *   }
 * }
 * ```
 */
export class ServerHandshake implements Machine<ServerHandshakeEvent> {
  readonly #options: ResolvedOptions;
  readonly #reader: HeadReader;
  readonly #output = new Output();
  /** `upgrade` and `request`: it was reported and not answered. `answered`: all is said. */
  #state: "reading" | "upgrade" | "request" | "answered" = "reading";
  #begun = false;
  #head: RequestHead | undefined;
  #upgrade: readonly [request: UpgradeRequest, offers: readonly Extension[]] | undefined;
  #early = new Pieces();
  #failed = false;
  #outputEnded = false;
  #now: number;
  #deadline: number;
  #expired = false;

  /**
   * A handshake of which no byte has come; `timeouts.handshake` counts from `now`.
   * @throws {UsageError} for an unknown or illegal option
   */
  constructor(options: HandshakeOptions, now: number) {
    this.#options = resolveOptions(options);
    this.#reader = new HeadReader("request", this.#options.limits);
    this.#now = now;
    this.#deadline = now + this.#options.timeouts.handshake;
  }

  /** Takes the next bytes. Behind the request they wait for the connection, 1 MiB at most. */
  receive(chunk: Uint8Array, now: number): readonly ServerHandshakeEvent[] {
    this.#now = now;
    if (this.#state === "reading") return this.#read(chunk);
    return this.#state === "upgrade" ? this.#keep(chunk) : NO_EVENTS;
  }

  /** Takes a head that an HTTP server has read; bytes that came behind it go to `receive`. */
  receiveHead(head: RequestHead, now: number): readonly ServerHandshakeEvent[] {
    this.#now = now;
    if (this.#state !== "reading") return NO_EVENTS;
    return isTarget(head.method, head.target) ? this.#take(head) : this.#refuse("target-invalid");
  }

  /** The transport has ended: a client of a WebSocket does not do that before the answer. */
  receiveEnd(now: number): readonly ServerHandshakeEvent[] {
    this.#now = now;
    if (this.#state === "answered" || this.#state === "request") return NO_EVENTS;
    return this.#begun ? this.#refuse("request-incomplete") : this.#fail("request-incomplete");
  }

  /** Does what is due by `now`; an early call changes nothing. */
  tick(now: number): readonly ServerHandshakeEvent[] {
    this.#now = now;
    if (now < this.#deadline) return NO_EVENTS;
    // A load balancer opens connections in advance: silence asks nothing, and gets no answer.
    if (this.#state === "reading" && !this.#begun) return this.#fail("request-overdue");
    if (this.#state !== "answered") {
      return this.#refuse(this.#state === "reading" ? "request-overdue" : "decision-overdue");
    }
    this.#expired = true;
    this.#deadline = Infinity;
    return NO_EVENTS;
  }

  /**
   * Accepts the upgrade request: the 101 answer is in the output (RFC 6455 §4.2.2). Returns
   * `undefined` after a failure, which was reported.
   * @param accept the Sec-WebSocket-Accept: what `acceptKey` makes of the request's `key`
   * @param now when the connection begins; default: the time of the last input
   * @throws {UsageError} without an upgrade request or after an answer, for a subprotocol that was
   *   not offered, and for a field that must not be sent or is the handshake's own
   */
  accept(choice: AcceptChoice, accept: string, now: number = this.#now): Opened | undefined {
    if (this.#failed) return undefined;
    if (this.#state !== "upgrade") {
      throw new UsageError("accept needs an upgrade request that was not answered yet");
    }
    const [request, offers] = this.#upgrade!;
    refuseUnknown("accept", choice, ["protocol", "headers"]);
    const { protocol = "" } = choice;
    if (protocol !== "" && !request.protocols.includes(protocol)) {
      const name = JSON.stringify(protocol);
      throw new UsageError(`subprotocol ${name} was not offered by the client`);
    }
    const headers = this.#dated(checkFields(choice.headers, isOwnInAccept));
    const agreed = this.#options.deflate && answerOffers(offers, this.#options.deflate);
    const extensions = agreed?.answer ?? "";
    this.#output.push(formatSwitch(accept, protocol, extensions, headers));
    this.#state = "answered";
    this.#deadline = Infinity;
    const connection = openConnection("server", this.#options, agreed?.params, now);
    return { connection, protocol, extensions, rest: this.#early.join() };
  }

  /**
   * Answers with another status than 101, and ends the output. Does nothing after a failure, which
   * was answered already.
   * @param body text is sent as UTF-8, and as `text/plain` unless the headers say otherwise
   * @throws {UsageError} after an answer, for a status outside 200-599, and for a field that must
   *   not be sent or is the handshake's own
   */
  reject(status: number, headers?: HeaderInput, body: string | Uint8Array = ""): void {
    if (this.#failed) return;
    if (this.#state === "answered") {
      throw new UsageError("the request was accepted or rejected already");
    }
    if (!(status >= 200)) {
      throw new UsageError(`status ${status} does not end a handshake: use 200-599`);
    }
    // RFC 9110 §15.3.5, §15.4.5: the answers that cannot have a body.
    if (body.length > 0 && (status === 204 || status === 304)) {
      throw new UsageError(`an answer with status ${status} has no body`);
    }
    this.#answer(status, checkFields(headers, (name) => OWN_IN_REFUSAL.includes(name)), body);
  }

  /** Takes all bytes to write now, in order. */
  takeOutput(): Uint8Array[] {
    return this.#output.take();
  }

  /** Bytes that `takeOutput` would return. */
  get pendingOutput(): number {
    return this.#output.size;
  }

  /** Whether to end the transport's output once the pending bytes are written. */
  get outputEnded(): boolean {
    return this.#outputEnded;
  }

  /** When to call `tick`; `Infinity` for never. */
  get deadline(): number {
    return this.#deadline;
  }

  /** Whether the peer has had its time to end the transport: drop it. */
  get expired(): boolean {
    return this.#expired;
  }

  // --- Reading ---

  #read(chunk: Uint8Array): readonly ServerHandshakeEvent[] {
    this.#begun ||= chunk.length > 0;
    const bytes = this.#reader.receive(chunk);
    if (bytes === undefined) return NO_EVENTS;
    const head = typeof bytes === "string" ? bytes : parseRequestHead(bytes);
    if (typeof head === "string") return this.#refuse(head);
    const events = this.#take(head);
    if (this.#state !== "upgrade") return events;
    const early = this.#keep(this.#reader.rest);
    return this.#failed ? early : [...events, ...early];
  }

  #take(head: RequestHead): readonly ServerHandshakeEvent[] {
    this.#begun = true;
    this.#head = head;
    const fault = requestFault(head);
    if (fault !== undefined) return this.#refuse(fault);
    if (!wantsWebSocket(head)) return this.#takePlain(head);
    const upgrade = readUpgrade(head);
    if (typeof upgrade === "string") return this.#refuse(upgrade);
    this.#upgrade = upgrade;
    this.#state = "upgrade";
    return [{ type: "upgrade", request: upgrade[0] }];
  }

  // No deadline from here on: the host may serve a large file.
  #takePlain(request: RequestHead): readonly ServerHandshakeEvent[] {
    const { method } = request;
    // RFC 9110 §9.3.7. It is also HAProxy's default health check, which wants a 2xx.
    if (method === "OPTIONS") {
      this.#answer(204, ALLOW, "");
      return NO_EVENTS;
    }
    if (method !== "GET" && method !== "HEAD") return this.#refuse("method-not-allowed");
    this.#state = "request";
    this.#deadline = Infinity;
    return [{ type: "request", request }];
  }

  // RFC 6455 §4.1: a client "MUST wait for a response from the server before sending any further
  // data". Some do not. The connection gets what they sent.
  #keep(bytes: Uint8Array): readonly ServerHandshakeEvent[] {
    if (this.#early.size + bytes.length > MAX_EARLY_BYTES) {
      return this.#refuse("early-data-too-large");
    }
    const first = this.#early.size === 0 && bytes.length > 0;
    this.#early.append(bytes, 0, bytes.length);
    return first ? [{ type: "early" }] : NO_EVENTS;
  }

  // --- Answering ---

  #refuse(fault: HandshakeFault): readonly ServerHandshakeEvent[] {
    const { status, section, message } = HANDSHAKE_FAULTS[fault];
    this.#answer(status!, FAULT_FIELDS[fault] ?? [], `${message} (${section})\n`);
    return this.#fail(fault);
  }

  #fail(fault: HandshakeFault): readonly ServerHandshakeEvent[] {
    this.#failed = true;
    this.#end();
    const error = new HandshakeError(fault);
    return [{ type: "failed", error, ...this.#head && { request: this.#head } }];
  }

  #answer(status: number, headers: readonly HeaderField[], body: string | Uint8Array): void {
    const [head, bytes] = formatRefusal(status, this.#dated(headers), body);
    this.#output.push(head);
    // RFC 9110 §9.3.2: the answer to HEAD has the fields of a body, and no body.
    if (bytes.length > 0 && this.#head?.method !== "HEAD") this.#output.push(bytes);
    this.#end();
  }

  #dated(headers: readonly HeaderField[]): readonly HeaderField[] {
    const { date } = this.#options;
    const has = date === undefined || headers.some(([name]) => name.toLowerCase() === "date");
    return has ? headers : [["Date", date()], ...headers];
  }

  #end(): void {
    this.#state = "answered";
    this.#deadline = this.#now + LINGER;
    this.#outputEnded = true;
    this.#early = new Pieces();
  }
}
