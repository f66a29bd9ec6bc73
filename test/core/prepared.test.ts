// Prepared messages: encoded once, framed once for all servers' connections, masked anew for each
// client, compressed once for each set of parameters. Their frames are copied, or shared where the
// output is.

import { describe, expect, it } from "vitest";
import { Connection } from "../../core/connection.ts";
import { UsageError } from "../../core/errors.ts";
import { BY_REFERENCE_FROM } from "../../core/output.ts";
import { prepareBinary, prepareText } from "../../core/prepared.ts";
import { type Calls, copyingDeflate } from "./codec.ts";
import {
  content,
  frame,
  hex,
  join,
  line,
  lines,
  pattern,
  readFrames,
  takeBytes,
} from "./support.ts";

function server(
  deflate?: ReturnType<typeof copyingDeflate>,
  output?: "owned" | "shared",
): Connection {
  return new Connection({ role: "server", deflate, output }, 0);
}

describe("prepareText and prepareBinary", () => {
  it("give a message that any connection can send, as often as it likes", () => {
    const messages = [prepareText("κόσμε"), prepareBinary(pattern(70_000)), prepareText("")];
    for (const role of ["client", "server"] as const) {
      const connection = new Connection({ role }, 0);
      for (const message of [...messages, ...messages]) connection.sendPrepared(message);
      const once = ["text \"κόσμε\"", `binary ${content(pattern(70_000))}`, "text \"\""];
      expect(lines(takeBytes(connection))).toEqual([...once, ...once]);
    }
  });

  it("are framed once for all servers", () => {
    const message = prepareText("Hello");
    expect(message.plainFrame).toEqual(frame("server", 0x81, "Hello"));
    expect(message.plainFrame).toBe(message.plainFrame);
  });

  it("let a client mask a copy under a key of its own", () => {
    const message = prepareBinary(pattern(300));
    const client = new Connection({ role: "client" }, 0);
    client.sendPrepared(message);
    client.sendPrepared(message);
    const wire = takeBytes(client);
    expect(content(wire.slice(4, 8))).not.toBe(content(wire.slice(312, 316)));
    for (const { payload, masked } of readFrames(wire)) {
      expect(masked).toBe(true);
      expect(content(payload)).toBe(content(pattern(300)));
    }
    expect(content(message.payload)).toBe(content(pattern(300)));
  });

  it("keep their place behind what was sent before", () => {
    const connection = server();
    connection.sendText("a");
    connection.sendPrepared(prepareText("b"));
    connection.sendText("c");
    expect(lines(takeBytes(connection))).toEqual(["text \"a\"", "text \"b\"", "text \"c\""]);
  });

  it("are refused inside of a fragmented message", () => {
    const connection = server();
    connection.sendFragment("a", false);
    expect(() => connection.sendPrepared(prepareText("b"))).toThrow(UsageError);
  });
});

describe("a prepared message under permessage-deflate", () => {
  it("is compressed once for all servers' connections whose parameters are the same and keep no window", () => {
    const message = prepareText("Hello");
    const chunks = [1, 2, 3].map(() => {
      const connection = server(copyingDeflate({ takeover: false }), "shared");
      connection.sendPrepared(message);
      return connection.takeOutput();
    });
    expect(chunks[0]).toEqual([frame("server", 0xc1, "Hello")]);
    expect(chunks[1]![0]).toBe(chunks[0]![0]);
    expect(chunks[2]![0]).toBe(chunks[0]![0]);
  });

  it("has a compressed frame for each set of parameters, and a plain one", () => {
    const message = prepareText("Hello");
    const deflate = copyingDeflate({ takeover: false });
    const one = message.sharedFrame("one", deflate);
    expect(message.sharedFrame("two", deflate)).not.toBe(one);
    expect(message.sharedFrame("one", deflate)).toBe(one);
    expect(message.plainFrame).toEqual(frame("server", 0x81, "Hello"));
  });

  it.each(
    [
      { role: "server", takeover: true, why: "where the window is kept" },
      { role: "client", takeover: false, why: "by a client" },
    ] as const,
  )("is compressed anew $why", ({ role, takeover }) => {
    const message = prepareText("Hello");
    const calls: Calls = [];
    const connection = new Connection({ role, deflate: copyingDeflate({ takeover, calls }) }, 0);
    connection.sendPrepared(message);
    connection.sendPrepared(message);
    const frames = readFrames(takeBytes(connection));
    expect(frames.map(({ first, masked }) => [first, masked])).toEqual([[0xc1, role === "client"], [
      0xc1,
      role === "client",
    ]]);
    expect(calls.filter((call) => call === "deflate")).toHaveLength(2);
  });

  it("may be compressed unless it was prepared otherwise", () => {
    expect([
      prepareText("a"),
      prepareText("a", {}),
      prepareBinary(hex(""), { compress: undefined }),
    ]).toMatchObject([
      { compress: true },
      { compress: true },
      { compress: true },
    ]);
    expect(prepareText("a", { compress: false }).compress).toBe(false);
  });

  it("goes out plain below the threshold, and where it was prepared so", () => {
    const connection = server(copyingDeflate({ threshold: 3 }));
    connection.sendPrepared(prepareText("ab"));
    connection.sendPrepared(prepareText("abcd", { compress: false }));
    connection.sendPrepared(prepareBinary(hex("00010203"), { compress: true }));
    connection.sendPrepared(prepareBinary(hex("00010203"), {}));
    expect(lines(takeBytes(connection))).toEqual([
      "text \"ab\"",
      "text \"abcd\"",
      "binary~ 00010203",
      "binary~ 00010203",
    ]);
  });

  it("is understood at the other end", () => {
    const message = prepareText("Hello");
    const connection = server(copyingDeflate({ takeover: false }));
    connection.sendPrepared(message);
    const client = new Connection({ role: "client", deflate: copyingDeflate() }, 0);
    expect(client.receive(takeBytes(connection), 0).map(line)).toEqual(["text \"Hello\""]);
  });
});

