// The table of legal frames, read and written: decoder.ts, encoder.ts and what a connection makes
// of both (RFC 6455 §5).

import { describe, expect, it } from "vitest";
import { Connection } from "../../../core/connection.ts";
import { FrameDecoder } from "../../../core/frame/decoder.ts";
import { FIN, PLAIN_RULES, RSV1 } from "../../../core/frame/header.ts";
import { FRAMES } from "../../vectors/frames.ts";
import type { Frame } from "../support.ts";
import {
  content,
  cuts,
  join,
  line,
  peerOf,
  readFrames,
  receiveAll,
  takeBytes,
} from "../support.ts";

function decode(chunks: readonly Uint8Array[], masked: boolean): Frame[] {
  const decoder = new FrameDecoder(PLAIN_RULES, masked);
  const frames: Frame[] = [];
  let parts: Uint8Array[] = [];
  for (const chunk of chunks) {
    decoder.push(chunk);
    while (decoder.next()) {
      if (decoder.first) parts = [];
      parts.push(decoder.chunk.slice(decoder.start, decoder.end));
      if (!decoder.last) continue;
      const first = decoder.opcode | (decoder.fin ? FIN : 0) | (decoder.rsv1 ? RSV1 : 0);
      frames.push({ first, payload: join(parts), masked });
      expect(decoder.length).toBe(join(parts).length);
    }
    decoder.release();
  }
  return frames;
}

function summary(frames: readonly Frame[]): string[] {
  return frames.map(({ first, payload, masked }) =>
    `${first.toString(16)} ${masked} ${content(payload)}`
  );
}

describe("FrameDecoder", () => {
  it.each(FRAMES)("reads $name from a $from at every cut", ({ from, wire }) => {
    const expected = summary(readFrames(wire));
    for (const { name, chunks } of cuts(wire)) {
      expect(summary(decode(chunks, from === "client")), name).toEqual(expected);
    }
  });

  it("reads nothing from empty chunks, before a header, inside of one and inside of a payload", () => {
    const { wire } = FRAMES[1]!;
    const chunks = Array.from(wire, (byte) => [new Uint8Array(0), Uint8Array.of(byte)]).flat();
    expect(summary(decode(chunks, true))).toEqual(summary(readFrames(wire)));
  });
});

describe("Connection.receive", () => {
  it.each(FRAMES)("reports $name from a $from at every cut", ({ from, wire, events }) => {
    for (const { name, chunks } of cuts(wire)) {
      const connection = new Connection({ role: peerOf(from) }, 0);
      expect(receiveAll(connection, chunks).map(line), name).toEqual(events);
    }
  });

  it("returns the one frozen empty array when a chunk causes no event", () => {
    const connection = new Connection({ role: "client" }, 0);
    const nothing = connection.receive(Uint8Array.of(0x81), 0);
    expect(nothing).toEqual([]);
    expect(connection.tick(0)).toBe(nothing);
    expect(Object.isFrozen(nothing)).toBe(true);
  });

  it("makes a view of the chunk of a binary message that lies in it whole", () => {
    const connection = new Connection({ role: "client" }, 0);
    const chunk = Uint8Array.of(0x82, 0x02, 0x0a, 0x0b);
    const [event] = connection.receive(chunk, 0);
    expect(event).toMatchObject({ type: "binary", data: { buffer: chunk.buffer, byteOffset: 2 } });
  });
});

describe("Connection's commands", () => {
  it.each(FRAMES)("write $name as a $from", ({ from, wire, send }) => {
    const connection = new Connection({ role: from }, 0);
    send(connection);
    const { pendingOutput } = connection;
    const output = takeBytes(connection);
    // A client's masking keys are its own: all but the four bytes of each is compared through the
    // naive reader.
    expect(output.length).toBe(wire.length);
    expect(pendingOutput).toBe(wire.length);
    expect(summary(readFrames(output))).toEqual(summary(readFrames(wire)));
    if (from === "server") expect(content(output)).toBe(content(wire));
  });
});
