// Messages from frames: what is handed over whole, in pieces, as text and as bytes; limits at their
// edge; who owns which memory. Well-formed frames at every cut are frame/frames.test.ts, text
// conformance/text.test.ts, violations violations.test.ts.

import { describe, expect, it } from "vitest";
import { Connection, type ConnectionOptions } from "../../core/connection.ts";
import type { MessageDeflate } from "../../core/deflate/transform.ts";
import type { ConnectionEvent } from "../../core/events.ts";
import { copyingDeflate } from "./codec.ts";
import {
  chop,
  content,
  cuts,
  frame,
  hex,
  join,
  line,
  lines,
  pattern,
  receiveAll,
  takeBytes,
  toHex,
  utf8,
} from "./support.ts";

function open(options: Omit<ConnectionOptions, "role"> = {}): Connection {
  return new Connection({ role: "client", ...options }, 0);
}

function server(first: number, payload: Uint8Array | string = ""): Uint8Array {
  return frame("server", first, payload);
}

/** What the chunks are reported as. */
function report(
  options: Omit<ConnectionOptions, "role">,
  ...chunks: readonly Uint8Array[]
): string[] {
  return receiveAll(open(options), chunks).map(line);
}

describe("text: \"bytes\"", () => {
  const BYTES = { text: "bytes" } as const;

  it("hands over text as UTF-8, in one view of the chunk where it lies in one", () => {
    const chunk = server(0x81, "κόσμε");
    const [event] = open(BYTES).receive(chunk, 0);
    expect(event).toMatchObject({
      type: "utf8",
      data: { buffer: chunk.buffer, byteOffset: 2, length: 10 },
    });
    expect(report(BYTES, server(0x81))).toEqual(["utf8 "]);
  });

  it("joins fragments and chunks, and leaves binary messages as they are", () => {
    const wire = join([
      server(0x01, "κό"),
      server(0x89),
      server(0x80, "σμε"),
      server(0x82, hex("ff")),
    ]);
    for (const { name, chunks } of cuts(wire)) {
      expect(report(BYTES, ...chunks), name).toEqual([
        "ping ",
        `utf8 ${toHex(utf8("κόσμε"))}`,
        "binary ff",
      ]);
    }
  });
});

