// What the tests of the core share: bytes from hex, a frame writer and reader that are as plain as
// RFC 6455 §5.2 reads (and share nothing with the core's), every way to cut a stream into chunks,
// and one line of text for each event and each frame.

import type { ConnectionEvent } from "../../core/events.ts";
import type { Machine } from "../../core/machine.ts";

/** Which end sends, or which end a connection is. */
export type Role = "client" | "server";

export const ROLES: readonly Role[] = ["client", "server"];

/** The side that talks to `role`. */
export function peerOf(role: Role): Role {
  return role === "client" ? "server" : "client";
}

/** The bytes that hex digits spell; spaces are for the reader. */
export function hex(digits: string): Uint8Array {
  const pairs = digits.replaceAll(" ", "").match(/../g) ?? [];
  return Uint8Array.from(pairs, (pair) => Number.parseInt(pair, 16));
}

export function toHex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

export function utf8(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

export function join(chunks: readonly Uint8Array[]): Uint8Array {
  const joined = new Uint8Array(chunks.reduce((total, chunk) => total + chunk.length, 0));
  let offset = 0;
  for (const chunk of chunks) {
    joined.set(chunk, offset);
    offset += chunk.length;
  }
  return joined;
}

/** Whether both hold the same bytes; for megabytes, which `toEqual` takes seconds for. */
export function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

/** `length` bytes in which a byte out of place shows. */
export function pattern(length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, index) => (index * 167 + (index >> 8) * 13) & 0xff);
}

// --- Frames, written and read naively ---

/** The key that a client's frames have here: the one of the examples in RFC 6455 §5.7. */
export const KEY: Uint8Array = hex("37fa213d");

export interface Frame {
  /** FIN, RSV and opcode. */
  readonly first: number;
  readonly payload: Uint8Array;
  readonly masked: boolean;
}

export function frame(from: Role, first: number, content: Uint8Array | string = ""): Uint8Array {
  const payload = typeof content === "string" ? utf8(content) : content;
  const mask = from === "client" ? 0x80 : 0;
  const header = [first, ...lengthBytes(payload.length)];
  header[1]! |= mask;
  if (mask === 0) return join([Uint8Array.from(header), payload]);
  return join([Uint8Array.from(header), KEY, payload.map((byte, index) => byte ^ KEY[index % 4]!)]);
}

function lengthBytes(length: number): number[] {
  if (length < 126) return [length];
  if (length < 65536) return [126, length >> 8, length & 0xff];
  const digits = length.toString(16).padStart(16, "0");
  return [127, ...hex(digits)];
}

/** The frames in the bytes, payloads unmasked. */
export function readFrames(bytes: Uint8Array): Frame[] {
  const frames: Frame[] = [];
  let rest = bytes;
  while (rest.length > 0) {
    const masked = rest[1]! >= 0x80;
    const length7 = rest[1]! & 0x7f;
    const lengthSize = length7 === 126 ? 2 : length7 === 127 ? 8 : 0;
    const length = lengthSize === 0
      ? length7
      : Number.parseInt(toHex(rest.slice(2, 2 + lengthSize)), 16);
    const start = 2 + lengthSize + (masked ? 4 : 0);
    const key = masked ? rest.slice(start - 4, start) : Uint8Array.of(0, 0, 0, 0);
    const payload = rest.slice(start, start + length).map((byte, index) => byte ^ key[index % 4]!);
    frames.push({ first: rest[0]!, payload, masked });
    rest = rest.slice(start + length);
  }
  return frames;
}

// --- Chunks ---

export interface Cut {
  readonly name: string;
  readonly chunks: readonly Uint8Array[];
}

// Beyond this many bytes only the ends of the stream and some points between are cut: every point
// would take seconds.
const EVERY_POINT_UP_TO = 300;

/**
 * The bytes whole, byte by byte, and cut in two at every point. Chunks are fresh copies, because a
 * connection unmasks them in place.
 */
export function* cuts(bytes: Uint8Array): Generator<Cut> {
  yield { name: "whole", chunks: [bytes.slice()] };
  yield { name: "byte by byte", chunks: chop(bytes, 1) };
  for (let at = 1; at < bytes.length; at++) {
    const near = at < 16 || at > bytes.length - 4 || at % 19_997 === 0;
    if (!near && bytes.length > EVERY_POINT_UP_TO) continue;
    yield { name: `cut after ${at}`, chunks: [bytes.slice(0, at), bytes.slice(at)] };
  }
}

/** Chunks of `size` bytes; the last may be shorter. */
export function chop(bytes: Uint8Array, size: number): Uint8Array[] {
  return Array.from(
    { length: Math.ceil(bytes.length / size) },
    (_, i) => bytes.slice(i * size, (i + 1) * size),
  );
}

/** The events that the chunks cause, all received at time `now`. */
export function receiveAll<Event>(
  machine: Machine<Event>,
  chunks: readonly Uint8Array[],
  now = 0,
): Event[] {
  return chunks.flatMap((chunk) => machine.receive(chunk, now));
}

/** All output of the machine, in one array. */
export function takeBytes(machine: Machine<unknown>): Uint8Array {
  return join(machine.takeOutput());
}

// --- Lines ---

/** One line of text for an event: `text "Hello"`, `ping 010203`, `closed 1000 "bye" clean peer`. */
export function line(event: ConnectionEvent): string {
  switch (event.type) {
    case "closing":
      return `closing ${event.code} ${JSON.stringify(event.reason)}`;
    case "closed":
      return `closed ${event.code} ${JSON.stringify(event.reason)} ${
        event.clean ? "clean" : "unclean"
      } ${event.cause}`;
    case "piece":
      return `piece of ${event.opcode} ${content(event.data)}${event.final ? " final" : ""}`;
    default:
      return `${event.type} ${content(event.data)}`;
  }
}

const OPCODES: Readonly<Record<number, string>> = {
  0x0: "continuation",
  0x1: "text",
  0x2: "binary",
  0x8: "close",
  0x9: "ping",
  0xa: "pong",
};

/**
 * One line for each frame in the bytes: `text "Hello"`, `close 1000 "bye"`; `+` after the opcode of
 * one without FIN.
 */
export function lines(bytes: Uint8Array): string[] {
  return readFrames(bytes).map(({ first, payload }) => {
    const name = `${OPCODES[first & 0x0f]}${(first & 0x40) !== 0 ? "~" : ""}${
      (first & 0x80) !== 0 ? "" : "+"
    }`;
    return `${name} ${frameContent(first & 0x0f, payload)}`.trimEnd();
  });
}

function frameContent(opcode: number, payload: Uint8Array): string {
  if (opcode === 0x1) return content(new TextDecoder().decode(payload));
  if (opcode !== 0x8 || payload.length === 0) return content(payload);
  return `${payload[0]! << 8 | payload[1]!} ${content(new TextDecoder().decode(payload.slice(2)))}`;
}

const LONG = 200;

/** The data itself, or its length and a hash when it is long. */
export function content(data: string | Uint8Array): string {
  if (data.length > LONG) {
    return `${data.length}#${hash(typeof data === "string" ? utf8(data) : data)}`;
  }
  return typeof data === "string" ? JSON.stringify(data) : toHex(data);
}

// FNV-1a, 32 bits.
function hash(bytes: Uint8Array): string {
  let value = 0x811c9dc5;
  for (let i = 0; i < bytes.length; i++) value = Math.imul(value ^ bytes[i]!, 0x01000193);
  return (value >>> 0).toString(16);
}
