// Text that is and is not UTF-8, through a connection: family 6 of the field's conformance suite.
// Every sequence whole, cut at every point into chunks and into fragments, and byte by byte; what
// is not UTF-8 fails at its first bad byte, not later (fail fast).

import { describe, expect, it } from "vitest";
import { Connection, type ConnectionOptions } from "../../../core/connection.ts";
import { INVALID_TEXTS, VALID_TEXTS } from "../../vectors/utf8.ts";
import { chop, frame, hex, join, lines, receiveAll, takeBytes, toHex, utf8 } from "../support.ts";

type Delivery = Pick<ConnectionOptions, "messages" | "text">;

const DELIVERIES: readonly Delivery[] = [
  {},
  { text: "bytes" },
  { messages: "pieces" },
  { messages: "pieces", text: "bytes" },
];

function open(delivery: Delivery): Connection {
  return new Connection({ role: "client", ...delivery }, 0);
}

/** All content that the connection hands over for the chunks, in UTF-8. */
function contentOf(connection: Connection, chunks: readonly Uint8Array[]): string {
  const parts = receiveAll(connection, chunks).map((event) => {
    if (!("data" in event)) return expect.unreachable(event.type);
    return typeof event.data === "string" ? utf8(event.data) : event.data.slice();
  });
  return toHex(join(parts));
}

/** The text as fragments: cut at one point, at two around an empty one, and a byte each. */
function* fragmentations(bytes: Uint8Array): Generator<Uint8Array[]> {
  for (let at = 0; at <= bytes.length; at++) {
    yield [frame("server", 0x01, bytes.slice(0, at)), frame("server", 0x80, bytes.slice(at))];
    yield [
      frame("server", 0x01, bytes.slice(0, at)),
      frame("server", 0x00),
      frame("server", 0x00, bytes.slice(at, at + 1)),
      frame("server", 0x80, bytes.slice(at + 1)),
    ];
  }
  const single = chop(bytes, 1).map((byte, index) =>
    frame("server", index === 0 ? 0x01 : 0x00, byte)
  );
  yield [...single, frame("server", single.length === 0 ? 0x81 : 0x80)];
}

/** The text in one frame: whole, cut at every point, and byte by byte. */
function* oneFrame(bytes: Uint8Array): Generator<Uint8Array[]> {
  const whole = frame("server", 0x81, bytes);
  for (let at = 0; at < whole.length; at++) yield [whole.slice(0, at), whole.slice(at)];
  yield chop(whole, 1);
}

/** Whether the connection has failed for bad text. */
function failed(connection: Connection): boolean {
  if (connection.state === "open") return false;
  const last = lines(takeBytes(connection)).at(-1);
  return last!.startsWith("close 1007 ");
}

describe.each(DELIVERIES)("Connection with %o", (delivery) => {
  it.each(VALID_TEXTS)("takes $name, in any frames and chunks", ({ bytes }) => {
    const expected = toHex(bytes);
    for (const chunks of [...oneFrame(bytes), ...fragmentations(bytes)]) {
      const wire = join(chunks);
      for (const arrival of [chunks, [wire.slice()], chop(wire, 1)]) {
        const seen = contentOf(open(delivery), arrival);
        if (seen !== expected) expect(seen, toHex(wire)).toBe(expected);
      }
    }
  });

  it("fails for what is not UTF-8 at its first bad byte, byte by byte in one frame", () => {
    for (const { name, bytes, badAt } of INVALID_TEXTS) {
      const connection = open(delivery);
      const whole = frame("server", 0x81, bytes);
      // Where only the end is wrong, the last byte tells it.
      const bad = Math.min(whole.length - bytes.length + badAt, whole.length - 1);
      for (let i = 0; i < bad; i++) connection.receive(whole.slice(i, i + 1), 0);
      expect(failed(connection), name).toBe(false);
      connection.receive(whole.slice(bad, bad + 1), 0);
      expect(failed(connection), name).toBe(true);
    }
  });

  it("fails for what is not UTF-8 at its first bad byte, in fragments of a byte", () => {
    for (const { name, bytes, badAt } of INVALID_TEXTS) {
      const connection = open(delivery);
      const frames = chop(bytes, 1).map((byte, index) =>
        frame("server", index === 0 ? 0x01 : 0x00, byte)
      );
      frames.push(frame("server", 0x80));
      receiveAll(connection, frames.slice(0, badAt));
      expect(failed(connection), name).toBe(false);
      connection.receive(frames[badAt]!, 0);
      expect(failed(connection), name).toBe(true);
    }
  });

  it("hands over nothing of what is not UTF-8 from its first bad byte on, in any frames and chunks", () => {
    for (const { name, bytes, badAt } of INVALID_TEXTS.filter(({ bytes }) => bytes.length < 12)) {
      for (const chunks of [...oneFrame(bytes), ...fragmentations(bytes)]) {
        const connection = open(delivery);
        const seen = contentOf(connection, chunks);
        expect(failed(connection), name).toBe(true);
        expect(toHex(bytes.slice(0, badAt)).startsWith(seen), name).toBe(true);
      }
    }
  });
});

describe("Connection", () => {
  it("fails inside of the fragment whose text goes wrong, although the message goes on (6.4)", () => {
    const connection = open({});
    connection.receive(frame("server", 0x01, hex("ceba e1bdb9 cf83")), 0);
    const fragment = frame("server", 0x00, join([hex("f490"), new Uint8Array(300).fill(0x61)]));
    connection.receive(fragment.slice(0, 5), 0);
    expect(failed(connection)).toBe(false);
    connection.receive(fragment.slice(5, 6), 0);
    expect(failed(connection)).toBe(true);
  });

  it("does not look for UTF-8 in binary messages", () => {
    for (const delivery of DELIVERIES) {
      expect(contentOf(open(delivery), chop(frame("server", 0x82, hex("ffc080")), 1))).toBe(
        "ffc080",
      );
    }
  });

  it("starts every message anew, whatever the one before ended in", () => {
    const messages = [
      frame("server", 0x01, "a"),
      frame("server", 0x80, "é"),
      frame("server", 0x81, "€"),
    ];
    for (const delivery of DELIVERIES) {
      expect(contentOf(open(delivery), chop(join(messages), 1))).toBe("61c3a9e282ac");
    }
  });
});
