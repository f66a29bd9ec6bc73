// ServerHandshake: the opening handshake as a server sees it, RFC 6455 §4.2. Bytes and times go
// in; a request, an answer and in the end a connection come out. It does no I/O and sets no timer.
//
// What makes a request good is request.ts's affair; whether a good one is accepted is the
// application's.

import { answerOffers } from "../deflate/negotiate.ts";
import { HandshakeError, UsageError } from "../errors.ts";
import { checkFields, type HeaderField, HeaderFields, type HeaderInput } from "../http/fields.ts";
import type { RequestHead } from "../http/head.ts";
import { formatResponseHead, HeadReader, parseRequestHead } from "../http/head.ts";
import { isTarget } from "../http/target.ts";
import { refuseUnknown } from "../limits.ts";
import { Output } from "../output.ts";
import { Pieces } from "../pieces.ts";
import { utf8Encoder } from "../platform.ts";
import { acceptKey, acceptKeySync } from "./accept.ts";
import { HANDSHAKE_FAULTS, type HandshakeFault } from "./faults.ts";
import type { HandshakeOptions, Opened, ResolvedOptions } from "./opened.ts";
import { openConnection, resolveOptions } from "./opened.ts";
import type { Upgrade, UpgradeRequest } from "./request.ts";
import { readUpgrade, requestFault, wantsWebSocket } from "./request.ts";

/** How a request is accepted. */
export interface AcceptChoice {
  /** One of the subprotocols the client offered; none by default. */
  readonly protocol?: string | undefined;
  /** Fields for the 101 answer, besides those of the handshake. */
  readonly headers?: HeaderInput | undefined;
}

/**
 * Bytes that may come before the handshake was answered. Above the largest chunk a runtime hands
 * over (512 KiB), so that a host which stops reading once it has the request never meets it.
 */
export const MAX_EARLY_BYTES: number = 1024 * 1024;

// RFC 9110 §15.5.6: 405 names the methods there are; §15.5.22: 426 names the protocol; RFC 6455
// §4.4: and the version of it.
const FAULT_FIELDS: ReadonlyMap<number, readonly HeaderField[]> = new Map([
  [405, [["Allow", "GET"]]],
  [426, [["Upgrade", "websocket"], ["Sec-WebSocket-Version", "13"]]],
]);

const OWN_IN_ACCEPT: readonly string[] = [
  "upgrade",
  "connection",
  "content-length",
  "transfer-encoding",
];
const OWN_IN_REJECT: readonly string[] = ["connection", "content-length", "transfer-encoding"];

/**
 * The opening handshake of one connection to a server.
 *
 * - **Inputs** `receive`, `receiveEnd`, `tick`: what the transport and the clock did. After an
 *   answer they do nothing.
 * - **Commands** `accept`, `reject`: what the application decided about the request that `receive`
 *   returned.
 * - **Outputs** `takeOutput`, `outputEnded`, `deadline`: to be looked at after every input and
 *   every command.
 * - **Getters** `request`, `plainRequest`, `failure`.
 *
 * A request that breaks a rule is answered at once, with the status of the rule in
 * `HANDSHAKE_FAULTS`. One that is no upgrade is left to the host: `plainRequest` and `takeRest`, or
 * `reject(426, …)`.
 */
export class ServerHandshake {
  readonly #options: ResolvedOptions;

  // Receiving
  readonly #reader: HeadReader;
  /**
   * `received` and `plain`: there is a request, and no decision. `accepting`: the digest is
   * awaited. `answered`: it is over.
   */
  #state: "reading" | "received" | "plain" | "accepting" | "answered" = "reading";
  #begun = false;
  #upgrade: Upgrade | undefined;
  #plainRequest: RequestHead | undefined;
  #early = new Pieces();

  // Sending
  readonly #output = new Output();
  #outputEnded = false;
  #failure: HandshakeError | undefined;

  // Time
  #now: number;
  #deadline: number;

  /**
   * A handshake of which no byte has come; `timeouts.handshake` counts from `now`.
   *
   * @throws {UsageError} for an unknown or illegal option
   */
  constructor(options: HandshakeOptions, now: number) {
    this.#options = resolveOptions(options);
    this.#reader = new HeadReader("request", this.#options.limits);
    this.#now = now;
    this.#deadline = now + this.#options.timeouts.handshake;
  }

  /**
   * The handshake for a request that an HTTP server has read already; bytes that came behind it go
   * to `receive`.
   *
   * @throws {UsageError} for an unknown or illegal option
   */
  static fromRequest(head: RequestHead, options: HandshakeOptions, now: number): ServerHandshake {
    const handshake = new ServerHandshake(options, now);
    if (isTarget(head.method, head.target)) handshake.#takeRequest(head);
    else handshake.#refuse("target-invalid");
    return handshake;
  }

