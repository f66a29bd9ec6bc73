// Runs a program: two connections as their hosts would drive them, a link each way, and one virtual
// clock that moves to the earliest thing there is to do. Everything is decided by the program, so
// the same program gives the same run.

import type { ConnectionEvent, PreparedMessage } from "sansws/core";
import { prepareBinary, prepareText, UsageError } from "sansws/core";
import { joined, produce } from "./content.ts";
import { End } from "./end.ts";
import { checkOutcome, hold, Ledger, UNASKED, type Verdict } from "./invariants.ts";
import { intactAround, Link } from "./link.ts";
import { type Action, isCalm, type Program, type Step } from "./program.ts";

/** What a run came to. */
export interface Report {
  /** Equal for equal runs: a digest of every event and its time. */
  readonly digest: number;
  readonly messages: number;
  readonly bytes: number;
  /** Virtual milliseconds. */
  readonly duration: number;
  readonly outcomes: readonly string[];
}

/** Both ends must have closed so long after the last step. */
const PATIENCE = 300_000;
/** More than any program needs; a run that takes more turns without end. */
const MOST_TURNS = 1_000_000;

/** What pings consist of, but for a number: no keep-alive ping begins so. */
const PING = 0x70;

/** What lent memory is filled with once it is used up. */
const OVERWRITTEN = 0xee;

/** A Close frame, with the pong that goes before it. */
const LARGEST_CLOSE = 2 * 131;

/** Runs the program to its end. @throws {Broken} when something does not hold on the way */
export function run(program: Program): Report {
  return new Pair(program).run();
}

class Pair {
  readonly #program: Program;
  readonly #ends: readonly [End, End];
  readonly #prepared: readonly PreparedMessage[];
  #now = 0;
  #next = 0;
  #stepAt: number;
  /** When the last step was done. */
  #lastly = 0;
  #digest = 0;

