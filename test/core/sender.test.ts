// Sending through a connection: fragments, the order of what is written, bounded answers to pings,
// compression's marks, and what is refused. frame/frames.test.ts has the frames, prepared.test.ts the
// prepared messages.

import { describe, expect, it } from "vitest";
import { Connection } from "../../core/connection.ts";
import { UsageError } from "../../core/errors.ts";
import { BY_REFERENCE_FROM } from "../../core/output.ts";
import { type Calls, copyingDeflate } from "./codec.ts";
import type { Role } from "./support.ts";
import {
  content,
  frame,
  hex,
  join,
  lines,
  pattern,
  peerOf,
  readFrames,
  ROLES,
  takeBytes,
  utf8,
} from "./support.ts";

function open(role: Role): Connection {
  return new Connection({ role }, 0);
}

describe.each(ROLES)("Connection.sendFragment, as a %s,", (role) => {
  it("joins a surrogate pair that the parts were cut in, wherever the cuts are", () => {
    const text = "a𝄞b\u{10000}\u{10ffff}c";
    for (let i = 0; i <= text.length; i++) {
      for (let j = i; j <= text.length; j++) {
        const connection = open(role);
        connection.sendFragment(text.slice(0, i), false);
        connection.sendFragment(text.slice(i, j), false);
        connection.sendFragment(text.slice(j), true);
        const frames = readFrames(takeBytes(connection));
        expect(frames.map(({ first }) => first)).toEqual([0x01, 0x00, 0x80]);
        expect(content(join(frames.map(({ payload }) => payload)))).toBe(content(utf8(text)));
      }
    }
  });

  it("replaces a surrogate that stays alone", () => {
    const connection = open(role);
    connection.sendFragment("a\ud834", false);
    connection.sendFragment("\ud834\udd1e", false);
    connection.sendFragment("\udd1e", true);
    expect(lines(takeBytes(connection))).toEqual([
      "text+ \"a\"",
      "continuation+ efbfbdf09d849e",
      "continuation efbfbd",
    ]);
  });

  it("refuses a part of another kind, and goes on with the message afterwards", () => {
    const connection = open(role);
    connection.sendFragment("text", false);
    const message = "a fragment must be of the kind of its message: all strings, or all bytes";
    expect(() => connection.sendFragment(hex("00"), false)).toThrow(new UsageError(message));
    connection.sendFragment("!", true);
    connection.sendFragment(hex("00"), false);
    expect(() => connection.sendFragment("", true)).toThrow(new UsageError(message));
    connection.sendFragment(hex("01"), true);
    expect(lines(takeBytes(connection))).toEqual([
      "text+ \"text\"",
      "continuation 21",
      "binary+ 00",
      "continuation 01",
    ]);
  });

  it("lets control frames between the parts, and no other message", () => {
    const connection = open(role);
    connection.sendFragment("a", false);
    const message = "a fragmented message is under way: end it before another message begins";
    expect(() => connection.sendText("b")).toThrow(new UsageError(message));
    expect(() => connection.sendBinary(hex("00"))).toThrow(new UsageError(message));
    connection.ping(hex("01"));
    connection.pong(hex("02"));
    connection.receive(frame(peerOf(role), 0x89, hex("03")), 0);
    connection.sendFragment("b", true);
    connection.sendText("c");
    expect(lines(takeBytes(connection))).toEqual([
      "text+ \"a\"",
      "ping 01",
      "pong 02",
      "pong 03",
      "continuation 62",
      "text \"c\"",
    ]);
  });
});

describe.each(ROLES)("control frames of the application, as a %s,", (role) => {
  it("carry 125 bytes at most", () => {
    const connection = open(role);
    const message = "a control frame carries at most 125 bytes, not 126";
    expect(() => connection.ping(pattern(126))).toThrow(new UsageError(message));
    expect(() => connection.pong(pattern(126))).toThrow(new UsageError(message));
    expect(connection.pendingOutput).toBe(0);
    connection.ping(pattern(125));
    expect(lines(takeBytes(connection))).toEqual([`ping ${content(pattern(125))}`]);
  });
});