describe("ConnectionOptions.output", () => {
  const LARGE = pattern(BY_REFERENCE_FROM);

  function buffersOf(connection: Connection): ArrayBufferLike[] {
    return connection.takeOutput().map(({ buffer }) => buffer);
  }

  it("shared: gives the frame itself to every server, without a copy", () => {
    const message = prepareText("Hello");
    for (let i = 0; i < 2; i++) {
      const connection = server(undefined, "shared");
      connection.sendPrepared(message);
      const chunks = connection.takeOutput();
      expect(chunks).toHaveLength(1);
      expect(chunks[0]).toBe(message.plainFrame);
    }
  });

  it("shared: copies a small frame behind other output, and no large one", () => {
    const small = prepareBinary(pattern(BY_REFERENCE_FROM - 5));
    const large = prepareBinary(pattern(BY_REFERENCE_FROM - 4));
    expect(small.plainFrame).toHaveLength(BY_REFERENCE_FROM - 1);
    expect(large.plainFrame).toHaveLength(BY_REFERENCE_FROM);
    for (const [message, shared] of [[small, false], [large, true]] as const) {
      const connection = server(undefined, "shared");
      connection.sendText("first");
      connection.sendPrepared(message);
      const chunks = connection.takeOutput();
      expect(chunks.includes(message.plainFrame)).toBe(shared);
      expect(chunks).toHaveLength(shared ? 2 : 1);
    }
  });

  it.each([undefined, "owned"] as const)("%s: copies every frame, large ones too", (output) => {
    for (const message of [prepareText("Hello"), prepareBinary(LARGE)]) {
      const connection = server(undefined, output);
      connection.sendPrepared(message);
      connection.sendPrepared(message);
      const kept = content(message.plainFrame);
      const chunks = connection.takeOutput();
      const frames = readFrames(join(chunks));
      expect(frames.map(({ payload }) => content(payload))).toEqual([
        content(message.payload),
        content(message.payload),
      ]);
      for (const chunk of chunks) chunk.fill(0xee);
      expect(content(message.plainFrame)).toBe(kept);
    }
  });

  it("owned: copies compressed frames too", () => {
    const message = prepareText("Hello");
    const deflate = copyingDeflate({ takeover: false });
    const kept = message.sharedFrame(deflate.shareKey!, deflate);
    const connection = server(deflate);
    connection.sendPrepared(message);
    for (const chunk of connection.takeOutput()) chunk.fill(0xee);
    expect(kept).toEqual(frame("server", 0xc1, "Hello"));
  });

  // A host may transfer chunks to a worker, which detaches their buffers.
  it("owned: chunks can be transferred away, and harm no other connection", () => {
    const messages = [prepareText("Hello"), prepareBinary(LARGE)];
    const connections = [1, 2, 3].map(() => server());
    const say = (connection: Connection): void => {
      connection.sendText("a");
      for (const message of messages) connection.sendPrepared(message);
      connection.sendText("é".repeat(9000));
      connection.ping();
    };
    const said = (connection: Connection): string[] => lines(join(connection.takeOutput()));
    const [first, second, third] = connections as [Connection, Connection, Connection];
    for (const connection of connections) say(connection);
    const expected = said(third);
    expect(expected).toHaveLength(5);
    const chunks = first.takeOutput();
    // While the first goes on, and the second has not left.
    say(first);
    for (const chunk of chunks) {
      structuredClone(chunk, { transfer: [chunk.buffer as ArrayBuffer] });
      expect(chunk.buffer.byteLength).toBe(0);
    }
    expect(said(first)).toEqual(expected);
    expect(said(second)).toEqual(expected);
    say(third);
    expect(said(third)).toEqual(expected);
  });

  it("owned: no two chunks share a buffer, within one connection or between two", () => {
    const message = prepareBinary(LARGE);
    const buffers = [1, 2].flatMap(() => {
      const connection = server();
      for (let i = 0; i < 3; i++) {
        connection.sendText("a");
        connection.sendBinary(pattern(BY_REFERENCE_FROM));
        connection.sendPrepared(message);
      }
      return buffersOf(connection);
    });
    expect(buffers.length).toBeGreaterThan(10);
    expect(new Set(buffers).size).toBe(buffers.length);
  });
});
