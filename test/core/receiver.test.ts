// Connections hand one receiver around, RFC 6455 §5.2 and §5.4: none may ever notice another.

import { afterEach, describe, expect, it, vi } from "vitest";
import { resolveLimits } from "../../core/limits.ts";
import type { BinaryEvent, ConnectionEvent, ConnectionOptions } from "../../core/mod.ts";
import { Connection } from "../../core/mod.ts";
import { Receiver, ReceiverPool } from "../../core/receiver.ts";
import { copyingDeflate } from "./codec.ts";
import { frame, hex, join, line, type Role } from "./support.ts";

const LONG = "x".repeat(300);

/**
 * What peers send, in the middle of which they can be cut anywhere: fragments, pings in between,
 * violations, ends.
 */
const STREAMS: readonly Uint8Array[] = [
  join([
    frame("client", 0x01, "Hel"),
    frame("client", 0x89, "are you there?"),
    frame("client", 0x80, "lo"),
  ]),
  join([frame("client", 0x81, LONG), frame("client", 0x82, hex("00 ff"))]),
  join([frame("client", 0x02, hex("01")), frame("client", 0x83), frame("client", 0x80)]),
  join([frame("client", 0x01, "h\u00e9"), frame("client", 0x81, "too early")]),
  join([frame("client", 0x81, hex("c3")), frame("client", 0x81, "never read")]),
  join([
    frame("client", 0x01, "begun"),
    frame("client", 0x88, hex("03 e8")),
    frame("client", 0x80, "ended"),
  ]),
  join([frame("client", 0x82, hex("aa")), hex("81 05")]),
];

const WAYS: readonly Omit<ConnectionOptions, "role">[] = [
  {},
  { chunks: "lent" },
  { messages: "pieces" },
  { text: "bytes" },
  { limits: { maxMessageSize: 4 } },
];

function open(way: Omit<ConnectionOptions, "role">): Connection {
  return new Connection({ role: "server", ...way }, 0);
}

function heard(connection: Connection, chunk: Uint8Array): ConnectionEvent[] {
  return structuredClone(connection.receive(chunk.slice(), 0)) as ConnectionEvent[];
}

function* cuts(stream: Uint8Array, size: number): Iterable<Uint8Array> {
  for (let at = 0; at < stream.length; at += size) yield stream.subarray(at, at + size);
}

function alone(
  way: Omit<ConnectionOptions, "role">,
  stream: Uint8Array,
  size: number,
): ConnectionEvent[] {
  const connection = open(way);
  return [...cuts(stream, size)].flatMap((chunk) => heard(connection, chunk));
}

function together(way: Omit<ConnectionOptions, "role">, size: number): ConnectionEvent[][] {
  const peers = STREAMS.map((stream) => ({
    connection: open(way),
    chunks: [...cuts(stream, size)],
    events: [] as ConnectionEvent[],
  }));
  while (peers.some(({ chunks }) => chunks.length > 0)) {
    for (const { connection, chunks, events } of peers) {
      const chunk = chunks.shift();
      if (chunk !== undefined) events.push(...heard(connection, chunk));
    }
  }
  return peers.map(({ events }) => events);
}

describe.each(WAYS)("Connections with %j that take turns", (way) => {
  it.each([1, 2, 3, 5, 7, 64, 1000])(
    "hear what each would hear alone, in chunks of %i bytes",
    (size) => {
      expect(together(way, size)).toEqual(STREAMS.map((stream) => alone(way, stream, size)));
    },
  );
});

// Every kind of connection, with what it makes of the same message.
const KINDS:
  readonly (readonly [kind: ConnectionOptions, from: Role, first: number, said: string])[] = [
    [{ role: "server" }, "client", 0x81, "text \"a\""],
    [{ role: "client" }, "server", 0x81, "text \"a\""],
    [{ role: "server", text: "bytes" }, "client", 0x81, "utf8 61"],
    [{ role: "server", messages: "pieces" }, "client", 0x81, "piece of text \"a\" final"],
    [
      { role: "server", messages: "pieces", text: "bytes" },
      "client",
      0x81,
      "piece of text 61 final",
    ],
    [{ role: "server", deflate: copyingDeflate() }, "client", 0xc1, "text \"a\""],
  ];