  // --- Getters ---

  /** The upgrade request, once it is complete. */
  get request(): UpgradeRequest | undefined {
    return this.#upgrade?.request;
  }

  /**
   * A request that breaks no rule but asks for no WebSocket; its body, if any, is in `takeRest` and
   * what follows.
   */
  get plainRequest(): RequestHead | undefined {
    return this.#plainRequest;
  }

  /** The rule that was broken, or the time that ran out. */
  get failure(): HandshakeError | undefined {
    return this.#failure;
  }

  // --- Inputs ---

  /** Takes the next bytes from the transport; returns the upgrade request when they complete it. */
  receive(chunk: Uint8Array, now: number): UpgradeRequest | undefined {
    this.#now = now;
    if (this.#state === "reading") return this.#read(chunk);
    if (this.#state !== "answered") this.#keep(chunk);
    return undefined;
  }

  /** The transport has ended: nobody who wants a WebSocket would do that before the answer. */
  receiveEnd(now: number): void {
    this.#now = now;
    if (this.#state === "answered" || this.#state === "plain") return;
    if (this.#begun) this.#refuse("request-incomplete");
    else this.#fail("request-incomplete");
  }

  /** Looks whether the deadline has passed; early calls are harmless. */
  tick(now: number): void {
    this.#now = now;
    if (now >= this.#deadline) {
      this.#refuse(this.#state === "reading" ? "request-overdue" : "decision-overdue");
    }
  }

  // --- Commands ---

  /**
   * Accepts the request: the 101 answer is in the output once the promise is fulfilled (RFC 6455
   * §4.2.2).
   *
   * The connection's first bytes are in `rest`; give the transport's next bytes to it before
   * anything else is awaited.
   *
   * @throws {UsageError} without an upgrade request or after an answer, for a subprotocol that was
   *   not offered, and for a field that
   *   must not be sent or is the handshake's own
   * @throws {HandshakeError} the `failure`, if there is one by then
   */
  async accept(choice: AcceptChoice = {}): Promise<Opened> {
    if (this.#failure !== undefined) throw this.#failure;
    const upgrade = this.#upgrade;
    if (this.#state !== "received" || upgrade === undefined) {
      throw new UsageError(
        "accept needs an upgrade request that was neither accepted nor rejected",
      );
    }
    refuseUnknown("accept", choice, ["protocol", "headers"]);
    const protocol = choice.protocol ?? "";
    if (protocol !== "" && !upgrade.request.protocols.includes(protocol)) {
      throw new UsageError(`subprotocol ${JSON.stringify(protocol)} was not offered by the client`);
    }
    const headers = checkFields(choice.headers, isOwnInAccept);
    this.#state = "accepting";
    const { sha1 } = this.#options;
    const accept = sha1 === undefined
      ? await acceptKey(upgrade.key)
      : acceptKeySync(upgrade.key, sha1);
    if (this.#failure !== undefined) throw this.#failure;
    return this.#open(upgrade, accept, protocol, headers);
  }

  /**
   * Answers with another status than 101, and ends the output. After a failure, which was answered
   * already, it does nothing.
   *
   * @param body text is sent as UTF-8, and as `text/plain` unless the headers say otherwise
   * @throws {UsageError} after an answer, for a status outside 200-599, and for a field that must
   *   not be sent or is the handshake's own
   */
  reject(status: number, headers?: HeaderInput, body: string | Uint8Array = ""): void {
    if (this.#failure !== undefined) return;
    if (this.#state === "accepting" || this.#state === "answered") {
      throw new UsageError("the request was accepted or rejected already");
    }
    if (!(status >= 200)) {
      throw new UsageError(`status ${status} does not end a handshake: use 200-599`);
    }
    // RFC 9110 §15.3.5, §15.4.5: the answers that cannot have a body.
    if (body.length > 0 && (status === 204 || status === 304)) {
      throw new UsageError(`an answer with status ${status} has no body`);
    }
    this.#answer(status, checkFields(headers, (name) => OWN_IN_REJECT.includes(name)), body);
    this.#end();
  }

  // --- Outputs ---

  /** The bytes to be written, in order. */
  takeOutput(): Uint8Array[] {
    return this.#output.take();
  }

  /** The bytes that came behind the head of a plain request, once each. */
  takeRest(): Uint8Array {
    return this.#early.join();
  }

  /** When `tick` is to be called: milliseconds, `Infinity` for never. */
  get deadline(): number {
    return this.#deadline;
  }

  /**
   * Whether this side writes nothing more, so that the transport is to be ended after the output.
   */
  get outputEnded(): boolean {
    return this.#outputEnded;
  }

  // --- Reading ---

  #read(chunk: Uint8Array): UpgradeRequest | undefined {
    this.#begun ||= chunk.length > 0;
    const bytes = this.#reader.receive(chunk);
    if (bytes === undefined) return undefined;
    const head = typeof bytes === "string" ? bytes : parseRequestHead(bytes);
    if (typeof head === "string") return this.#refuse(head);
    this.#takeRequest(head);
    if (this.#failure === undefined) this.#keep(this.#reader.rest);
    return this.#failure === undefined ? this.request : undefined;
  }

  #takeRequest(head: RequestHead): void {
    this.#begun = true;
    const fault = requestFault(head);
    if (fault !== undefined) return this.#refuse(fault);
    if (!wantsWebSocket(head)) return this.#takePlain(head);
    const upgrade = readUpgrade(head);
    if (typeof upgrade === "string") return this.#refuse(upgrade);
    this.#upgrade = upgrade;
    this.#state = "received";
  }

  // From here on the time is the host's: it may serve a large file.
  #takePlain(head: RequestHead): void {
    this.#plainRequest = head;
    this.#state = "plain";
    this.#deadline = Infinity;
  }

  // RFC 6455 §4.1: a client "MUST wait for a response from the server before sending any further
  // data". Some do not, and what one of them sent is kept, because the next one to read these bytes
  // is a connection that lacks nothing else.
  #keep(bytes: Uint8Array): void {
    if (this.#early.size + bytes.length > MAX_EARLY_BYTES) this.#refuse("early-data-too-large");
    else this.#early.append(bytes, 0, bytes.length);
  }

  // --- Answering ---

  #open(
    upgrade: Upgrade,
    accept: string,
    protocol: string,
    headers: readonly HeaderField[],
  ): Opened {
    const { deflate } = this.#options;
    const agreed = deflate && answerOffers(upgrade.offers, deflate);
    const extensions = agreed?.answer ?? "";
    const fields: HeaderField[] = [["Upgrade", "websocket"], ["Connection", "Upgrade"], [
      "Sec-WebSocket-Accept",
      accept,
    ]];
    if (protocol !== "") fields.push(["Sec-WebSocket-Protocol", protocol]);
    // Not an empty one if nothing was agreed on: Safari fails on that.
    if (extensions !== "") fields.push(["Sec-WebSocket-Extensions", extensions]);
    const connection = openConnection("server", this.#options, agreed?.params, this.#now);
    this.#output.push(formatResponseHead(101, fields.concat(headers)));
    this.#state = "answered";
    this.#deadline = Infinity;
    return { connection, protocol, extensions, rest: this.#early.join() };
  }

  /** Answers a broken rule with its status, which every rule has that a request can break. */
  #refuse(fault: HandshakeFault): undefined {
    const { status, section, message } = HANDSHAKE_FAULTS[fault];
    this.#answer(status!, FAULT_FIELDS.get(status!) ?? [], `${message} (${section})\n`);
    this.#fail(fault);
  }

  #fail(fault: HandshakeFault): void {
    this.#failure = new HandshakeError(fault);
    this.#end();
  }

  #answer(status: number, headers: readonly HeaderField[], body: string | Uint8Array): void {
    const bytes = typeof body === "string" ? utf8Encoder.encode(body) : body;
    const given = new HeaderFields(headers);
    const fields: HeaderField[] = [...headers];
    if (typeof body === "string" && body !== "" && !given.has("content-type")) {
      fields.push(["Content-Type", "text/plain; charset=utf-8"]);
    }
    // RFC 9110 §8.6: "A server MUST NOT send a Content-Length header field in any response with a
    // status code of … 204".
    if (status !== 204) fields.push(["Content-Length", String(bytes.length)]);
    // RFC 9110 §7.8: who sends Upgrade must list it in Connection.
    fields.push(["Connection", given.has("upgrade") ? "close, Upgrade" : "close"]);
    this.#output.push(formatResponseHead(status, fields));
    // RFC 9110 §9.3.2: the answer to HEAD has the fields of a body, and no body.
    if (bytes.length > 0 && this.#plainRequest?.method !== "HEAD") this.#output.push(bytes);
  }

  #end(): void {
    this.#state = "answered";
    this.#deadline = Infinity;
    this.#outputEnded = true;
    this.#early = new Pieces();
  }
}

function isOwnInAccept(lowerName: string): boolean {
  return lowerName.startsWith("sec-websocket-") || OWN_IN_ACCEPT.includes(lowerName);
}
