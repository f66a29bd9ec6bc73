// Events and the memory of chunks: when `refersToChunk` says that no event needs it any more, nothing else in the connection does.

import { describe, expect, it } from "vitest";
import type { ConnectionOptions } from "../../core/connection.ts";
import { Connection } from "../../core/connection.ts";
import type { ConnectionEvent } from "../../core/events.ts";
import { NO_EVENTS, refersToChunk } from "../../core/events.ts";
import { copyingDeflate } from "./codec.ts";
import { chop, content, frame, hex, join, line, takeBytes, utf8 } from "./support.ts";

const BYTES = hex("00");
const CLOSED = { type: "closed", code: 1000, reason: "", clean: true, cause: "peer" } as const;

const CASES: readonly { readonly event: ConnectionEvent; readonly refers: boolean; }[] = [
  { event: { type: "text", data: "x" }, refers: false },
  { event: { type: "utf8", data: BYTES }, refers: true },
  { event: { type: "binary", data: BYTES }, refers: true },
  { event: { type: "piece", opcode: "text", data: "x", final: false }, refers: false },
  { event: { type: "piece", opcode: "binary", data: BYTES, final: true }, refers: true },
  { event: { type: "ping", data: BYTES }, refers: true },
  { event: { type: "pong", data: BYTES }, refers: true },
  { event: { type: "closing", code: 1000, reason: "" }, refers: false },
  { event: CLOSED, refers: false },
];

describe("refersToChunk", () => {
  it.each(CASES)("is $refers for a $event.type of $event.data", ({ event, refers }) => {
    expect(refersToChunk([event])).toBe(refers);
    expect(refersToChunk([CLOSED, event, CLOSED])).toBe(refers);
  });

  it("is false for no events", () => {
    expect(refersToChunk(NO_EVENTS)).toBe(false);
  });

  const WIRE = join([
    frame("client", 0x81, "whole"),
    frame("client", 0x01, "κόσ"),
    frame("client", 0x89, "ping"),
    frame("client", 0x80, utf8("με𝄞")),
    frame("client", 0x82, "x".repeat(300)),
    frame("client", 0x89, "second ping"),
    frame("client", 0x81, "y".repeat(300)),
    frame("client", 0x88, hex("03e8 62796521")),
  ]);

  const OPTIONS: readonly Omit<ConnectionOptions, "role">[] = [
    {},
    { text: "bytes" },
    { messages: "pieces" },
    { limits: { maxPendingReplies: 1 } },
    { deflate: copyingDeflate() },
  ];

  function run(options: Omit<ConnectionOptions, "role">, size: number, reuse: boolean): string[] {
    const connection = new Connection({ role: "server", ...options }, 0);
    const said = chop(WIRE, size).flatMap((chunk) => {
      const events = connection.receive(chunk, 0);
      const described = events.map(line);
      if (reuse && !refersToChunk(events)) chunk.fill(0xee);
      return described;
    });
    return [...said, ...connection.receiveEnd(0).map(line), content(takeBytes(connection))];
  }

  it.each(OPTIONS)("lets the memory of chunks be used again, whatever their size, with %o", (options) => {
    for (let size = 1; size < 120; size++) {
      expect(run(options, size, true), `${size}`).toEqual(run(options, size, false));
    }
  });
});
