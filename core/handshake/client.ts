// ClientHandshake: the opening handshake as a client sees it, RFC 6455 §4.1. The request is in the
// output from the start. Bytes and times go in; a connection or a failure comes out.
// request.ts writes the request, response.ts says what the answer must be. The host does redirects,
// proxies and retries.

import { Pieces } from "../bytes.ts";
import { HandshakeAnswer, HandshakeError } from "../errors.ts";
import { NO_EVENTS } from "../events.ts";
import type { HandshakeFault } from "../faults.ts";
import { BodyReader, responseBodyLength } from "../http/body.ts";
import type { HeaderFields, HeaderInput } from "../http/fields.ts";
import { HeadReader, parseResponseHead, type ResponseHead } from "../http/head.ts";
import type { Machine } from "../machine.ts";
import { Output } from "../output.ts";
import type { HandshakeFailed, HandshakeOptions, Opened, ResolvedOptions } from "./options.ts";
import { openConnection, resolveOptions } from "./options.ts";
import { type ClientUrl, formatUpgrade } from "./request.ts";
import { type Expected, readSwitch } from "./response.ts";

/** How a client asks for a WebSocket. */
export interface ClientHandshakeOptions extends HandshakeOptions {
  /** The Sec-WebSocket-Key, for this handshake alone: what `createKey` makes. */
  readonly key: string;
  /** The Sec-WebSocket-Accept that answers the key: what `acceptKey` makes of it. */
  readonly accept: string;
  /** Subprotocols to offer, the preferred one first; none by default. */
  readonly protocols?: readonly string[] | undefined;
  /** Fields for the request, besides those of the handshake. */
  readonly headers?: HeaderInput | undefined;
}

/** What a client's handshake reports: one event, which is also its last. */
export type ClientHandshakeEvent =
  | Opened & { readonly type: "opened"; readonly headers: HeaderFields; }
  | HandshakeFailed;

/** Bytes of the body of a refusal that are kept: room for any message, not for a download. */
const MAX_ANSWER_BODY = 64 * 1024;
/** Informational answers that may come before the final one; servers send one or two. */
const MAX_INTERIMS = 16;

/** An answer other than 101, while its body is read. */
interface Refusal {
  readonly head: ResponseHead;
  readonly reader: BodyReader;
  readonly body: Pieces;
}

/**
 * The opening handshake of one connection of a client.
 *
 * - **Inputs** `begin`, `receive`, `receiveEnd`, `tick`: the transport and the clock.
 * - **Outputs** `takeOutput`, `outputEnded`, `deadline`, `expired`: look at them after every input,
 *   and before the first.
 *
 * ```ts
 * const key = createKey();
 * const handshake = new ClientHandshake(url, { key, accept: await acceptKey(key) }, now());
 * ```
 */
export class ClientHandshake implements Machine<ClientHandshakeEvent> {
  readonly #options: ResolvedOptions;
  readonly #expected: Expected;
  readonly #output = new Output();
  #reader: HeadReader;
  #interims = 0;
  #refusal: Refusal | undefined;
  #over: "opened" | "failed" | undefined;
  #deadline: number;

  /**
   * A handshake with its request in the output; `timeouts.handshake` counts from `now`.
   * @throws {UsageError} for a URL that is not one of a WebSocket, for an unknown or illegal
   *   option, and for a subprotocol or field that must not be sent
   */
  constructor(url: ClientUrl, options: ClientHandshakeOptions, now: number) {
    this.#options = resolveOptions(options, ["key", "accept", "protocols", "headers"]);
    const { key, accept, headers } = options;
    const { deflate } = this.#options;
    const protocols = [...options.protocols ?? []];
    this.#expected = { accept, protocols, deflate };
    this.#reader = new HeadReader("response", this.#options.limits);
    this.#output.push(formatUpgrade(url, key, protocols, deflate, headers));
    this.#deadline = now + this.#options.timeouts.handshake;
  }