describe.each(ROLES)("answers to pings, as a %s,", (role) => {
  const header = role === "client" ? 6 : 2;

  function pings(from: number, to: number): Uint8Array {
    const numbers = Array.from({ length: to - from }, (_, i) => from + i);
    return join(numbers.map((n) => frame(peerOf(role), 0x89, Uint8Array.of(n >> 8, n & 0xff))));
  }

  it("go out in order, one for each ping, while the output is taken", () => {
    const connection = open(role);
    for (let n = 0; n < 30_000; n += 1000) {
      connection.receive(pings(n, n + 1000), 0);
      const answers = readFrames(takeBytes(connection)).map(({ payload }) =>
        payload[0]! << 8 | payload[1]!
      );
      expect(answers).toEqual(Array.from({ length: 1000 }, (_, i) => n + i));
    }
  });

  it("stay below the bound when the output is not taken, and then end with the latest", () => {
    const connection = new Connection({ role, limits: { maxPendingReplies: 1000 } }, 0);
    let most = 0;
    for (let n = 0; n < 50_000; n += 500) {
      connection.receive(pings(n, n + 500), 0);
      most = Math.max(most, connection.pendingOutput);
    }
    // The bound is passed by less than one pong, and one more is owed.
    const size = header + 2;
    expect(most).toBeLessThan(1000 + 2 * size);
    const { pendingOutput } = connection;
    const output = takeBytes(connection);
    expect(output.length).toBe(pendingOutput);
    const answers = lines(output);
    expect(answers).toHaveLength(Math.ceil(1000 / size) + 1);
    expect(answers.slice(0, 3)).toEqual(["pong 0000", "pong 0001", "pong 0002"]);
    expect(answers.at(-1)).toBe("pong c34f");
  });

  it("go out in full again after the output was taken", () => {
    const connection = new Connection({ role, limits: { maxPendingReplies: 1 } }, 0);
    connection.receive(pings(0, 3), 0);
    expect(lines(takeBytes(connection))).toEqual(["pong 0000", "pong 0002"]);
    expect(connection.pendingOutput).toBe(0);
    connection.receive(pings(3, 5), 0);
    expect(lines(takeBytes(connection))).toEqual(["pong 0003", "pong 0004"]);
  });

  it("do not count the pings, pongs and messages of the application", () => {
    const connection = new Connection({ role, limits: { maxPendingReplies: 1 } }, 0);
    connection.sendBinary(pattern(2000));
    connection.pong(pattern(100));
    connection.receive(pings(0, 1), 0);
    expect(lines(takeBytes(connection)).at(-1)).toBe("pong 0000");
  });

  it("keep the payload of an owed pong, although its chunk is gone", () => {
    const connection = new Connection({ role, limits: { maxPendingReplies: 1 } }, 0);
    const chunk = pings(7, 9);
    connection.receive(chunk, 0);
    chunk.fill(0);
    expect(lines(takeBytes(connection))).toEqual(["pong 0007", "pong 0008"]);
  });

  it("go out before the Close frame, owed or not", () => {
    const connection = new Connection({ role, limits: { maxPendingReplies: 1 } }, 0);
    connection.receive(pings(0, 3), 0);
    connection.close(1000, "", 0);
    expect(lines(takeBytes(connection))).toEqual(["pong 0000", "pong 0002", "close 1000 \"\""]);
    expect(connection.takeOutput()).toEqual([]);
  });
});

describe("Connection.sendBinary", () => {
  it("passes on a server's large payload by reference, and never writes to it", () => {
    const connection = open("server");
    const payload = pattern(BY_REFERENCE_FROM);
    connection.sendBinary(payload);
    expect(connection.takeOutput()).toContain(payload);
    const client = open("client");
    client.sendBinary(payload);
    client.sendFragment(payload, true);
    expect(client.takeOutput().some((chunk) => chunk.buffer === payload.buffer)).toBe(false);
    expect(content(payload)).toBe(content(pattern(BY_REFERENCE_FROM)));
  });

  it("sends a view's own bytes only", () => {
    const connection = open("server");
    connection.sendBinary(pattern(100).subarray(10, 13));
    expect(lines(takeBytes(connection))).toEqual([`binary ${content(pattern(100).slice(10, 13))}`]);
  });
});

describe.each(ROLES)("with permessage-deflate, as a %s,", (role) => {
  function compressing(threshold = 3, calls: Calls = []): Connection {
    return new Connection({ role, deflate: copyingDeflate({ threshold, calls }) }, 0);
  }

  it("messages from the threshold on are marked and compressed", () => {
    const connection = compressing();
    connection.sendText("ab");
    connection.sendText("abc");
    connection.sendBinary(hex("0102"));
    connection.sendBinary(hex("010203"));
    expect(lines(takeBytes(connection))).toEqual([
      "text \"ab\"",
      "text~ \"abc\"",
      "binary 0102",
      "binary~ 010203",
    ]);
  });

  it("a message can ask not to be compressed", () => {
    const connection = compressing(0);
    connection.sendText("abc", { compress: false });
    connection.sendBinary(hex("00"), { compress: false });
    connection.sendText("abc", { compress: true });
    connection.sendText("abc", {});
    expect(lines(takeBytes(connection))).toEqual([
      "text \"abc\"",
      "binary 00",
      "text~ \"abc\"",
      "text~ \"abc\"",
    ]);
  });

  it("only the first fragment is marked, and its options are those of the message", () => {
    const connection = compressing();
    connection.sendFragment("a", false);
    connection.sendFragment("b", true, { compress: false });
    connection.sendFragment("c", false, { compress: false });
    connection.sendFragment("d", true, { compress: true });
    // A fragment that is not the last ends in the bytes of a flush.
    expect(lines(takeBytes(connection))).toEqual([
      `text~+ ${content(`a${String.fromCharCode(0, 0)}\ufffd\ufffd`)}`,
      "continuation 62",
      "text+ \"c\"",
      "continuation 64",
    ]);
  });

  it("the codecs are closed with the connection, and only then", () => {
    const calls: Calls = [];
    const connection = compressing(0, calls);
    connection.sendText("abc");
    connection.receive(frame(peerOf(role), 0xc1, "x"), 0);
    connection.close(1000, "", 0);
    expect(calls).toEqual(["deflate"]);
    connection.receiveEnd(0);
    expect(calls).toEqual(["deflate", "close deflater", "close inflater"]);
  });
});