describe("Connections of several kinds under the same limits", () => {
  it.each(KINDS)("hear each by its own options: %o", (kind, from, first, said) => {
    const limits = resolveLimits({ maxFields: 7 });
    for (const [other, otherFrom, otherFirst] of KINDS) {
      new Connection({ ...other, limits }, 0).receive(frame(otherFrom, otherFirst, "b"), 0);
      const connection = new Connection({ ...kind, limits }, 0);
      expect(connection.receive(frame(from, first, "a"), 0).map(line)).toEqual([said]);
    }
  });

  it("copy lent chunks, and no others", () => {
    for (const chunks of ["given", "lent", "given"] as const) {
      const chunk = frame("client", 0x82, "a");
      const [event] = new Connection({ role: "server", chunks }, 0).receive(chunk, 0);
      expect((event as BinaryEvent).data.buffer === chunk.buffer, chunks).toBe(chunks === "given");
    }
  });

  it("keep to their own limits", () => {
    for (const maxMessageSize of [3, 2, 3]) {
      const connection = new Connection({ role: "server", limits: { maxMessageSize } }, 0);
      connection.receive(frame("client", 0x82, "abc"), 0);
      expect(connection.closeSent?.code).toBe(maxMessageSize < 3 ? 1009 : undefined);
    }
  });
});

describe("Connection", () => {
  it("hears what it should after others of its kind were dropped in the middle of a message", () => {
    for (const stream of STREAMS) {
      const dropped = open({});
      dropped.receive(stream.slice(0, -1), 0);
      dropped.receiveEnd(0);
      expect(open({}).receive(frame("client", 0x81, "all mine"), 0)).toEqual([{
        type: "text",
        data: "all mine",
      }]);
    }
  });

  afterEach(() => vi.restoreAllMocks());

  it("gives its receiver back between messages, and not in the middle of one", () => {
    const giveBack = vi.spyOn(ReceiverPool.prototype, "giveBack");
    const connection = open({});
    const end = frame("client", 0x80, "lo");
    for (const chunk of [frame("client", 0x01, "Hel"), end.slice(0, 1), end.slice(1, -1)]) {
      connection.receive(chunk, 0);
    }
    expect(giveBack).not.toHaveBeenCalled();
    connection.receive(end.slice(-1), 0);
    expect(giveBack).toHaveBeenCalledTimes(1);
    connection.receive(frame("client", 0x82), 0);
    expect(giveBack).toHaveBeenCalledTimes(2);
  });

  it("makes one receiver for as many connections as take turns with whole messages", () => {
    const take = vi.spyOn(ReceiverPool.prototype, "take");
    const limits = resolveLimits({ maxFields: 8 });
    for (let i = 0; i < 5; i++) {
      new Connection({ role: "server", limits }, 0).receive(frame("client", 0x81, "a"), 0);
    }
    expect(new Set(take.mock.results.map(({ value }) => value)).size).toBe(1);
  });

  it.each<[string, (connection: Connection) => void]>([
    [
      "its peer breaks a rule",
      (connection) => connection.receive(frame("client", 0x81, "too early"), 0),
    ],
    ["its peer closes", (connection) => connection.receive(frame("client", 0x88), 0)],
    ["its transport ends", (connection) => connection.receiveEnd(0)],
  ])("drops its receiver, and what that holds, when %s in the middle of a message", (_, end) => {
    const giveBack = vi.spyOn(ReceiverPool.prototype, "giveBack");
    const discard = vi.spyOn(Receiver.prototype, "discard");
    const connection = open({});
    connection.receive(frame("client", 0x01, "begun"), 0);
    end(connection);
    expect(discard).toHaveBeenCalledTimes(1);
    connection.receiveEnd(0);
    expect(discard).toHaveBeenCalledTimes(1);
    expect(giveBack).not.toHaveBeenCalled();
  });
});