describe("messages: \"pieces\"", () => {
  const PIECES = { messages: "pieces" } as const;

  it("hands over each frame's part in each chunk as it comes", () => {
    const [first, second] = [server(0x02, hex("010203")), server(0x80, hex("0405"))];
    expect(report(PIECES, first.slice(0, 3), first.slice(3), second)).toEqual([
      "piece of binary 01",
      "piece of binary 0203",
      "piece of binary 0405 final",
    ]);
  });

  it("hands over a view of the chunk", () => {
    const chunk = server(0x02, hex("0102"));
    const [event] = open(PIECES).receive(chunk, 0);
    expect(event).toMatchObject({ data: { buffer: chunk.buffer, byteOffset: 2, length: 2 } });
  });

  it("ends every message with a final piece, empty where nothing is left", () => {
    expect(report(PIECES, server(0x82))).toEqual(["piece of binary  final"]);
    expect(report(PIECES, server(0x81))).toEqual(["piece of text \"\" final"]);
    expect(report(PIECES, server(0x01, "a"), server(0x80))).toEqual([
      "piece of text \"a\"",
      "piece of text \"\" final",
    ]);
  });

  it("reports no empty piece in the middle", () => {
    expect(report(PIECES, server(0x02), server(0x00), server(0x80))).toEqual([
      "piece of binary  final",
    ]);
    expect(report(PIECES, ...chop(server(0x81, "é𝄞"), 1))).toEqual([
      "piece of text \"é\"",
      "piece of text \"𝄞\" final",
    ]);
    const bytes = report({ messages: "pieces", text: "bytes" }, ...chop(server(0x81, "é"), 1));
    expect(bytes).toEqual(["piece of text c3", "piece of text a9 final"]);
  });

  it("never ends a string inside of a character, at any cut", () => {
    const text = "aé€𝄞b𝄞";
    const wire = join([server(0x01, utf8(text).slice(0, 5)), server(0x80, utf8(text).slice(5))]);
    for (const { name, chunks } of cuts(wire)) {
      const pieces = receiveAll(open(PIECES), chunks).map((event) =>
        (event as { data: string; }).data
      );
      expect(pieces.join(""), name).toBe(text);
      for (const piece of pieces) expect(piece, name).toBe(new TextDecoder().decode(utf8(piece)));
    }
  });

  it("keeps a character's beginning apart from the chunk that brought it", () => {
    const connection = open(PIECES);
    const chunk = server(0x01, Uint8Array.of(0xf0, 0x9d));
    expect(connection.receive(chunk, 0)).toEqual([]);
    chunk.fill(0);
    expect(connection.receive(server(0x80, Uint8Array.of(0x84, 0x9e)), 0).map(line)).toEqual([
      "piece of text \"𝄞\" final",
    ]);
  });

  it("hands over binary pieces whatever is in them", () => {
    expect(report(PIECES, server(0x02, hex("fe")), server(0x80, hex("c3")))).toEqual([
      "piece of binary fe",
      "piece of binary c3 final",
    ]);
  });

  it("reports control frames between the pieces, and messages one behind the other", () => {
    const wire = [
      server(0x01, "a"),
      server(0x89, hex("01")),
      server(0x80, "b"),
      server(0x82, hex("02")),
    ];
    expect(report(PIECES, join(wire))).toEqual([
      "piece of text \"a\"",
      "ping 01",
      "piece of text \"b\" final",
      "piece of binary 02 final",
    ]);
  });

  it("passes on a message far above what would be held, but not above the limit", () => {
    const connection = open({ ...PIECES, limits: { maxMessageSize: 2 ** 40 } });
    const events: ConnectionEvent[] = [...connection.receive(hex("82 7f 0000000100000000"), 0)];
    const megabyte = new Uint8Array(2 ** 20);
    for (let i = 0; i < 4096; i++) events.push(...connection.receive(megabyte, 0));
    expect(events).toHaveLength(4096);
    expect(events.map((event) => event.type === "piece" && event.final).indexOf(true)).toBe(4095);
  });

  it("counts the pieces of one message together", () => {
    const four = { ...PIECES, limits: { maxMessageSize: 4 } };
    expect(report(four, join([server(0x89), server(0x02, hex("0102")), server(0x80, hex("0304"))])))
      .toHaveLength(3);
    const limited = open({ ...PIECES, limits: { maxMessageSize: 3 } });
    limited.receive(server(0x02, hex("0102")), 0);
    expect(limited.receive(server(0x80, hex("0304")), 0)).toEqual([]);
    expect(lines(takeBytes(limited))[0]).toMatch(/^close 1009 /);
  });

  it("hands over the pieces of a compressed message inflated", () => {
    const wire = [
      server(0x41, "ab"),
      server(0x00, "é").slice(0, 3),
      server(0x00, "é").slice(3),
      server(0x80, "c"),
    ];
    expect(report({ ...PIECES, deflate: copyingDeflate() }, ...wire)).toEqual([
      "piece of text \"ab\"",
      "piece of text \"é\"",
      "piece of text \"c\" final",
    ]);
  });
});

describe("maxMessageSize", () => {
  const LIMIT = { limits: { maxMessageSize: 10 } };

  it("is the size of the largest message, however it comes", () => {
    expect(report(LIMIT, server(0x82, pattern(10)))).toEqual([`binary ${content(pattern(10))}`]);
    expect(report(LIMIT, server(0x01, "12345"), server(0x00), server(0x80, "67890"))).toEqual([
      "text \"1234567890\"",
    ]);
    expect(report({ ...LIMIT, deflate: copyingDeflate() }, server(0xc1, "1234567890"))).toEqual([
      "text \"1234567890\"",
    ]);
  });

  it("counts every message anew", () => {
    const message = server(0x82, pattern(10));
    const parts = join([server(0x02, pattern(9)), server(0x80, pattern(1))]);
    expect(report(LIMIT, message, parts, message, parts)).toHaveLength(4);
  });

  it("fails at the header, before any of the payload has come", () => {
    for (
      const start of [[server(0x82, pattern(11)).slice(0, 2)], [
        server(0x02, pattern(9)),
        server(0x80, "12").slice(0, 2),
      ]]
    ) {
      const connection = open(LIMIT);
      receiveAll(connection, start);
      expect(lines(takeBytes(connection))[0]).toMatch(/^close 1009 /);
    }
  });

  it("does not count control frames", () => {
    expect(report(LIMIT, server(0x89, pattern(11)), server(0x8a, pattern(125)))).toHaveLength(2);
  });

  it("is no limit when it is Infinity", () => {
    const connection = open({ limits: { maxMessageSize: Infinity } });
    connection.receive(hex("82 7f 7fffffffffffffff"), 0);
    expect(connection.state).toBe("open");
  });

  it("stops a compressed message while it inflates", () => {
    const connection = open({ ...LIMIT, deflate: copyingDeflate() });
    connection.receive(server(0x42, pattern(6)), 0);
    expect(connection.state).toBe("open");
    connection.receive(server(0x00, pattern(5)).slice(0, 6), 0);
    expect(connection.state).toBe("open");
    connection.receive(server(0x00, pattern(5)).slice(6), 0);
    expect(lines(takeBytes(connection))[0]).toMatch(/^close 1009 /);
  });
});

