// Large messages, many messages and fragments: families 9 and 10 of the field's conformance suite,
// between a client and an echoing server. Sizes up to 16 MiB, in chops of 64 bytes to 1 MiB, in
// fragments of 64 bytes to 4 MiB.

import { describe, expect, it } from "vitest";
import { Connection } from "../../../core/connection.ts";
import type { ConnectionEvent } from "../../../core/events.ts";
import { frame, hex, join, lines, pattern, receiveAll, sameBytes } from "../support.ts";
import { Echo } from "./echo.ts";

const KIB = 1024;
const MIB = 1024 * KIB;

type Message = string | Uint8Array;

// No power of two: a part that is out of place shows.
const PERIOD = 4099;
const LETTERS = Array.from({ length: PERIOD }, (_, i) => String.fromCharCode(0x30 + (i * 31) % 75))
  .join("");

function textOf(size: number): string {
  return LETTERS.repeat(Math.ceil(size / PERIOD)).slice(0, size);
}

function bytesOf(size: number): Uint8Array {
  const bytes = new Uint8Array(size);
  const period = pattern(PERIOD);
  for (let start = 0; start < size; start += PERIOD) {
    bytes.set(period.subarray(0, size - start), start);
  }
  return bytes;
}

const KINDS: readonly { readonly kind: string; make(size: number): Message; }[] = [
  { kind: "text", make: textOf },
  { kind: "binary", make: bytesOf },
];

/** The stream in chunks of `size` bytes, without copies: each byte is received once. */
function* chops(bytes: Uint8Array, size: number): Generator<Uint8Array> {
  for (let start = 0; start < bytes.length; start += size) {
    yield bytes.subarray(start, start + size);
  }
}

function sendInFragments(client: Connection, message: Message, size: number): void {
  for (let start = 0; start < message.length; start += size) {
    client.sendFragment(message.slice(start, start + size), start + size >= message.length);
  }
}

function isMessage(event: ConnectionEvent | undefined, message: Message): boolean {
  if (event?.type === "text") return event.data === message;
  return event?.type === "binary" && typeof message !== "string" && sameBytes(event.data, message);
}

/**
 * Sends through an echoing server what `send` writes, in chunks of `chop` bytes; the messages that
 * come back.
 */
function echo(send: (client: Connection) => void, chop: number): readonly ConnectionEvent[] {
  const client = new Connection({ role: "client" }, 0);
  send(client);
  const server = new Echo("server").receiveAll(chops(join(client.takeOutput()), chop));
  return receiveAll(client, server.written);
}

function send(message: Message): (client: Connection) => void {
  return (client) =>
    typeof message === "string" ? client.sendText(message) : client.sendBinary(message);
}

/** Compares without printing megabytes when it fails. */
function expectEcho(events: readonly ConnectionEvent[], message: Message): void {
  expect(events.map(({ type }) => type)).toEqual([typeof message === "string" ? "text" : "binary"]);
  expect(isMessage(events[0], message)).toBe(true);
}

describe.each(KINDS)("an echo of $kind", ({ make }) => {
  it.each([64 * KIB, 256 * KIB, MIB, 4 * MIB, 8 * MIB, 16 * MIB])(
    "9.1, 9.2: %i bytes, in chunks of 64 KiB",
    (size) => {
      const message = make(size);
      expectEcho(echo(send(message), 64 * KIB), message);
    },
  );

  it.each([64, 256, KIB, 4 * KIB, 16 * KIB, 64 * KIB, 256 * KIB, MIB, 4 * MIB])(
    "9.3, 9.4: 4 MiB in fragments of %i",
    (size) => {
      const message = make(4 * MIB);
      expectEcho(echo((client) => sendInFragments(client, message, size), 64 * KIB), message);
    },
  );

  it.each([64, 128, 256, 512, KIB, 2 * KIB, 65_537, MIB])(
    "9.5, 9.6: 1 MiB in chunks of %i",
    (chop) => {
      const message = make(MIB);
      expectEcho(echo(send(message), chop), message);
    },
  );

  it.each([0, 16, 64, 256, KIB, 4 * KIB, 16 * KIB])(
    "9.7, 9.8: 1000 messages of %i bytes",
    (size) => {
      const message = make(size);
      const events = echo((client) => {
        for (let i = 0; i < 1000; i++) send(message)(client);
      }, 64 * KIB);
      expect(events).toHaveLength(1000);
      expect(events.every((event) => isMessage(event, message))).toBe(true);
    },
  );

  it.each([1300, 997])(
    "10.1: 64 KiB in fragments of %i, as a peer with a frame size of its own sends it",
    (size) => {
      const message = make(64 * KIB);
      for (const chop of [Infinity, 1500, 64]) {
        expectEcho(echo((client) => sendInFragments(client, message, size), chop), message);
      }
    },
  );
});

describe("the default limit", () => {
  it("lets 16 MiB pass and not a byte more, in one frame or in many", () => {
    const whole = new Echo("server").receiveAll([hex("82 ff 0000000001000001 37fa213d")]);
    expect(whole.answers).toEqual(["close 1009"]);
    const parts = new Connection({ role: "client" }, 0);
    for (let i = 0; i < 16; i++) {
      parts.receive(frame("server", i === 0 ? 0x02 : 0x00, new Uint8Array(MIB)), 0);
    }
    expect(parts.state).toBe("open");
    parts.receive(frame("server", 0x00, new Uint8Array(1)).subarray(0, 2), 0);
    expect(lines(join(parts.takeOutput()))[0]).toMatch(/^close 1009 /);
  });
});