  /** The transport is there: counts the time for the answer from now. */
  begin(now: number): void {
    if (this.#over === undefined) this.#deadline = now + this.#options.timeouts.handshake;
  }

  /** Takes the next bytes. Those behind the answer are the event's `rest`. */
  receive(chunk: Uint8Array, now: number): readonly ClientHandshakeEvent[] {
    if (this.#over !== undefined) return NO_EVENTS;
    if (this.#refusal !== undefined) return this.#readBody(this.#refusal, chunk);
    return this.#readHead(chunk, now);
  }

  /** The transport has ended, or is gone; `error` is the reason, if it failed. */
  receiveEnd(_now: number, error?: Error): readonly ClientHandshakeEvent[] {
    return this.#giveUp("answer-incomplete", error);
  }

  /** Does what is due by `now`; an early call changes nothing. */
  tick(now: number): readonly ClientHandshakeEvent[] {
    return now >= this.#deadline ? this.#giveUp("answer-overdue") : NO_EVENTS;
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
    return this.#over === "failed";
  }

  /** When to call `tick`; `Infinity` for never. */
  get deadline(): number {
    return this.#deadline;
  }

  /** After a failure there is nothing left to say: drop the transport. */
  get expired(): boolean {
    return this.#over === "failed";
  }

  #readHead(chunk: Uint8Array, now: number): readonly ClientHandshakeEvent[] {
    const bytes = this.#reader.receive(chunk);
    if (bytes === undefined) return NO_EVENTS;
    const head = typeof bytes === "string" ? bytes : parseResponseHead(bytes);
    if (typeof head === "string") return this.#fail(new HandshakeError(head));
    const { rest } = this.#reader;
    if (head.status === 101) return this.#open(head, rest, now);
    if (head.status >= 200) return this.#beginRefusal(head, rest);
    // RFC 9110 §15.2: "A client MUST be able to parse one or more 1xx responses".
    if (++this.#interims > MAX_INTERIMS) return this.#fail(new HandshakeError("interim-too-many"));
    this.#reader = new HeadReader("response", this.#options.limits);
    return this.#readHead(rest, now);
  }

  #open(head: ResponseHead, rest: Uint8Array, now: number): readonly ClientHandshakeEvent[] {
    const agreement = readSwitch(head, this.#expected);
    if (typeof agreement === "string") {
      return this.#fail(new HandshakeError(agreement, undefined, new HandshakeAnswer(head)));
    }
    const { protocol, extensions, params } = agreement;
    const connection = openConnection("client", this.#options, params, now);
    this.#over = "opened";
    this.#deadline = Infinity;
    const { headers } = head;
    return [{ type: "opened", connection, protocol, extensions, headers, rest }];
  }

  // RFC 6455 §4.1: "the client handles the response per HTTP procedures". The failure carries it.
  #beginRefusal(head: ResponseHead, rest: Uint8Array): readonly ClientHandshakeEvent[] {
    this.#refusal = { head, reader: new BodyReader(responseBodyLength(head)), body: new Pieces() };
    return this.#readBody(this.#refusal, rest);
  }

  #readBody(refusal: Refusal, chunk: Uint8Array): readonly ClientHandshakeEvent[] {
    const { reader, body } = refusal;
    reader.receive(chunk, body);
    const ended = reader.done || reader.malformed || body.size >= MAX_ANSWER_BODY;
    return ended ? this.#endRefusal(refusal) : NO_EVENTS;
  }

  #endRefusal({ head, body }: Refusal): readonly ClientHandshakeEvent[] {
    const { status, statusText } = head;
    const detail = statusText === "" ? `${status}` : `${status} ${statusText}`;
    const answer = new HandshakeAnswer(head, body.join().slice(0, MAX_ANSWER_BODY));
    return this.#fail(new HandshakeError("status-not-101", detail, answer));
  }

  /** Ends the handshake without the rest of the answer; a refusal is clear enough by its head. */
  #giveUp(fault: HandshakeFault, error?: Error): readonly ClientHandshakeEvent[] {
    if (this.#over !== undefined) return NO_EVENTS;
    if (this.#refusal !== undefined) return this.#endRefusal(this.#refusal);
    return this.#fail(new HandshakeError(fault, error?.message, undefined, error));
  }

  #fail(error: HandshakeError): readonly ClientHandshakeEvent[] {
    this.#over = "failed";
    this.#deadline = Infinity;
    return [{ type: "failed", error }];
  }
}
