// What must hold for both opening handshakes whatever bytes come: they never throw, report exactly one
// event, answer at most once and with a well-formed head, and expire after a failure. The cuts of the
// stream make no difference.
//
//    flags | count of sizes | sizes … | stream

import {
  ClientHandshake,
  type ClientHandshakeEvent,
  ServerHandshake,
  type ServerHandshakeEvent,
} from "sansws/core";
import { deflateCodec } from "../../adapters/deflate.ts";
import { HANDSHAKE_FAULTS } from "../../core/faults.ts";
import { join } from "../core/support.ts";
import { chunksOf } from "./case.ts";

/** The bits of the first byte. */
const FLAG = { smallLimits: 1, deflate: 2, protocols: 4 } as const;

/** The client's key, and the accept value that it wants, so that an input can hold it. */
export const KEY = "AAAAAAAAAAAAAAAAAAAAAA==";
export const ACCEPT = "AAAAAAAAAAAAAAAAAAAAAAAAAAA=";

const TIMEOUT = 1000;
const PATIENT = { maxHeadSize: 16_384, maxLineLength: 8192, maxFields: 128 };
const IMPATIENT = { maxHeadSize: 200, maxLineLength: 60, maxFields: 6 };

/** The longest stream that is also taken byte by byte. */
const SINGLY_UP_TO = 1500;

interface Input {
  readonly flags: number;
  readonly sizes: readonly number[];
  readonly stream: Uint8Array;
}

type Observe = (input: Input, sizes: readonly number[]) => readonly string[];

function readInput(input: Uint8Array): Input {
  const count = (input[1] ?? 0) & 0x0f;
  return {
    flags: input[0] ?? 0,
    sizes: [...input.subarray(2, 2 + count)],
    stream: input.slice(2 + count),
  };
}

/**
 * Checks what a server makes of an input. @throws {Error} for the first thing that does not hold
 */
export function checkServer(input: Uint8Array): void {
  check(readInput(input), observeServer);
}

/**
 * Checks what a client makes of an input. @throws {Error} for the first thing that does not hold
 */
export function checkClient(input: Uint8Array): void {
  check(readInput(input), observeClient);
}

function check(input: Input, observe: Observe): void {
  const whole = observe(input, [input.stream.length]).join("\n");
  const ways: [string, readonly number[]][] = [["cut by the input", input.sizes]];
  if (input.stream.length <= SINGLY_UP_TO) ways.push(["byte by byte", [1]]);
  for (const [way, sizes] of ways) {
    const cut = observe(input, sizes).join("\n");
    hold(whole === cut, `it differs ${way}:\n${whole}\nand\n${cut}`);
  }
}

function hold(condition: boolean, what: string): asserts condition {
  if (!condition) throw new Error(what);
}

function optionsOf({ flags }: Input) {
  return {
    limits: (flags & FLAG.smallLimits) !== 0 ? IMPATIENT : PATIENT,
    timeouts: { handshake: TIMEOUT },
    deflate: (flags & FLAG.deflate) !== 0 ? { codec: deflateCodec } : undefined,
  };
}

function observeServer(input: Input, sizes: readonly number[]): readonly string[] {
  const handshake = new ServerHandshake(optionsOf(input), 0);
  const events: ServerHandshakeEvent[] = [];
  for (const chunk of chunksOf(input.stream, sizes)) {
    events.push(...handshake.receive(chunk, 0).filter(({ type }) => type !== "early"));
    // A lent chunk is overwritten by the next read.
    chunk.fill(0xee);
  }
  const [first] = events;
  const seen: string[] = [];
  if (first?.type === "upgrade") {
    const opened = handshake.accept({ protocol: first.request.protocols[0] }, ACCEPT)!;
    seen.push(...describe(first.request), opened.protocol, opened.extensions, text(opened.rest));
  } else if (first?.type === "request") {
    seen.push(...describe(first.request));
    hold(handshake.deadline === Infinity && handshake.pendingOutput === 0, "a request waits");
  } else if (first === undefined) events.push(...handshake.receiveEnd(0));
  events.push(...handshake.receiveEnd(0), ...handshake.tick(TIMEOUT), ...handshake.tick(1e6));
  hold(events.length === 1, `${events.length} events`);
  hold(handshake.deadline === Infinity, "a deadline behind the last one");
  const event = events[0]!;
  hold(handshake.expired === (event.type === "failed"), `expired: ${handshake.expired}`);
  const output = text(join(handshake.takeOutput()));
  checkAnswer(event, output, input.stream.length > 0);
  return [...seen, event.type === "failed" ? `${event.error}` : event.type, output];
}

/** What is written is one answer that fits the event; another request is the host's to answer. */
function checkAnswer(event: ServerHandshakeEvent, output: string, begun: boolean): void {
  let expected = "";
  if (event.type === "upgrade") expected = "101";
  if (event.type === "failed" && begun) {
    expected = String(HANDSHAKE_FAULTS[event.error.fault].status);
  }
  hold(
    output.slice(9, 12) === expected,
    `${event.type} should be answered with ${expected}: ${output}`,
  );
  checkHead(output);
}

/** Every line of a head is a field. */
function checkHead(output: string): void {
  if (output === "") return;
  const [first, ...fields] = output.slice(0, output.indexOf("\r\n\r\n")).split("\r\n");
  hold(/^HTTP\/1\.1 \d{3} [ -~]*$/.test(first!), `a status line: ${first}`);
  for (const field of fields) hold(/^[\w-]+: [\t -~\x80-\xff]*$/.test(field), `a field: ${field}`);
}

function observeClient(input: Input, sizes: readonly number[]): readonly string[] {
  const protocols = (input.flags & FLAG.protocols) !== 0 ? ["chat", "superchat"] : [];
  const url = new URL("ws://server.example.com/chat");
  const options = { ...optionsOf(input), key: KEY, accept: ACCEPT, protocols };
  const handshake = new ClientHandshake(url, options, 0);
  handshake.takeOutput();
  const events: ClientHandshakeEvent[] = [];
  const rest: Uint8Array[] = [];
  for (const chunk of chunksOf(input.stream, sizes)) {
    const open = events[0]?.type === "opened";
    const received = handshake.receive(chunk, 0);
    events.push(...received);
    if (open) rest.push(chunk.slice());
    for (const event of received) if (event.type === "opened") rest.push(event.rest.slice());
    chunk.fill(0xee);
  }
  events.push(...handshake.receiveEnd(0), ...handshake.tick(TIMEOUT));
  hold(events.length === 1, `${events.length} events`);
  hold(handshake.takeOutput().length === 0, "a client writes nothing after its request");
  const event = events[0]!;
  const failed = event.type === "failed";
  hold(handshake.deadline === Infinity && handshake.expired === failed, "it has not ended");
  if (!failed) return [event.protocol, event.extensions, text(join(rest))];
  const { answer } = event.error;
  const seen = answer === undefined ? [] : [...describe(answer), text(answer.body)];
  return [...seen, `${event.error}`];
}

interface Head {
  readonly headers: Iterable<readonly [string, string]>;
}

/** All that a head says, in lines. */
function describe(head: Head): string[] {
  const { headers, ...rest } = head;
  return [JSON.stringify(rest), JSON.stringify([...headers])];
}

function text(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return text;
}
