// What a peer can make a connection hold, measured: the heap and the array buffers behind a message
// of a million fragments, and behind a flood of pings. On Node alone, where a program can ask for a
// collection.

import process from "node:process";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { describe, expect, it } from "vitest";
import { Connection } from "../../core/connection.ts";
import { copyingDeflate } from "./codec.ts";
import { frame, hex, join } from "./support.ts";

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;

const MIB = 2 ** 20;

/** Bytes that the program holds. */
function held(): number {
  // An array buffer is freed in a second round.
  collect();
  collect();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

/** How many bytes more are held after the work than before it. */
function growth(work: () => void): number {
  const before = held();
  work();
  return held() - before;
}

function repeat(bytes: Uint8Array, times: number): Uint8Array {
  const repeated = new Uint8Array(bytes.length * times);
  for (let i = 0; i < times; i++) repeated.set(bytes, i * bytes.length);
  return repeated;
}

describe("Connection holds", () => {
  // In the same chunk, and each in a chunk (and a buffer) of its own: an array of one byte costs
  // some 200.
  const COUNT = 1_000_000;

  it.each([
    { name: "one byte", fragment: frame("server", 0x00, hex("61")), content: MIB },
    { name: "no byte", fragment: frame("server", 0x00), content: 0 },
  ])("for a million fragments of $name what their bytes cost", ({ fragment, content }) => {
    const connection = new Connection({ role: "client" }, 0);
    connection.receive(frame("server", 0x02), 0);
    const thousand = repeat(fragment, 1000);
    const grown = growth(() => {
      for (let i = 0; i < COUNT / 1000; i++) connection.receive(thousand.slice(), 0);
    });
    expect(grown).toBeLessThan(2 * content + MIB);
    expect(connection.receive(frame("server", 0x80), 0)).toMatchObject([{
      type: "binary",
      data: { length: content && COUNT },
    }]);
  });

  it("for a million chunks of one byte what their bytes cost", () => {
    const connection = new Connection({ role: "client" }, 0);
    connection.receive(hex("82 7f 00000000000f4241"), 0);
    const grown = growth(() => {
      for (let i = 0; i < COUNT; i++) connection.receive(Uint8Array.of(0x61), 0);
    });
    expect(grown).toBeLessThan(3 * MIB);
    expect(connection.receive(hex("61"), 0)).toMatchObject([{
      type: "binary",
      data: { length: COUNT + 1 },
    }]);
  });

  it("for large chunks with a small fragment between each two what their bytes cost", () => {
    const connection = new Connection({ role: "client" }, 0);
    connection.receive(frame("server", 0x02), 0);
    const grown = growth(() => {
      for (let i = 0; i < 4000; i++) {
        connection.receive(frame("server", 0x00, new Uint8Array(1024)), 0);
        connection.receive(frame("server", 0x00, hex("61")), 0);
      }
    });
    // 4000 kilobytes of content; a view and its buffer for each of them.
    expect(grown).toBeLessThan(7 * MIB);
    expect(connection.state).toBe("open");
  });

  it("for a hundred thousand compressed fragments that inflate to nothing or to a byte what these cost", () => {
    const connection = new Connection({ role: "client", deflate: copyingDeflate() }, 0);
    connection.receive(frame("server", 0x42), 0);
    const fragments = repeat(join([frame("server", 0x00), frame("server", 0x00, hex("61"))]), 1000);
    const grown = growth(() => {
      for (let i = 0; i < 100; i++) connection.receive(fragments.slice(), 0);
    });
    expect(grown).toBeLessThan(MIB);
    expect(connection.receive(frame("server", 0x80), 0)).toMatchObject([{
      type: "binary",
      data: { length: 100_000 },
    }]);
  });

  it("for a million pings, with the answers not taken, what maxPendingReplies allows", () => {
    const connection = new Connection({ role: "client" }, 0);
    const thousand = repeat(frame("server", 0x89, "ping"), 1000);
    const grown = growth(() => {
      for (let i = 0; i < COUNT / 1000; i++) connection.receive(thousand.slice(), 0);
    });
    expect(grown).toBeLessThan(MIB);
    expect(connection.pendingOutput).toBeLessThan(70_000);
  });

  it("of a chunk that holds whole frames and messages nothing", () => {
    const connection = new Connection({ role: "client" }, 0);
    const grown = growth(() => {
      for (let i = 0; i < 50; i++) {
        connection.receive(frame("server", 0x82, new Uint8Array(MIB)), 0);
      }
    });
    expect(grown).toBeLessThan(MIB);
    expect(connection.state).toBe("open");
  });

  it("of an unfinished message nothing after it failed", () => {
    const connection = new Connection({ role: "client" }, 0);
    const grown = growth(() => {
      connection.receive(frame("server", 0x02, new Uint8Array(8 * MIB)), 0);
      connection.receive(frame("server", 0x83), 0);
    });
    expect(grown).toBeLessThan(MIB);
    expect(connection.state).toBe("closing");
  });
});
