// The closing handshake, RFC 6455 §7: what each end sends, which ends the transport first, what
// `closed` says, and when the transport's time is over. transitions.test.ts has every input in every
// state.

import { describe, expect, it } from "vitest";
import { Connection } from "../../core/connection.ts";
import { UsageError } from "../../core/errors.ts";
import type { ConnectionEvent } from "../../core/events.ts";
import { frame, hex, join, line, lines, peerOf, type Role, ROLES, takeBytes } from "./support.ts";

const TIMEOUTS = { close: 1000, pingInterval: Infinity };

function open(role: Role): Connection {
  return new Connection({ role, timeouts: TIMEOUTS }, 0);
}

function close(from: Role, content = "03e8"): Uint8Array {
  return frame(from, 0x88, hex(content));
}

describe.each(ROLES)("closing a connection, as a %s", (role) => {
  const peer = peerOf(role);

  it("by the peer: echoes the code and the reason verbatim", () => {
    const connection = open(role);
    expect(connection.receive(close(peer, "0fa1 62796521"), 0).map(line)).toEqual([
      "closing 4001 \"bye!\"",
    ]);
    expect(lines(takeBytes(connection))).toEqual(["close 4001 \"bye!\""]);
    expect(connection.closeReceived).toEqual({ code: 4001, reason: "bye!" });
    expect(connection.closeSent).toEqual({ code: 4001, reason: "bye!" });
    expect(connection.receiveEnd(0).map(line)).toEqual(["closed 4001 \"bye!\" clean peer"]);
  });

  it("by the peer, without a code: answers without a code, reports 1005", () => {
    const connection = open(role);
    expect(connection.receive(close(peer, ""), 0).map(line)).toEqual(["closing 1005 \"\""]);
    expect(lines(takeBytes(connection))).toEqual(["close"]);
    expect(connection.receiveEnd(0).map(line)).toEqual(["closed 1005 \"\" clean peer"]);
  });

  it("by this side: reports what the peer answered", () => {
    const connection = open(role);
    connection.close(1001, "restart", 0);
    expect(lines(takeBytes(connection))).toEqual(["close 1001 \"restart\""]);
    expect(connection.outputEnded).toBe(false);
    expect(connection.receive(close(peer, "03e9"), 0)).toEqual([]);
    expect(connection.pendingOutput).toBe(0);
    expect(connection.receiveEnd(0).map(line)).toEqual(["closed 1001 \"\" clean local"]);
  });

  it("by both at once: sends one Close frame, reports the peer's", () => {
    const connection = open(role);
    connection.close(4000, "mine", 0);
    connection.receive(close(peer, "0fa1"), 0);
    expect(lines(takeBytes(connection))).toEqual(["close 4000 \"mine\""]);
    expect(connection).toMatchObject({
      closeSent: { code: 4000, reason: "mine" },
      closeReceived: { code: 4001, reason: "" },
    });
    expect(connection.receiveEnd(0).map(line)).toEqual(["closed 4001 \"\" clean local"]);
  });

  it("by this side: still delivers messages until the peer's Close frame, and answers no ping", () => {
    const connection = open(role);
    connection.close(1000, "", 0);
    takeBytes(connection);
    const rest = join([
      frame(peer, 0x81, "late"),
      frame(peer, 0x89),
      close(peer),
      frame(peer, 0x81, "too late"),
    ]);
    expect(connection.receive(rest, 0).map(line)).toEqual(["text \"late\"", "ping "]);
    expect(connection.pendingOutput).toBe(0);
  });

  it("ignores everything after the peer's Close frame, violations included", () => {
    const connection = open(role);
    const rest = join([
      close(peer),
      frame(peer, 0x81, "x"),
      frame(peer, 0x83),
      close(peer, "0fa1"),
    ]);
    expect(connection.receive(rest, 0).map(line)).toEqual(["closing 1000 \"\""]);
    expect(connection.receive(frame(peer, 0x83), 0)).toEqual([]);
    expect(lines(takeBytes(connection))).toEqual(["close 1000 \"\""]);
    expect(connection.receiveEnd(0).map(line)).toEqual(["closed 1000 \"\" clean peer"]);
  });

  // §7.1.1: the server closes the TCP connection first. A client waits, so that it holds no socket in
  // TIME_WAIT.
  it(`${role === "server" ? "ends" : "does not end"} the output when Close frames went both ways`, () => {
    for (const begin of [(connection: Connection) => connection.close(1000, "", 0), () => {}]) {
      const connection = open(role);
      begin(connection);
      connection.receive(close(peer), 0);
      expect(connection.outputEnded).toBe(role === "server");
      connection.receiveEnd(0);
      expect(connection.outputEnded).toBe(true);
    }
  });

  it("gives up at the close timeout when the peer does not answer", () => {
    const connection = open(role);
    connection.close(1000, "", 500);
    expect(connection.deadline).toBe(1500);
    expect(connection.tick(1499)).toEqual([]);
    expect(connection.tick(1500).map(line)).toEqual(["closed 1006 \"\" unclean timeout"]);
    expect(connection.outputEnded).toBe(true);
  });

  it("gives up at the close timeout, cleanly, when only the transport does not end", () => {
    const connection = open(role);
    connection.receive(close(peer), 500);
    expect(connection.tick(1499)).toEqual([]);
    expect(connection.tick(1500).map(line)).toEqual(["closed 1000 \"\" clean peer"]);
  });

  it("waits the close timeout anew for the transport when the peer answers late", () => {
    const connection = open(role);
    connection.close(1000, "", 0);
    connection.receive(close(peer), 900);
    expect(connection.deadline).toBe(1900);
  });

  it("expires at the close timeout, and not before it", () => {
    const connection = open(role);
    connection.close(1000, "", 500);
    connection.tick(1499);
    expect(connection).toMatchObject({ expired: false, state: "closing", deadline: 1500 });
    connection.tick(1500);
    expect(connection).toMatchObject({ expired: true, state: "closed", deadline: Infinity });
  });

  it("expires a close timeout after the transport's end in one direction", () => {
    for (const begin of [() => {}, (connection: Connection) => connection.close(1000, "", 0)]) {
      const connection = open(role);
      begin(connection);
      connection.receiveEnd(700);
      expect(connection).toMatchObject({ expired: false, outputEnded: true, deadline: 1700 });
      expect([...connection.receiveEnd(900), ...connection.tick(1699)]).toEqual([]);
      expect(connection).toMatchObject({ expired: false, deadline: 1700 });
      expect(connection.tick(1700)).toEqual([]);
      expect(connection).toMatchObject({ expired: true, deadline: Infinity });
    }
  });

  it("does not expire with an infinite close timeout, nor before it begins to close", () => {
    const timeouts = { close: Infinity, pingInterval: Infinity };
    const connection = new Connection({ role, timeouts }, 0);
    connection.tick(1e15);
    expect(connection.expired).toBe(false);
    connection.receiveEnd(0);
    connection.tick(1e15);
    expect(connection).toMatchObject({ expired: false, deadline: Infinity });
  });

  it("waits for ever with an infinite close timeout", () => {
    const connection = new Connection({
      role,
      timeouts: { close: Infinity, pingInterval: Infinity },
    }, 0);
    connection.close(1000, "", 0);
    expect(connection.deadline).toBe(Infinity);
    expect(connection.tick(1e15)).toEqual([]);
  });

  it("reports a transport that ends without a Close frame as 1006", () => {
    const [event] = open(role).receiveEnd(0);
    expect(event).toStrictEqual({
      type: "closed",
      code: 1006,
      reason: "",
      clean: false,
      cause: "lost",
    });
  });

  it("reports what the transport said about its end", () => {
    const error = new Error("reset");
    const [event] = open(role).receiveEnd(0, error) as readonly [ConnectionEvent];
    expect(event).toEqual({
      type: "closed",
      code: 1006,
      reason: "",
      clean: false,
      cause: "lost",
      error,
    });
  });

  it("stays clean when the transport is reset after both Close frames", () => {
    const connection = open(role);
    connection.receive(close(peer), 0);
    expect(connection.receiveEnd(0, new Error("reset")).map(line)).toEqual([
      "closed 1000 \"\" clean peer",
    ]);
  });

  it("is not clean when the transport ends before the peer's answer", () => {
    const connection = open(role);
    connection.close(1000, "", 0);
    expect(connection.receiveEnd(0).map(line)).toEqual(["closed 1006 \"\" unclean lost"]);
  });

  it("keeps what was sent before the Close frame in front of it", () => {
    const connection = open(role);
    connection.sendText("last words");
    connection.close(1000, "", 0);
    expect(lines(takeBytes(connection))).toEqual(["text \"last words\"", "close 1000 \"\""]);
  });

  it("sends no second Close frame for a violation after its own", () => {
    const connection = open(role);
    connection.close(1000, "mine", 0);
    connection.receive(frame(peer, 0x83), 0);
    expect(lines(takeBytes(connection))).toEqual(["close 1000 \"mine\""]);
    expect(connection.closeSent).toEqual({ code: 1000, reason: "mine" });
    expect(connection.outputEnded).toBe(true);
    expect(connection.receiveEnd(0)).toMatchObject([{
      type: "closed",
      code: 1002,
      cause: "violation",
    }]);
  });

  it("can begin inside of a message that is sent in fragments", () => {
    const connection = open(role);
    connection.sendFragment("half", false);
    connection.close(1000, "", 0);
    expect(lines(takeBytes(connection))).toEqual(["text+ \"half\"", "close 1000 \"\""]);
  });
});

