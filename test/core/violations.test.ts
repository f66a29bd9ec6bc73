// Every rule of VIOLATIONS, broken at every cut: the Close frame that answers, and a `closed` event
// exactly once and last (RFC 6455 §7.1.7).

import { describe, expect, it } from "vitest";
import { MAX_REASON_BYTES } from "../../core/close.ts";
import { Connection } from "../../core/connection.ts";
import { ProtocolError } from "../../core/errors.ts";
import type { ConnectionEvent } from "../../core/events.ts";
import { type ViolationName, VIOLATIONS } from "../../core/violations.ts";
import { SILENCE_VECTORS, VIOLATION_VECTORS } from "../vectors/violations.ts";
import { cuts, frame, line, lines, peerOf, receiveAll, takeBytes, utf8 } from "./support.ts";

const NAMES = Object.keys(VIOLATIONS) as ViolationName[];

/**
 * The connection has just failed: checks its last words, and that nothing it is told afterwards has
 * any effect.
 */
function expectFailed(
  connection: Connection,
  violation: ViolationName,
  answers: readonly string[],
): void {
  const { code, message, section } = VIOLATIONS[violation];
  const reason = `${message} (${section})`;
  expect(connection.state).toBe("closing");
  expect(connection.closeSent).toEqual({ code, reason });
  expect(lines(takeBytes(connection))).toEqual([...answers, `close ${code} "${reason}"`]);
  expect(connection.outputEnded).toBe(true);
  expect(connection.receive(utf8("anything"), 0)).toEqual([]);
  expect(connection.pendingOutput).toBe(0);
}

/** The events from the end of the transport on. */
function end(connection: Connection): ConnectionEvent[] {
  return [
    ...connection.receiveEnd(0),
    ...connection.receiveEnd(0, new Error("again")),
    ...connection.tick(1e9),
    ...connection.receive(utf8("anything"), 1e9),
  ];
}

describe("VIOLATIONS", () => {
  const covered = new Set(
    [...VIOLATION_VECTORS, ...SILENCE_VECTORS].map(({ violation }) => violation),
  );

  it.each(NAMES)("has a vector for %s", (name) => {
    expect(covered).toContain(name);
  });

  it("has another code than 1002 just where RFC 6455 §7.4.1 has one for it", () => {
    const special = NAMES.filter((name) => VIOLATIONS[name].code !== 1002);
    expect(Object.fromEntries(special.map((name) => [name, VIOLATIONS[name].code]))).toEqual({
      "text-not-utf8": 1007,
      "close-reason-not-utf8": 1007,
      "deflate-corrupt": 1007,
      "message-too-big": 1009,
      "pong-overdue": 1011,
      "idle-too-long": 1001,
    });
  });

  it.each(NAMES)(
    "%s has a code for the wire, a section and a sentence that fits a Close frame",
    (name) => {
      const error = new ProtocolError(name);
      expect([1001, 1002, 1007, 1009, 1011]).toContain(error.code);
      expect(error.section).toMatch(/^RFC (6455|7692) §\d+(\.\d+)*$/);
      expect(utf8(error.message).length).toBeLessThanOrEqual(MAX_REASON_BYTES);
      expect(error).toMatchObject({
        name: "ProtocolError",
        violation: name,
        message: expect.stringContaining(error.section),
      });
    },
  );
});

describe("Connection.receive", () => {
  it.each(VIOLATION_VECTORS)(
    "fails a $role for $violation: $name",
    ({ violation, role, wire, before, options }) => {
      for (const { name, chunks } of cuts(wire)) {
        const connection = new Connection({ role, ...options() }, 0);
        expect(receiveAll(connection, chunks).map(line), name).toEqual(before);
        expectFailed(
          connection,
          violation,
          before.filter((each) => each.startsWith("ping")).map(() => "pong"),
        );
        const { code } = VIOLATIONS[violation];
        const events = end(connection);
        expect(events).toMatchObject([{
          type: "closed",
          code,
          clean: false,
          cause: "violation",
          error: { violation },
        }]);
      }
    },
  );

  it("delivers what came before the violation in the same chunk, and nothing of what came after it", () => {
    const connection = new Connection({ role: "server" }, 0);
    const parts = [
      frame("client", 0x81, "before"),
      frame("client", 0x83),
      frame("client", 0x81, "after"),
    ];
    const chunk = Uint8Array.from(parts.flatMap((part) => [...part]));
    expect(connection.receive(chunk, 0).map(line)).toEqual(["text \"before\""]);
    expectFailed(connection, "reserved-opcode", []);
  });
});

describe("Connection.tick", () => {
  it.each(SILENCE_VECTORS)(
    "fails a silent peer for $violation",
    ({ violation, timeouts, ticks }) => {
      const connection = new Connection({ role: "server", timeouts }, 0);
      for (const now of ticks.slice(0, -1)) expect(connection.tick(now)).toEqual([]);
      expect(connection.state).toBe("open");
      expect(connection.tick(ticks.at(-1)!)).toEqual([]);
      expectFailed(connection, violation, violation === "pong-overdue" ? ["ping 00000001"] : []);
      const { code } = VIOLATIONS[violation];
      expect(end(connection)).toMatchObject([{
        type: "closed",
        code,
        cause: "timeout",
        clean: false,
        error: { violation },
      }]);
    },
  );

  it("closes a failed connection whose transport does not end", () => {
    const connection = new Connection({ role: "client", timeouts: { close: 100 } }, 0);
    connection.receive(frame(peerOf("client"), 0x83), 50);
    expect(connection.deadline).toBe(150);
    expect(connection.tick(149)).toEqual([]);
    expect(connection.tick(150)).toMatchObject([{
      type: "closed",
      code: 1002,
      cause: "violation",
    }]);
    expect(connection.deadline).toBe(Infinity);
  });
});