describe("a compressed message", () => {
  // What an inflater keeps back until the end of the message is in sight.
  function keepingBack(rest: string): MessageDeflate {
    const deflate = {
      threshold: 0,
      shareKey: undefined,
      inflate: (piece: Uint8Array) => piece.slice(),
      close: () => {},
    };
    return { ...deflate, finish: () => utf8(rest) } as Partial<MessageDeflate> as MessageDeflate;
  }

  it("tells the inflater how much room the limit leaves, for a part and for the end", () => {
    const rooms: number[] = [];
    const deflate = {
      inflate: (piece: Uint8Array, room: number) => [piece.slice(), rooms.push(room)] as const,
      finish: (room: number) => [utf8(""), rooms.push(room)] as const,
    };
    const recording = {
      inflate: (...of: [Uint8Array, number]) => deflate.inflate(...of)[0],
      finish: (room: number) => deflate.finish(room)[0],
    };
    const options = {
      limits: { maxMessageSize: 10 },
      deflate: recording as Partial<MessageDeflate> as MessageDeflate,
    };
    expect(report(options, server(0x41, "abc"), server(0x80, "de"))).toEqual(["text \"abcde\""]);
    expect(rooms).toEqual([10, 7, 5]);
  });

  it("ends with what the inflater had kept back", () => {
    const wire = [server(0x41, "a"), server(0x80, "b")];
    expect(report({ deflate: keepingBack("c") }, ...wire)).toEqual(["text \"abc\""]);
    expect(report({ deflate: keepingBack("") }, ...wire)).toEqual(["text \"ab\""]);
    expect(report({ messages: "pieces", deflate: keepingBack("c") }, ...wire)).toEqual([
      "piece of text \"a\"",
      "piece of text \"bc\" final",
    ]);
  });

  it("throws an error of the codec itself, which is no violation", () => {
    const broken = { inflate: () => expect.fail("out of memory"), close: () => {} } as Partial<
      MessageDeflate
    > as MessageDeflate;
    const connection = open({ deflate: broken });
    expect(() => connection.receive(server(0xc1, "a"), 0)).toThrow("out of memory");
    expect(connection.state).toBe("open");
  });
});

describe("the memory of messages", () => {
  const SIZES = [1, 100, 300, 5000];

  // Without the byte that the codec takes for corrupt.
  function payload(size: number): Uint8Array {
    return pattern(size).map((byte) => byte & 0x7f);
  }

  /** A message, another one in two fragments, and a ping. */
  function wire(size: number, compressed: boolean): Uint8Array {
    const first = compressed ? 0xc2 : 0x82;
    const parts = [[first, payload(size)], [first & 0x7f, payload(size)], [0x80, payload(size)], [
      0x89,
      payload(100),
    ]] as const;
    return join(parts.map(([opcode, bytes]) => frame("client", opcode, bytes)));
  }

  it.each([false, true])(
    "belongs to who got them: nothing that comes later changes it (compressed: %s)",
    (compressed) => {
      const deflate = compressed ? copyingDeflate() : undefined;
      const connection = new Connection({ role: "server", deflate }, 0);
      const chunks = SIZES.flatMap((size) => {
        const bytes = wire(size, compressed);
        return [bytes, ...chop(bytes, 97), ...chop(bytes, 1)];
      });
      const events = receiveAll(connection, chunks);
      const once = (size: number): string[] => [
        `binary ${content(payload(size))}`,
        `binary ${content(join([payload(size), payload(size)]))}`,
        `ping ${content(payload(100))}`,
      ];
      expect(events.map(line)).toEqual(
        SIZES.flatMap((size) => [...once(size), ...once(size), ...once(size)]),
      );
    },
  );
});
