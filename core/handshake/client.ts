// ClientHandshake: the opening handshake as a client sees it, RFC 6455 §4.1. The request is in the
// output from the start; bytes and times go in, and a connection or a failure comes out. It does no
// I/O and sets no timer.
//
// The request is offer.ts's affair, what makes an answer good is answer.ts's; redirects, proxies
// and retries are the host's.

import { HandshakeError } from "../errors.ts";
import { BodyReader, responseBodyLength } from "../http/body.ts";
import type { HeaderInput } from "../http/fields.ts";
import { HeadReader, parseResponseHead, type ResponseHead } from "../http/head.ts";
import { Output } from "../output.ts";
import { Pieces } from "../pieces.ts";
import { acceptKey, acceptKeySync, createKey } from "./accept.ts";
import { type Expected, readSwitch } from "./answer.ts";
import type { HandshakeFault } from "./faults.ts";
import { type ClientUrl, formatOfferHead } from "./offer.ts";
import type { HandshakeOptions, Opened, ResolvedOptions } from "./opened.ts";
import { openConnection, resolveOptions } from "./opened.ts";

/** How a client asks for a WebSocket. */
export interface ClientHandshakeOptions extends HandshakeOptions {
  /** Subprotocols to offer, the preferred one first; none by default. */
  readonly protocols?: readonly string[] | undefined;
  /** Fields for the request, besides those of the handshake. */
  readonly headers?: HeaderInput | undefined;
}

/** Bytes of the body of a refusal that are kept: room for any message, not for a download. */
const MAX_ANSWER_BODY = 64 * 1024;

/**
 * Informational answers that may come before the final one; a server that sends hints sends one or
 * two.
 */
const MAX_INTERIMS = 16;

/** An answer other than 101, whose body is being read. */
interface Refusal {
  readonly head: ResponseHead;
  readonly reader: BodyReader;
  readonly body: Pieces;
}

/**
 * The opening handshake of one connection of a client.
 *
 * - **Inputs** `begin`, `receive`, `receiveEnd`, `tick`: what the transport and the clock did.
 *   After the end they do nothing.
 * - **Outputs** `takeOutput`, `outputEnded`, `deadline`: to be looked at after every input, and
 *   before the first.
 * - **Getters** `failure`.
 */
export class ClientHandshake {
  readonly #options: ResolvedOptions;
  readonly #expected: Expected;

  // Receiving
  #reader: HeadReader;
  #interims = 0;
  #refusal: Refusal | undefined;
  #opened = false;
  #failure: HandshakeError | undefined;

  // Sending
  readonly #output = new Output();

  // Time
  #deadline: number;

  /**
   * Prepares a handshake, with the request in the output; what is awaited is the digest of its key.
   *
   * @throws {UsageError} for a URL that is not one of a WebSocket, for an unknown or illegal
   *   option, and for a subprotocol or field
   *   that must not be sent
   */
  static async create(
    url: ClientUrl,
    given: ClientHandshakeOptions,
    now: number,
  ): Promise<ClientHandshake> {
    const options = resolveOptions(given, ["protocols", "headers"]);
    const { deflate, sha1 } = options;
    const protocols = [...given.protocols ?? []];
    const key = createKey();
    const request = formatOfferHead(url, key, protocols, deflate, given.headers);
    const accept = sha1 === undefined ? await acceptKey(key) : acceptKeySync(key, sha1);
    return new ClientHandshake(request, { accept, protocols, deflate }, options, now);
  }

  private constructor(
    request: Uint8Array,
    expected: Expected,
    options: ResolvedOptions,
    now: number,
  ) {
    this.#options = options;
    this.#expected = expected;
    this.#reader = new HeadReader("response", options.limits);
    this.#output.push(request);
    this.#deadline = now + options.timeouts.handshake;
  }

  // --- Getters ---

  /**
   * The rule that was broken, or the time that ran out; with the server's answer where it gave a
   * readable one.
   */
  get failure(): HandshakeError | undefined {
    return this.#failure;
  }

  // --- Inputs ---