// §5.5.1: "An endpoint MAY delay sending a Close frame until its current message is sent". The
// application has not seen yet what came before the peer's Close frame, or before its violation, in
// the same chunk.
describe.each(ROLES)("a connection that the peer ends behind a message, as a %s,", (role) => {
  const peer = peerOf(role);
  const endings = [
    { name: "a Close frame", bytes: close(peer, "0fa1"), answer: "close 4001 \"\"" },
    {
      name: "a violation",
      bytes: frame(peer, 0x83),
      answer: expect.stringMatching(/^close 1002 /) as string,
    },
  ];

  it.each(endings)(
    "still sends the answer to the message, before it answers $name",
    ({ bytes, answer }) => {
      const connection = open(role);
      const [message] = connection.receive(
        join([frame(peer, 0x81, "hi"), frame(peer, 0x89, "p"), bytes]),
        0,
      );
      expect(message).toEqual({ type: "text", data: "hi" });
      expect(connection).toMatchObject({ state: "closing", canSend: true, outputEnded: false });
      connection.sendText("hello");
      connection.sendFragment("unfinished", false);
      const { pendingOutput } = connection;
      const output = takeBytes(connection);
      expect(lines(output)).toEqual(["pong 70", "text \"hello\"", "text+ \"unfinished\"", answer]);
      expect(pendingOutput).toBe(output.length);
    },
  );

  it.each(endings)(
    "refuses to send anything once the answer to $name was taken",
    ({ name, bytes }) => {
      const connection = open(role);
      connection.receive(join([frame(peer, 0x81, "hi"), bytes]), 0);
      takeBytes(connection);
      expect(connection.canSend).toBe(false);
      const message = "the connection is closing: nothing can be sent on it";
      expect(() => connection.sendText("late")).toThrow(new UsageError(message));
      expect(connection.outputEnded).toBe(role === "server" || name === "a violation");
      expect(connection.pendingOutput).toBe(0);
    },
  );

  it.each(endings)("refuses to send anything after $name alone", ({ bytes }) => {
    const connection = open(role);
    connection.receive(bytes.slice(), 0);
    expect(connection.canSend).toBe(false);
    expect(() => connection.sendText("late")).toThrow(UsageError);
  });

  it.each(endings)(
    "writes the answer to $name even when the transport has ended meanwhile",
    ({ bytes, answer }) => {
      const connection = open(role);
      connection.receive(join([frame(peer, 0x81, "hi"), bytes]), 0);
      connection.receiveEnd(0);
      expect(connection).toMatchObject({ state: "closed", canSend: false, outputEnded: true });
      expect(lines(takeBytes(connection))).toEqual([answer]);
    },
  );

  it("keeps the payload of the Close frame, although the chunk is overwritten", () => {
    const connection = open(role);
    const chunk = join([frame(peer, 0x89), close(peer, "0fa1 62796521")]);
    connection.receive(chunk, 0);
    chunk.fill(0);
    expect(lines(takeBytes(connection))).toEqual(["pong", "close 4001 \"bye!\""]);
  });

  it("does nothing for a close of this side, which comes too late", () => {
    const connection = open(role);
    connection.receive(join([frame(peer, 0x81, "hi"), close(peer)]), 0);
    connection.close(4000, "mine", 0);
    expect(lines(takeBytes(connection))).toEqual(["close 1000 \"\""]);
  });
});
