// What must hold for a connection whatever bytes come: it never throws, it ends, it holds and says
// no more than its limits allow, and where the stream is cut, or whose the memory of the chunks is,
// makes no difference to what it reports or writes.

import { Connection, type ConnectionEvent, ProtocolError } from "sansws/core";
import { content, join } from "../core/support.ts";
import { type Case, chunksOf, readCase } from "./case.ts";

/** What a connection made of a stream. */
export interface Outcome {
  /** One line for each event; the pieces of a message make one line, when the last has come. */
  readonly events: readonly string[];
  /** The frames it wrote, in hex. */
  readonly output: string;
}

// Compressed text that is handed over in pieces is checked as it is inflated, and how far a chunk
// inflates before another fault of the message comes depends on the cut. Then, and only then, it is
// open which of them is reported.
const FAULTS_OF_COMPRESSED_TEXT = ["deflate-corrupt", "message-too-big", "text-not-utf8"];

/** The longest stream that is also taken byte by byte. */
const SINGLY_UP_TO = 2000;

/**
 * Checks everything there is to check about an input. @throws {Error} for the first thing that does
 * not hold
 */
export function checkConnection(input: Uint8Array): void {
  const given = readCase(input);
  const whole = observe(given, [given.stream.length], "given");
  same(whole, observe(given, given.sizes, "lent"), "cut by the input");
  if (given.stream.length <= SINGLY_UP_TO) {
    same(whole, observe(given, [1], "given"), "byte by byte");
  }
}

function same(whole: Outcome, cut: Outcome, how: string): void {
  const differ = whole.events.length !== cut.events.length
    || whole.events.some((event, i) => event !== cut.events[i]);
  hold(
    !differ,
    `events differ ${how}:\n  ${whole.events.join("\n  ")}\nand\n  ${cut.events.join("\n  ")}`,
  );
  hold(
    whole.output === cut.output,
    `output differs ${how}:\n  ${whole.output}\nand\n  ${cut.output}`,
  );
}

function hold(condition: boolean, what: string): void {
  if (!condition) throw new Error(what);
}

/** Gives the stream to a fresh connection. */
export function observe(given: Case, sizes: readonly number[], memory: "given" | "lent"): Outcome {
  const connection = new Connection(given.options(memory), 0);
  const events: ConnectionEvent[] = [];
  for (const chunk of chunksOf(given.stream, sizes)) {
    events.push(...connection.receive(chunk, 0));
    // What was only lent is written over by the next read.
    if (memory === "lent") chunk.fill(0xee);
  }
  const output = connection.takeOutput();
  events.push(...connection.receiveEnd(0));
  hold(
    connection.state === "closed" && connection.takeOutput().length === 0,
    "the end of the transport is not the end",
  );
  checkEvents(events, given);
  const frames = unmasked(output, given);
  if (!given.pieces || !given.compressed || !isFaultOfCompressedText(events.at(-1))) {
    return { events: lines(events), output: frames.join(" ") };
  }
  return { events: lines(events.slice(0, -1)), output: frames.slice(0, -1).join(" ") };
}

function isFaultOfCompressedText(event: ConnectionEvent | undefined): boolean {
  const error = event?.type === "closed" ? event.error : undefined;
  return error instanceof ProtocolError && FAULTS_OF_COMPRESSED_TEXT.includes(error.violation);
}

function checkEvents(
  events: readonly ConnectionEvent[],
  { stream, compressed, maxMessageSize }: Case,
): void {
  let received = 0;
  for (const [index, event] of events.entries()) {
    hold(
      (event.type === "closed") === (index === events.length - 1),
      `${event.type} is event ${index} of ${events.length}`,
    );
    if (!("data" in event)) continue;
    received += event.data.length;
    hold(
      event.type === "ping" || event.type === "pong" || event.data.length <= maxMessageSize,
      "a message beyond the limit",
    );
  }
  hold(compressed || received <= stream.length, `${received} bytes came out of ${stream.length}`);
}

function lines(events: readonly ConnectionEvent[]): string[] {
  const lines: string[] = [];
  let parts: (string | Uint8Array)[] = [];
  for (const event of events) {
    if (event.type === "piece") {
      parts.push(event.data);
      if (!event.final) continue;
      const whole = typeof event.data === "string" ? parts.join("") : join(parts as Uint8Array[]);
      if (event.opcode === "text") checkText(whole);
      lines.push(`${event.opcode} in pieces ${content(whole)}`);
      parts = [];
    } else if ("data" in event) {
      if (event.type === "utf8") checkText(event.data);
      lines.push(`${event.type} ${content(event.data)}`);
    } else {
      lines.push(`${event.type} ${event.code} ${event.reason}`);
    }
  }
  const last = events.at(-1);
  if (last?.type === "closed") {
    lines.push(`${last.cause} ${last.clean} ${last.error?.message ?? ""}`);
  }
  return lines;
}

const decoder = new TextDecoder("utf-8", { fatal: true });

/** Text that is handed over as bytes is UTF-8. @throws {TypeError} when it is not */
function checkText(text: string | Uint8Array): void {
  if (typeof text !== "string") decoder.decode(text);
}

/**
 * A frame's header and its payload without the mask, for all frames of the output: a client's masks
 * are random.
 */
function unmasked(chunks: readonly Uint8Array[], { stream, role }: Case): string[] {
  const bytes = chunks.flatMap((chunk) => [...chunk]);
  // The shortest ping has two bytes, and its pong from a client six; behind them comes one Close
  // frame.
  hold(
    bytes.length <= 3 * stream.length + 131,
    `${stream.length} bytes came, and ${bytes.length} were written`,
  );
  const frames: string[] = [];
  for (let at = 0; at < bytes.length;) {
    hold(
      (bytes[at + 1]! >= 0x80) === (role === "client"),
      "a frame is masked, or not, against the rule",
    );
    const size = bytes[at + 1]! & 0x7f;
    hold(size <= 125 && (bytes[at]! & 0xf8) === 0x88, "a reply that is no control frame");
    const key = role === "client" ? bytes.slice(at + 2, at + 6) : [0, 0, 0, 0];
    const start = at + 2 + (role === "client" ? 4 : 0);
    const payload = bytes.slice(start, start + size).map((byte, index) => byte ^ key[index & 3]!);
    frames.push(`${bytes[at]}:${payload.join()}`);
    at = start + size;
  }
  return frames;
}
