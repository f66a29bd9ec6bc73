// What must hold in every run, after every step. `Ledger` watches one direction: what was said and
// what was heard. `Watch` watches one end: its states, its output and its events. Neither knows how
// the run is driven.

import type { ClosedEvent, CloseInfo, Connection, ConnectionEvent } from "sansws/core";
import { type Content, joined, type Message, messageOf, sameBytes } from "./content.ts";
import type { EndSetup } from "./program.ts";

/** A run in which something did not hold. */
export class Broken extends Error {
  override readonly name = "Broken";
}

/** @throws {Broken} */
export function hold(condition: boolean, what: string): asserts condition {
  if (!condition) throw new Broken(what);
}

/** The largest control frame of a client, in bytes. */
const LARGEST_CONTROL = 2 + 4 + 125;

/** The first byte of an unsolicited pong; no ping begins with it. */
export const UNASKED = 0x75;

/** What went one way: messages, and the answers to pings that came the other way. */
export class Ledger {
  /** Messages that are whole. */
  readonly said: Message[] = [];
  /** The parts of one that is not. */
  #parts: Content[] = [];
  /** Those of the last message that was. */
  #lastParts: Content[] = [];
  #heard = 0;
  #pieces: (string | Uint8Array)[] = [];
  /** What was handed over and must stay as it was. */
  readonly #kept: [Uint8Array, Uint8Array][] = [];
  /**
   * Pings that the sender took while it was open, and whether it may leave them out if another
   * follows.
   */
  #owed: [ping: string, optional: boolean][] = [];
  #lastPong = "";

  /** The kind of the message under way, when there is one. */
  get underWay(): "text" | "binary" | undefined {
    return this.#parts[0]?.kind;
  }

  /** How many messages were heard. */
  get heard(): number {
    return this.#heard;
  }

