// The same bytes to a connection and to the receiver of `ws`, which has been read by more hostile
// peers than any other in JavaScript: the same messages, and the same verdict, but for the
// differences in the table, each of which says who is stricter and why.

import { Buffer } from "node:buffer";
import { createRequire } from "node:module";
import type { Writable } from "node:stream";
import { Connection, ProtocolError } from "sansws/core";
import { deflateCodec } from "../../adapters/deflate.ts";
import { FrameDecoder } from "../../core/frame/decoder.ts";
import { CONTROL, DEFLATE_RULES, Opcode } from "../../core/frame/header.ts";
import { content } from "../core/support.ts";
import { type Case, chunksOf, FLAG, readCase, TAIL } from "./case.ts";

// Its extension is not exported, and without it compressed messages cannot be compared.
const require = createRequire(import.meta.url);
const { Receiver } = require("ws") as { Receiver: new(options: object) => Writable; };
const PerMessageDeflate = require("../../node_modules/ws/lib/permessage-deflate.js") as new(
  options: object,
) => {
  accept(configurations: readonly object[]): void;
  cleanup(): void;
};

/** One line for each message and control frame, and for the end: `close 1000` or `fail 1002`. */
export interface Reading {
  readonly lines: readonly string[];
  /** The rule that was broken, where the reader has a name for it. */
  readonly violation: string | undefined;
}

/** Where the readings part. */
export interface Difference {
  readonly ours: string;
  readonly theirs: string;
  readonly violation: string | undefined;
  readonly theirReason: string | undefined;
  readonly shapes: Shapes;
}

/** What compressed messages can look like that readers do not agree on. */
interface Shapes {
  /** A message without a body. */
  bodyless: boolean;
  /** A block with BFINAL. */
  final: boolean;
}

/** The difference that an input makes; `undefined` when both read it alike. */
export async function compare(input: Uint8Array): Promise<Difference | undefined> {
  // Whole messages as strings: the receiver of `ws` knows no other way.
  const flags = (input[0] ?? 0) & ~(FLAG.pieces | FLAG.bytes);
  const given = readCase(Uint8Array.from([flags, ...input.subarray(1)]));
  const ours = readOurs(given);
  const theirs = await readTheirs(given, flags);
  const at = ours.lines.findIndex((line, index) => line !== theirs.lines[index]);
  const index = at === -1 && theirs.lines.length > ours.lines.length ? ours.lines.length : at;
  if (index === -1) return undefined;
  return {
    ours: ours.lines[index] ?? "nothing",
    theirs: theirs.lines[index] ?? "nothing",
    violation: index === ours.lines.length - 1 ? ours.violation : undefined,
    theirReason: index === theirs.lines.length - 1 ? theirs.violation : undefined,
    shapes: shapesOf(given),
  };
}

function shapesOf({ stream, role }: Case): Shapes {
  const shapes: Shapes = { bodyless: false, final: false };
  const decoder = new FrameDecoder(DEFLATE_RULES, role === "server");
  const inflater = deflateCodec.createInflater({ windowBits: 15 });
  let compressed = false;
  decoder.push(stream.slice());
  try {
    while (decoder.next()) {
      const { opcode, rsv1, fin, length, chunk, start, end } = decoder;
      if ((opcode & CONTROL) !== 0) continue;
      if (opcode !== Opcode.continuation) compressed = rsv1;
      shapes.bodyless ||= rsv1 && fin && length === 0;
      for (let at = start; compressed && at < end; at++) {
        inflater.inflate(chunk.subarray(at, at + 1), Infinity);
        shapes.final ||= inflater.position === "start";
      }
      if (!compressed || !fin || !decoder.last || inflater.position === "start") continue;
      inflater.inflate(TAIL, Infinity);
      shapes.final ||= (inflater.position as string) === "start";
    }
  } catch {
    // What is wrong with the stream is for the two readers to say.
  }
  return shapes;
}

function readOurs(given: Case): Reading {
  const connection = new Connection(given.options("given"), 0);
  const lines: string[] = [];
  for (const chunk of chunksOf(given.stream, given.sizes)) {
    for (const event of connection.receive(chunk, 0)) {
      if (event.type === "closing") lines.push(`close ${event.code} ${event.reason}`);
      else if ("data" in event) lines.push(`${event.type} ${content(event.data)}`);
    }
  }
  const closed = connection.receiveEnd(0).at(-1);
  const error = closed?.type === "closed" ? closed.error : undefined;
  if (!(error instanceof ProtocolError)) return { lines, violation: undefined };
  return { lines: [...lines, `fail ${error.code}`], violation: error.violation };
}

async function readTheirs(given: Case, flags: number): Promise<Reading> {
  const lines: string[] = [];
  const extension = given.compressed ? theirDeflate(given, flags) : undefined;
  const receiver = new Receiver({
    isServer: given.role === "server",
    maxPayload: given.maxMessageSize,
    extensions: extension === undefined ? {} : { "permessage-deflate": extension },
  });
  let violation: string | undefined;
  let over = false;
  receiver.on("message", (data: Buffer, isBinary: boolean) => {
    lines.push(isBinary ? `binary ${content(bytes(data))}` : `text ${content(data.toString())}`);
  });
  for (const type of ["ping", "pong"]) {
    receiver.on(type, (data: Buffer) => lines.push(`${type} ${content(bytes(data))}`));
  }
  receiver.on("conclude", (code: number, reason: Buffer) => {
    over = true;
    lines.push(`close ${code} ${reason.toString()}`);
  });
  receiver.on("error", (error: Error & { code?: string; }) => {
    over = true;
    violation = error.code;
    lines.push(`fail ${statusOf(error)}`);
  });
  for (const chunk of chunksOf(given.stream, given.sizes)) {
    if (over) break;
    await new Promise<void>((resolve) => receiver.write(Buffer.from(chunk), () => resolve()));
  }
  await new Promise((resolve) => setImmediate(resolve));
  receiver.destroy();
  extension?.cleanup();
  return { lines, violation };
}

function theirDeflate(
  { role, maxMessageSize }: Case,
  flags: number,
): InstanceType<typeof PerMessageDeflate> {
  const extension = new PerMessageDeflate({
    isServer: role === "server",
    maxPayload: maxMessageSize,
  });
  const takeover = (flags & FLAG.noTakeover) === 0
    ? {}
    : { server_no_context_takeover: [true], client_no_context_takeover: [true] };
  extension.accept([takeover]);
  return extension;
}

function statusOf(error: Error): unknown {
  const key = Object.getOwnPropertySymbols(error).find((symbol) =>
    symbol.description === "status-code"
  );
  return key === undefined ? error.message : (error as unknown as Record<symbol, unknown>)[key];
}

function bytes(buffer: Buffer): Uint8Array {
  return new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.length);
}