  /**
   * The transport is there: counts the time for the answer from now, where finding the way took
   * some since `create`.
   */
  begin(now: number): void {
    if (!this.#over) this.#deadline = now + this.#options.timeouts.handshake;
  }

  /**
   * Takes the next bytes from the transport; returns the open connection when they complete the
   * handshake.
   *
   * Its first bytes are in `rest`; what the transport brings from then on is for the connection.
   */
  receive(chunk: Uint8Array, now: number): Opened | undefined {
    if (this.#over) return undefined;
    return this.#refusal === undefined
      ? this.#readHead(chunk, now)
      : this.#readBody(this.#refusal, chunk);
  }

  /** The transport has ended. */
  receiveEnd(_now: number): void {
    if (!this.#over) this.#giveUp("answer-incomplete");
  }

  /** Looks whether the deadline has passed; early calls are harmless. */
  tick(now: number): void {
    if (!this.#over && now >= this.#deadline) this.#giveUp("answer-overdue");
  }

  // --- Outputs ---

  /** The bytes to be written, in order. */
  takeOutput(): Uint8Array[] {
    return this.#output.take();
  }

  /** When `tick` is to be called: milliseconds, `Infinity` for never. */
  get deadline(): number {
    return this.#deadline;
  }

  /**
   * Whether this side writes nothing more, so that the transport is to be ended after the output.
   */
  get outputEnded(): boolean {
    return this.#failure !== undefined;
  }

  // --- Reading ---

  get #over(): boolean {
    return this.#opened || this.#failure !== undefined;
  }

  #readHead(chunk: Uint8Array, now: number): Opened | undefined {
    const bytes = this.#reader.receive(chunk);
    if (bytes === undefined) return undefined;
    const head = typeof bytes === "string" ? bytes : parseResponseHead(bytes);
    if (typeof head === "string") return this.#fail(head);
    const { rest } = this.#reader;
    if (head.status === 101) return this.#open(head, rest, now);
    if (head.status >= 200) return this.#beginRefusal(head, rest);
    // RFC 9110 §15.2: "A client MUST be able to parse one or more 1xx responses received prior to
    // a final response".
    if (++this.#interims > MAX_INTERIMS) return this.#fail("interim-too-many");
    this.#reader = new HeadReader("response", this.#options.limits);
    return this.#readHead(rest, now);
  }

  #open(head: ResponseHead, rest: Uint8Array, now: number): Opened | undefined {
    const agreement = readSwitch(head, this.#expected);
    if (typeof agreement === "string") return this.#fail(agreement, undefined, head);
    const { protocol, extensions, params } = agreement;
    const connection = openConnection("client", this.#options, params, now);
    this.#opened = true;
    this.#deadline = Infinity;
    return { connection, protocol, extensions, rest };
  }

  // RFC 6455 §4.1: with any other status "the client handles the response per HTTP procedures".
  // Here that is: to show it.
  #beginRefusal(head: ResponseHead, rest: Uint8Array): undefined {
    this.#refusal = { head, reader: new BodyReader(responseBodyLength(head)), body: new Pieces() };
    this.#readBody(this.#refusal, rest);
  }

  #readBody(refusal: Refusal, chunk: Uint8Array): undefined {
    const { reader, body } = refusal;
    reader.receive(chunk, body);
    if (reader.done || reader.fault !== undefined || body.size >= MAX_ANSWER_BODY) {
      this.#endRefusal(refusal);
    }
  }

  #endRefusal({ head, body }: Refusal): void {
    const detail = head.statusText === "" ? `${head.status}` : `${head.status} ${head.statusText}`;
    this.#fail("status-not-101", detail, head, body.join().slice(0, MAX_ANSWER_BODY));
  }

  /** Ends the handshake without the rest of the answer; a refusal is clear enough by its head. */
  #giveUp(fault: HandshakeFault): void {
    if (this.#refusal === undefined) this.#fail(fault);
    else this.#endRefusal(this.#refusal);
  }

  #fail(
    fault: HandshakeFault,
    detail?: string,
    head?: ResponseHead,
    body = new Uint8Array(0),
  ): undefined {
    const answer = head
      && { status: head.status, statusText: head.statusText, headers: [...head.headers], body };
    this.#failure = new HandshakeError(fault, detail, answer);
    this.#deadline = Infinity;
  }
}
