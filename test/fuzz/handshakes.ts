// What must hold for both opening handshakes whatever bytes come: they never throw, answer at most
// once and with a well-formed head, end by their deadline, and where the head is cut makes no
// difference to what they make of it.
//
//    flags | count of sizes | sizes … | stream

import { ClientHandshake, ServerHandshake } from "sansws/core";
import { deflateCodec } from "../../adapters/deflate.ts";
import { HANDSHAKE_FAULTS } from "../../core/handshake/faults.ts";
import { join } from "../core/support.ts";
import { chunksOf } from "./case.ts";

/** The bits of the first byte. */
const FLAG = { smallLimits: 1, deflate: 2, protocols: 4 } as const;

/** The Sec-WebSocket-Accept of every key here, so that an input can hold it. */
export const ACCEPT = "AAAAAAAAAAAAAAAAAAAAAAAAAAA=";
const sha1 = (): string => ACCEPT;

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

type Observe = (input: Input, sizes: readonly number[]) => Promise<readonly string[]>;

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
export function checkServer(input: Uint8Array): Promise<void> {
  return check(readInput(input), observeServer);
}

/**
 * Checks what a client makes of an input. @throws {Error} for the first thing that does not hold
 */
export function checkClient(input: Uint8Array): Promise<void> {
  return check(readInput(input), observeClient);
}

async function check(input: Input, observe: Observe): Promise<void> {
  const whole = (await observe(input, [input.stream.length])).join("\n");
  const ways: [string, readonly number[]][] = [["cut by the input", input.sizes]];
  if (input.stream.length <= SINGLY_UP_TO) ways.push(["byte by byte", [1]]);
  for (const [way, sizes] of ways) {
    const cut = (await observe(input, sizes)).join("\n");
    hold(whole === cut, `it differs ${way}:\n${whole}\nand\n${cut}`);
  }
}

function hold(condition: boolean, what: string): asserts condition {
  if (!condition) throw new Error(what);
}

function optionsOf({ flags }: Input) {
  return {
    sha1,
    limits: (flags & FLAG.smallLimits) !== 0 ? IMPATIENT : PATIENT,
    timeouts: { handshake: TIMEOUT },
    deflate: (flags & FLAG.deflate) !== 0 ? { codec: deflateCodec } : undefined,
  };
}

async function observeServer(input: Input, sizes: readonly number[]): Promise<readonly string[]> {
  const handshake = new ServerHandshake(optionsOf(input), 0);
  let requests = 0;
  for (const chunk of chunksOf(input.stream, sizes)) {
    if (handshake.receive(chunk, 0) !== undefined) requests++;
    // Chunks may be lent, and are written over by the next read.
    chunk.fill(0xee);
  }
  const { request, plainRequest } = handshake;
  hold(requests === (request === undefined ? 0 : 1), `${requests} requests`);
  const seen = describe(request ?? plainRequest);
  if (request !== undefined) seen.push(...await accept(handshake, request.protocols[0]));
  else if (plainRequest !== undefined) seen.push(text(handshake.takeRest()));
  else handshake.receiveEnd(0);
  handshake.tick(TIMEOUT);
  const output = text(join(handshake.takeOutput()));
  hold(handshake.deadline === Infinity, "a deadline behind the last one");
  checkAnswer(handshake, output, input.stream.length > 0);
  return [...seen, `${handshake.failure}`, output];
}

/**
 * What is written is one answer, and it fits the outcome; a plain request is the host's to answer.
 */
function checkAnswer(
  { request, plainRequest, failure }: ServerHandshake,
  output: string,
  begun: boolean,
): void {
  const outcomes = [request, plainRequest, failure].filter((outcome) => outcome !== undefined);
  hold(outcomes.length === 1, `${outcomes.length} outcomes`);
  const status = failure === undefined ? undefined : HANDSHAKE_FAULTS[failure.fault].status;
  const expected = request !== undefined
    ? "101"
    : begun && status !== undefined
    ? String(status)
    : "";
  hold(
    output.slice(9, 12) === expected,
    `${failure ?? "no failure"} should be answered with ${expected}: ${output}`,
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

async function accept(handshake: ServerHandshake, protocol: string | undefined): Promise<string[]> {
  const opened = await handshake.accept({ protocol });
  return [opened.protocol, opened.extensions, text(opened.rest)];
}

async function observeClient(input: Input, sizes: readonly number[]): Promise<readonly string[]> {
  const protocols = (input.flags & FLAG.protocols) !== 0 ? ["chat", "superchat"] : [];
  const url = new URL("ws://server.example.com/chat");
  const handshake = await ClientHandshake.create(url, { ...optionsOf(input), protocols }, 0);
  handshake.takeOutput();
  const seen: string[] = [];
  const rest: Uint8Array[] = [];
  let open = false;
  for (const chunk of chunksOf(input.stream, sizes)) {
    const opened = open ? void rest.push(chunk.slice()) : handshake.receive(chunk, 0);
    if (opened !== undefined) {
      open = true;
      seen.push(opened.protocol, opened.extensions);
      rest.push(opened.rest.slice());
    }
    chunk.fill(0xee);
  }
  handshake.receiveEnd(0);
  handshake.tick(TIMEOUT);
  const { failure } = handshake;
  hold(
    open === (failure === undefined) && handshake.deadline === Infinity,
    `open: ${open}, and ${failure}`,
  );
  hold(handshake.takeOutput().length === 0, "a client writes nothing after its request");
  if (failure?.answer !== undefined) {
    seen.push(...describe(failure.answer), text(failure.answer.body));
  }
  return [...seen, `${failure}`, text(join(rest))];
}

interface Head {
  readonly headers: Iterable<readonly [string, string]>;
}

/** All that a head says, each thing on a line of its own. */
function describe(head: Head | undefined): string[] {
  if (head === undefined) return [];
  const { headers, ...rest } = head;
  return [JSON.stringify(rest), JSON.stringify([...headers])];
}

function text(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return text;
}
