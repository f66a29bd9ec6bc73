// Runs a program with a real server and a real client of the runtime it finds itself on, through
// the proxy. Its invariants are those of the simulation, as far as an application can see them; its
// times are a fraction of the program's.

import type { Handlers, Message, MessageKind, PreparedMessage, Socket } from "sansws";
import { connect, prepareBinary, prepareText, serve } from "sansws";
import type { ClosedEvent, CloseInfo, ConnectionEvent } from "sansws/core";
import type { CommonOptions } from "../../adapters/host/options.ts";
import { decodeClose, encodeClose } from "../../core/close.ts";
import { type Content, produce } from "./content.ts";
import { checkOutcome, hold, Ledger, type Verdict } from "./invariants.ts";
import type { LinkSetup } from "./link.ts";
import { type Action, type EndSetup, isCalm, type Program } from "./program.ts";
import { type Proxy, startProxy } from "./proxy.ts";

/**
 * The program's milliseconds for one of ours; no step waits longer than `LONGEST_WAIT`.
 */
const HASTE = 50;
const LONGEST_WAIT = 30;
const LONGEST_STALL = 300;
/**
 * How long this side waits for a Close frame, or a pong, in a run where things go wrong: longer
 * than a busy machine sleeps.
 */
const PATIENT_TIMEOUT = 1500;
/** Both ends must have closed so long after the last step. */
const PATIENCE = 12_000;

/** What a run came to. */
export interface RealReport {
  readonly messages: number;
  readonly outcomes: readonly string[];
}

/** One end, as its application sees it. */
class RealEnd {
  socket: Socket | undefined;
  closed: ClosedEvent | undefined;
  readonly says: Ledger;
  readonly hears: Ledger;
  readonly handlers: Handlers;
  /**
   * The first thing that did not hold: handlers must not throw it, or it would close the socket.
   */
  failure: unknown;
  /** The Close frame that this end sent: its own, or the echo. */
  #sent: CloseInfo | undefined;
  #stream: PartSource | undefined;
  #sending: Promise<void> = Promise.resolve();

  constructor(setup: EndSetup, says: Ledger, hears: Ledger) {
    this.says = says;
    this.hears = hears;
    this.handlers = {
      open: (socket) => this.socket = socket,
      ...(setup.messages === "pieces"
        ? { piece: (_, data, final, opcode) => this.#hear({ type: "piece", opcode, data, final }) }
        : { message: (_, data, kind) => this.#hear(eventOf(data, kind)) }),
      closing: (_, code, reason) => {
        this.#sent = { code, reason };
      },
      close: (_, closed) =>
        this.#guard(() => {
          hold(this.closed === undefined, "a second close");
          this.closed = closed;
        }),
      error: (error) => {
        this.failure ??= error;
      },
    };
  }

  #hear(event: ConnectionEvent): void {
    this.#guard(() => {
      hold(this.closed === undefined, `${event.type} came after close`);
      this.hears.hear(event);
    });
  }

  #guard(check: () => void): void {
    try {
      check();
    } catch (error) {
      this.failure ??= error;
    }
  }

  perform(
    action: Action,
    prepared: readonly PreparedMessage[],
    contents: readonly Content[],
    out: Proxy["up"],
  ): void {
    const socket = this.socket!;
    if (action.do === "stall") out.stall(Math.min(LONGEST_STALL, action.milliseconds / HASTE));
    else if (action.do === "cut") out.breakAfter(action.after, action.fault);
    else if (action.do === "pause") socket.pause();
    else if (action.do === "resume") socket.resume();
    else if (action.do === "abort") socket.abort();
    else if (action.do === "ping") socket.ping(new Uint8Array(action.size));
    else if (action.do === "close") {
      this.close(action.code, action.code === 1005 ? "" : action.reason);
    } else if (action.do === "fragment") {
      this.#sendFragment(action.content, action.final, action.compress);
    } else if (action.do === "send") {
      this.#send(produce(action.content), action.content, action.compress);
    } else if (action.do === "prepared") {
      this.#send(prepared[action.index]!, contents[action.index]!, true);
    }
  }

  close(code: number, reason: string): void {
    // What the frame holds: a long reason is cut.
    if (this.socket!.state === "open") {
      this.#sent = decodeClose(encodeClose(code, reason)) as CloseInfo;
    }
    this.socket!.close(code, reason);
  }

  #send(data: string | Uint8Array | PreparedMessage, content: Content, compress: boolean): void {
    // Nothing goes behind a message that is under way: if that one fails, so does what waits for
    // it, and the sender is not told.
    if (this.#stream !== undefined) return;
    if (this.socket!.send(data, { compress }) !== "dropped") this.says.say(content, true);
  }

  /** The fragments of a message are the parts of a stream. */
  #sendFragment(content: Content, final: boolean, compress: boolean): void {
    if (this.#stream === undefined) {
      if (this.socket!.state !== "open") return;
      const stream = this.#stream = new PartSource();
      const { length } = this.says.said;
      // It fails when the socket closes before its end has left.
      const unsay = (): void => {
        if (this.says.said.length > length && this.says.heard <= length) this.says.unsay();
      };
      this.#sending = this.socket!.sendStream(stream.parts(), { compress }).catch(unsay).then(
        () => {
          this.#stream = undefined;
        },
      );
    } else if (this.#stream.ended || this.#stream.kind !== content.kind) {
      return;
    }
    this.says.say(content, final);
    this.#stream.put(content, final);
  }

  /** Once the socket is closed: lets go of what still waits to be sent on it. */
  async settle(): Promise<void> {
    this.#stream?.leave();
    await this.#sending;
  }

  verdict(limit: number): Verdict {
    const closed = this.closed!;
    const { code, reason, cause } = closed;
    // What failed the connection was sent as its code.
    const sent = this.#sent
      ?? (cause === "violation" || cause === "timeout" ? { code, reason } : undefined);
    return { closed, sent, received: { code, reason }, ledger: this.hears, limit };
  }
}