  say(content: Content, final: boolean): void {
    this.#parts.push(content);
    if (!final) return;
    this.said.push(messageOf(this.#parts));
    this.#lastParts = this.#parts;
    this.#parts = [];
  }

  /** The last message was never whole after all. */
  unsay(): void {
    this.said.pop();
    this.#parts = this.#lastParts;
  }

  /** Whether the next message to be heard, as far as it was said, is larger than that. */
  nextExceeds(size: number): boolean {
    const next = this.said[this.#heard] ?? messageOf(this.#parts);
    return next.bytes.length > size;
  }

  hear(event: ConnectionEvent): void {
    if (event.type === "text" || event.type === "utf8" || event.type === "binary") {
      this.#hearMessage(event.data, event.type);
    } else if (event.type === "piece") this.#hearPiece(event);
  }

  #hearMessage(data: string | Uint8Array, type: "text" | "utf8" | "binary"): void {
    const message = this.said[this.#heard];
    hold(message !== undefined, `a ${type} message came that had not been ended`);
    this.#heard++;
    hold(
      message.kind === (type === "binary" ? "binary" : "text"),
      `message ${this.#heard} came as ${type}`,
    );
    if (typeof data === "string") {
      hold(data === message.text, `message ${this.#heard} came with another text`);
    } else {
      hold(sameBytes(data, message.bytes), `message ${this.#heard} came with other bytes`);
      this.#kept.push([data, message.bytes]);
    }
  }

  #hearPiece({ opcode, data, final }: Extract<ConnectionEvent, { type: "piece"; }>): void {
    this.#pieces.push(data);
    hold(data.length > 0 || final, "a piece in the middle of a message is empty");
    if (!final) return;
    const pieces = this.#pieces;
    this.#pieces = [];
    if (typeof data === "string") this.#hearMessage(pieces.join(""), "text");
    else this.#hearMessage(joined(pieces as Uint8Array[]), opcode === "text" ? "utf8" : "binary");
  }

  owe(ping: Uint8Array, optional: boolean): void {
    this.#owed.push([ping.join(), optional]);
  }

  hearPong(payload: Uint8Array): void {
    if (payload[0] === UNASKED) return;
    this.#lastPong = payload.join();
    const index = this.#owed.findIndex(([ping]) => ping === this.#lastPong);
    hold(index !== -1, "a pong came for no ping, or out of order");
    hold(this.#owed.slice(0, index).every(([, optional]) => optional), "a ping was passed over");
    this.#owed.splice(0, index + 1);
  }

  /** After a clean end nothing that was said may be missing. */
  settle(): void {
    hold(
      this.#heard === this.said.length,
      `${this.said.length - this.#heard} messages are missing after a clean end`,
    );
    // Of pings that look alike a single pong may have answered the last.
    const unanswered = this.#owed.filter(([ping, optional]) =>
      !optional || ping !== this.#lastPong
    );
    hold(
      unanswered.length === 0,
      `${unanswered.length} pings were not answered before a clean end`,
    );
  }

  /** Messages are the application's: nothing may have written to them since. */
  checkKept(): void {
    for (const [data, bytes] of this.#kept) {
      hold(sameBytes(data, bytes), "a message changed after it was handed over");
    }
  }
}

/** One end, as its host sees it. */
export class Watch {
  closed: ClosedEvent | undefined;
  readonly #connection: Connection;
  readonly #setup: EndSetup;
  #closeSent: CloseInfo | undefined;
  #rank = 0;
  #ended = false;
  #expired = false;
  #pending = 0;
  /** The peer's Close, or its fault, came behind other things, which may still be answered. */
  #lastWords = false;
  /**
   * Bytes that inputs added to the output since it was taken, and those of them that must be pongs.
   */
  #replies = 0;
  #pongs = 0;
  /** Bytes of a control frame's header: a client's has a mask. */
  readonly #controlHeader: number;
  readonly #client: boolean;

  constructor(connection: Connection, setup: EndSetup, client: boolean) {
    this.#connection = connection;
    this.#setup = setup;
    this.#client = client;
    this.#controlHeader = client ? 6 : 2;
  }

  /**
   * Takes note of a ping that is answered; whether its pong may be left out, because too many wait.
   */
  answered(ping: Uint8Array): boolean {
    if (this.#pongs >= this.#setup.maxPendingReplies) return true;
    this.#pongs += this.#controlHeader + ping.length;
    return false;
  }

  /** Whether a message may be sent now. */
  get maySend(): boolean {
    const { state } = this.#connection;
    return state === "open" || (state === "closing" && this.#lastWords);
  }

  /** After a command that gave the connection at most `size` bytes of content. */
  commanded(size: number): void {
    const before = this.#pending;
    this.#pending = this.#connection.pendingOutput;
    // A frame's header, and what DEFLATE adds to bytes that it cannot compress.
    const most = before + size + size / 1000 + 64;
    hold(this.#pending <= most, `${size} bytes to send made ${this.#pending - before} of output`);
    this.check();
  }

  /** After an input: the events it returned, in order. */
  received(events: readonly ConnectionEvent[]): void {
    const { pendingOutput } = this.#connection;
    hold(
      this.#closeSent === undefined || pendingOutput <= this.#pending,
      "something follows the Close frame",
    );
    const behind = events.filter(({ type }) => type !== "closing").length > 0;
    if (behind && this.#rank === 0 && this.#connection.state === "closing") this.#lastWords = true;
    this.#replies += pendingOutput - this.#pending;
    this.#pending = pendingOutput;
    for (const event of events) {
      hold(this.closed === undefined, `${event.type} came after closed`);
      if (event.type === "closed") this.closed = event;
    }
    const bound = this.#setup.maxPendingReplies + 4 * LARGEST_CONTROL;
    hold(
      this.#replies <= bound,
      `${this.#replies} bytes of replies wait, of ${this.#setup.maxPendingReplies} allowed`,
    );
    this.check();
  }

  /** After the output was taken. */
  took(chunks: readonly Uint8Array[]): void {
    const bytes = chunks.reduce((total, chunk) => total + chunk.length, 0);
    hold(
      bytes === this.#pending,
      `pendingOutput was ${this.#pending}, and ${bytes} bytes were taken`,
    );
    hold(bytes === 0 || !this.#ended, "output came after its end");
    this.#pending = this.#replies = this.#pongs = 0;
    this.#lastWords = false;
    this.#ended = this.#connection.outputEnded;
    this.check();
  }

  /** What holds at any time. */
  check(): void {
    hold(
      this.#connection.canSend === this.maySend,
      `canSend should be ${this.maySend}, ${this.#connection.state}`,
    );
    const { state, closeSent, closeReceived, outputEnded, deadline, expired, pendingOutput } =
      this.#connection;
    const rank = ["open", "closing", "closed"].indexOf(state);
    hold(rank >= this.#rank, `the state went back to ${state}`);
    this.#rank = rank;
    hold(
      state !== "open" || (closeSent ?? closeReceived) === undefined,
      "open, with a Close frame sent or received",
    );
    hold(
      this.#closeSent === undefined || this.#closeSent === closeSent,
      "a second Close frame was sent",
    );
    this.#closeSent = closeSent;
    hold(
      (state === "closed") === (this.closed !== undefined),
      `${state}, and closed was reported: ${this.closed?.cause}`,
    );
    hold(
      state === "open" || expired || deadline < Infinity || this.#setup.close === Infinity,
      `${state}, without a deadline`,
    );
    hold(!expired || (state === "closed" && deadline === Infinity), `expired, but ${state}`);
    // "The client SHOULD wait for the server to close the connection" (§7.1.1), unless one of them
    // has failed it.
    const waits = this.#client && state === "closing" && closeReceived !== undefined;
    hold(!waits || !outputEnded, "the client ends the transport before the server");
    hold(state !== "closed" || outputEnded, "closed, with output still to come");
    hold(outputEnded || !this.#ended, "the output had ended, and has not any more");
    hold(expired || !this.#expired, "it had expired, and has not any more");
    this.#expired = expired;
    hold(pendingOutput === this.#pending, "the output grew by itself");
  }
}

/** What an end says about its end: the event, its Close frames, and the direction it heard. */
export interface Verdict {
  readonly closed: ClosedEvent;
  readonly sent: CloseInfo | undefined;
  readonly received: CloseInfo | undefined;
  readonly ledger: Ledger;
  /** The largest message it takes. */
  readonly limit: number;
}

/** The end of a run: what one end says about it must fit what it heard, and what the other says. */
export function checkOutcome(one: Verdict, other: Verdict, calm: boolean): void {
  const { closed, ledger, limit } = one;
  if (closed.clean) checkClean(one, other);
  checkCause(closed, ledger.nextExceeds(limit), calm, other.closed);
  ledger.checkKept();
}

function checkClean({ closed, received, ledger }: Verdict, other: Verdict): void {
  hold(closed.cause === "peer" || closed.cause === "local", `clean, because of ${closed.cause}`);
  hold(
    received?.code === closed.code && received.reason === closed.reason,
    "closed does not say what the peer said",
  );
  const { sent } = other;
  hold(
    sent?.code === closed.code,
    `closed cleanly with ${closed.code}, but the peer sent ${sent?.code}`,
  );
  hold(
    sent.reason === closed.reason,
    `closed cleanly with "${closed.reason}", but the peer sent "${sent.reason}"`,
  );
  ledger.settle();
  const crossing = closed.cause === "local" && other.closed.cause === "local";
  if (!other.closed.clean || crossing) return;
  hold(
    closed.code === other.closed.code,
    `both ends are clean, with ${closed.code} and ${other.closed.code}`,
  );
}

function checkCause(closed: ClosedEvent, tooBig: boolean, calm: boolean, other: ClosedEvent): void {
  const violation = closed.error !== undefined && "violation" in closed.error
    ? closed.error.violation
    : undefined;
  if (closed.cause === "violation") {
    hold(
      violation === "message-too-big" && tooBig,
      `two right ends, and a violation: ${violation}`,
    );
  } else if (closed.cause === "timeout") {
    hold(!calm, `nothing was late, and a timeout: ${violation ?? "close"}`);
  } else if (closed.cause === "lost") {
    hold(!calm || other.cause === "violation", "nothing was lost, and the connection is");
    hold(closed.code === 1006, `lost, with ${closed.code}`);
  }
}