  constructor(program: Program) {
    this.#program = program;
    const up = new Link(program.link, 0), down = new Link(program.link, 1);
    const toServer = new Ledger(), toClient = new Ledger();
    this.#ends = [
      new End("client", program, [up, down], [toServer, toClient]),
      new End("server", program, [down, up], [toClient, toServer]),
    ];
    this.#prepared = program.prepared.map((content) => {
      const data = produce(content);
      return typeof data === "string" ? prepareText(data) : prepareBinary(data);
    });
    this.#stepAt = program.steps[0]?.wait ?? 0;
  }

  run(): Report {
    for (let turns = 0; this.#ends.some((end) => end.watch.closed === undefined); turns++) {
      hold(turns < MOST_TURNS, `no end after ${turns} turns`);
      this.#turn();
    }
    this.#checkEnd();
    const said = this.#ends.flatMap((end) => end.hears.said.slice(0, end.hears.heard));
    const [client, server] = this.#ends;
    return {
      digest: this.#digest >>> 0,
      messages: said.length,
      bytes: said.reduce((total, { bytes }) => total + bytes.length, 0),
      duration: this.#now,
      outcomes: [client.watch.closed!.cause, server.watch.closed!.cause],
    };
  }

  /** Moves the clock to the earliest thing there is to do, and does it. */
  #turn(): void {
    let at = this.#stepAt;
    let act = (): void => this.#nextStep();
    for (const end of this.#ends) {
      if (end.over || (end.endedIn && end.endedOut)) continue;
      const arrival = end.paused ? end.in.resetAt : end.in.readableAt;
      if (arrival < at) [at, act] = [arrival, () => this.#arrive(end)];
      const alarm = this.#alarm(end);
      if (alarm < at) [at, act] = [alarm, () => this.#wake(end)];
    }
    hold(at < Infinity, "an end waits for something that will not come");
    this.#now = Math.max(this.#now, at);
    hold(
      this.#next < this.#program.steps.length || this.#now < this.#lastly + PATIENCE,
      "the run takes too long",
    );
    act();
    for (const end of this.#ends) this.#flush(end);
  }

  #alarm(end: End): number {
    return end.connection.deadline - end.skew + this.#program[end.role].lateness;
  }

  // --- The program ---

  #nextStep(): void {
    const step = this.#program.steps[this.#next++];
    if (step === undefined) return this.#finale();
    this.#lastly = this.#now;
    this.#perform(step);
    this.#stepAt = this.#now + (this.#program.steps[this.#next]?.wait ?? 0);
  }

  /** After the program: both ends read again, and the client ends it. */
  #finale(): void {
    for (const end of this.#ends) end.paused = false;
    const [client] = this.#ends;
    client.connection.close(1000, "", this.#now + client.skew);
    client.watch.commanded(LARGEST_CLOSE);
    this.#stepAt = Infinity;
  }

  #perform({ by, action }: Step): void {
    const end = this.#ends[by === "client" ? 0 : 1];
    if (end.over) return;
    if (action.do === "pause" || action.do === "resume") end.paused = action.do === "pause";
    else if (action.do === "stall") end.out.stall(this.#now, action.milliseconds);
    else if (action.do === "jump") end.skew += action.milliseconds;
    else if (action.do === "cut") end.out.breakAfter(action.after, action.fault, this.#now);
    else if (action.do === "abort") this.#lose(end, new Error("aborted"));
    else this.#command(end, action);
  }

  /** A command throws `UsageError` exactly when it may not be given. */
  #command(end: End, action: Action): void {
    const legal = this.#isLegal(end, action);
    try {
      this.#give(end, action);
      hold(
        legal,
        `${action.do} was taken, ${end.connection.state}, with ${end.says.underWay} under way`,
      );
    } catch (error) {
      if (!(error instanceof UsageError) || legal) throw error;
      return end.watch.commanded(0);
    }
    end.watch.commanded(this.#sizeOf(action));
    if (action.do === "send") end.says.say(action.content, true);
    else if (action.do === "fragment") end.says.say(action.content, action.final);
    else if (action.do === "prepared") end.says.say(this.#program.prepared[action.index]!, true);
  }

  /** Bytes, at most: a UTF-16 code unit takes three. */
  #sizeOf(action: Action): number {
    if (action.do === "close") return LARGEST_CLOSE;
    if (action.do === "ping" || action.do === "pong") return action.size;
    const content = action.do === "prepared"
      ? this.#program.prepared[action.index]
      : "content" in action
      ? action.content
      : undefined;
    return content === undefined ? 0 : content.size * 3 + 3;
  }

  #isLegal({ connection, says }: End, action: Action): boolean {
    if (action.do === "close") return true;
    if (!connection.canSend) return false;
    if (action.do === "fragment") {
      return says.underWay === undefined || says.underWay === action.content.kind;
    }
    return says.underWay === undefined || action.do === "ping" || action.do === "pong";
  }

  #give({ connection, skew }: End, action: Action): void {
    if (action.do === "send") {
      const data = produce(action.content);
      if (typeof data === "string") connection.sendText(data, { compress: action.compress });
      else connection.sendBinary(data, { compress: action.compress });
    } else if (action.do === "fragment") {
      connection.sendFragment(produce(action.content), action.final, { compress: action.compress });
    } else if (action.do === "prepared") {
      connection.sendPrepared(this.#prepared[action.index]!);
    } else if (action.do === "ping") {
      connection.ping(
        Uint8Array.from({ length: action.size }, (_, index) => index === 1 ? this.#next : PING),
      );
    } else if (action.do === "pong") {
      connection.pong(new Uint8Array(action.size + 1).fill(UNASKED).subarray(0, 125));
    } else if (action.do === "close") {
      connection.close(action.code, action.code === 1005 ? "" : action.reason, this.#now + skew);
    }
  }

  // --- What the host does ---

  #arrive(end: End): void {
    const arrival = end.in.read(this.#now);
    const now = this.#now + end.skew;
    if (arrival === undefined) return;
    if (arrival === "reset") return this.#lose(end, new Error("reset"));
    if (arrival === "end") {
      end.endedIn = true;
      return this.#take(end, end.connection.receiveEnd(now), false);
    }
    if (now < end.connection.deadline) this.#tickEarly(end, now);
    const open = end.connection.state === "open";
    const events = end.connection.receive(arrival, now);
    hold(intactAround(arrival), "something was written around a chunk");
    // Lent memory is overwritten by the next read.
    if (this.#program[end.role].chunks === "lent") arrival.fill(OVERWRITTEN);
    this.#take(end, events, open);
  }

  #wake(end: End): void {
    const now = this.#now + end.skew;
    if (end.paused) end.connection.noteActivity();
    this.#take(end, end.connection.tick(now), false);
    hold(end.connection.deadline > now, "the deadline is not later than the tick that it was for");
    if (end.connection.expired) this.#giveUp(end);
  }

  /** "A call before the deadline changes nothing." */
  #tickEarly({ connection, watch }: End, now: number): void {
    const { deadline, pendingOutput } = connection;
    const events = connection.tick(now);
    hold(
      events.length === 0 && connection.pendingOutput === pendingOutput,
      "an early tick did something",
    );
    watch.check();
    hold(connection.deadline === deadline, "an early tick moved the deadline");
  }

  #lose(end: End, error: Error): void {
    this.#take(end, end.connection.receiveEnd(this.#now + end.skew, error), false);
    this.#giveUp(end);
  }

  #giveUp(end: End): void {
    end.over = true;
    end.out.reset(this.#now);
  }

  #flush(end: End): void {
    const { connection, watch, out } = end;
    if (end.over || end.endedOut || !out.writable) return;
    const chunks = connection.takeOutput();
    watch.took(chunks);
    if (chunks.length > 0) out.write(joined(chunks), this.#now);
    // Owned chunks are the host's, to do with as it likes. The other end may still have to send the
    // same prepared message.
    if (end.output === "owned") { for (const chunk of chunks) chunk.fill(OVERWRITTEN); }
    if (!connection.outputEnded) return;
    out.end(this.#now);
    end.endedOut = true;
  }

  /** Enters the events into the ledgers. */
  #take(end: End, events: readonly ConnectionEvent[], answers: boolean): void {
    end.watch.received(events);
    for (const event of events) {
      this.#trace(end, event);
      if (event.type === "ping" && answers) {
        end.says.owe(event.data, end.watch.answered(event.data));
      } else if (event.type === "pong") end.hears.hearPong(event.data);
      else end.hears.hear(event);
      // Its payload is the application's now, and the answer must not depend on what becomes of it.
      if (event.type === "ping") event.data.fill(0);
    }
  }

  #trace(end: End, event: ConnectionEvent): void {
    const size = "data" in event ? event.data.length : event.code;
    for (
      const value of [
        this.#now * 8,
        end.role.length,
        event.type.length,
        event.type.charCodeAt(1),
        size,
      ]
    ) {
      this.#digest = Math.imul(this.#digest ^ value, 0x0100_0193);
    }
  }

  // --- The end ---

  #checkEnd(): void {
    const calm = isCalm(this.#program);
    const [client, server] = this.#ends.map((end) => this.#verdict(end));
    checkOutcome(client!, server!, calm);
    checkOutcome(server!, client!, calm);
  }

  #verdict(end: End): Verdict {
    this.#checkDead(end);
    const { connection, watch, hears: ledger } = end;
    const { closeSent: sent, closeReceived: received } = connection;
    return {
      closed: watch.closed!,
      sent,
      received,
      ledger,
      limit: this.#program[end.role].maxMessageSize,
    };
  }

  /** Nothing that comes after `closed` has an effect. */
  #checkDead({ connection, watch, skew }: End): void {
    const now = this.#now + skew + 1e9;
    watch.took(connection.takeOutput());
    watch.received(connection.tick(now));
    watch.received(
      connection.receive(Uint8Array.of(0x81, 0x81, 0, 0, 0, 0, 0x41, 0x81, 0x01, 0x41), now),
    );
    watch.received(connection.receiveEnd(now, new Error("again")));
    connection.close(1000, "", now);
    hold(connection.pendingOutput === 0, "a closed connection wrote something");
  }
}