/** Parts of a message that come one by one. */
class PartSource {
  kind: Content["kind"] | undefined;
  ended = false;
  readonly #parts: Content[] = [];
  #wake: (() => void) | undefined;

  put(content: Content, final: boolean): void {
    this.kind = content.kind;
    this.#parts.push(content);
    this.ended = final;
    this.#wake?.();
  }

  leave(): void {
    this.ended = true;
    this.#wake?.();
  }

  async *parts(): AsyncGenerator<Message> {
    while (!this.ended || this.#parts.length > 0) {
      const next = this.#parts.shift();
      if (next !== undefined) yield produce(next);
      else await new Promise<void>((resolve) => this.#wake = resolve);
    }
  }
}

function eventOf(data: Message, kind: MessageKind): ConnectionEvent {
  if (typeof data === "string") return { type: "text", data };
  return kind === "text" ? { type: "utf8", data } : { type: "binary", data };
}

/** Runs the program to its end. @throws {Broken} when something does not hold */
export async function runReal(program: Program): Promise<RealReport> {
  const [toServer, toClient] = [new Ledger(), new Ledger()];
  const near = new RealEnd(program.client, toServer, toClient);
  const far = new RealEnd(program.server, toClient, toServer);
  const server = await serve({
    port: 0,
    hostname: "127.0.0.1",
    ...far.handlers,
    ...optionsOf(program, "server"),
  });
  const proxy = await startProxy(server.address.port!, linkOf(program));
  try {
    await connect(`ws://127.0.0.1:${proxy.port}/`, {
      ...near.handlers,
      ...optionsOf(program, "client"),
    });
    await until(() => far.socket !== undefined, "the server's end is open");
    await perform(program, { client: near, server: far }, proxy);
    await finish([near, far]);
  } finally {
    proxy.close();
    await server.close({ deadline: 0 });
  }
  checkOutcome(
    near.verdict(program.client.maxMessageSize),
    far.verdict(program.server.maxMessageSize),
    isCalm(program),
  );
  checkOutcome(
    far.verdict(program.server.maxMessageSize),
    near.verdict(program.client.maxMessageSize),
    isCalm(program),
  );
  return {
    messages: toServer.heard + toClient.heard,
    outcomes: [near.closed!.cause, far.closed!.cause],
  };
}

async function perform(
  program: Program,
  ends: Record<"client" | "server", RealEnd>,
  proxy: Proxy,
): Promise<void> {
  const prepared = program.prepared.map((content) => {
    const data = produce(content);
    return typeof data === "string" ? prepareText(data) : prepareBinary(data);
  });
  for (const { wait, by, action } of program.steps) {
    if (wait > 0) await sleep(Math.min(LONGEST_WAIT, wait / HASTE));
    ends[by].perform(action, prepared, program.prepared, by === "client" ? proxy.up : proxy.down);
  }
}

/** After the program: both ends read again, and the client ends it. */
async function finish(ends: readonly [RealEnd, RealEnd]): Promise<void> {
  for (const end of ends) end.socket!.resume();
  ends[0].close(1000, "");
  await until(() => ends.every((end) => end.closed !== undefined), "both ends are closed");
  for (const end of ends) {
    await end.settle();
    if (end.failure !== undefined) throw end.failure;
  }
}

function optionsOf(program: Program, role: "client" | "server"): CommonOptions {
  const { text, maxMessageSize, maxPendingReplies, pingInterval } = program[role];
  const patience = isCalm(program) ? Infinity : PATIENT_TIMEOUT;
  return {
    text,
    limits: { maxMessageSize, maxPendingReplies },
    timeouts: {
      pingInterval: Math.max(20, pingInterval / HASTE),
      pongTimeout: patience,
      close: patience,
    },
    deflate: deflateOf(program, role),
  };
}

function deflateOf({ deflate }: Program, role: "client" | "server"): CommonOptions["deflate"] {
  if (deflate === undefined) return false;
  const own = role === "client" ? 0 : 1;
  // A client is told to use 8 bits; none chooses to.
  const [windowBits, peerWindowBits] = [
    Math.max(9, deflate.windowBits[own]!),
    deflate.windowBits[1 - own]!,
  ];
  return {
    windowBits,
    peerWindowBits,
    takeover: deflate.takeover[own]!,
    threshold: deflate.threshold,
  };
}

function linkOf({ link }: Program): LinkSetup {
  return { ...link, latency: link.latency / HASTE, jitter: link.jitter / HASTE };
}

function sleep(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

async function until(condition: () => boolean, what: string): Promise<void> {
  const end = performance.now() + PATIENCE;
  while (!condition()) {
    hold(performance.now() < end, `waited in vain until ${what}`);
    await sleep(2);
  }
}
