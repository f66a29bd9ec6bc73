// What compression holds for each connection, measured, against what the doc comment of the codec
// says. On Node alone, where a program can ask for a collection.

import process from "node:process";
import { setTimeout } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { describe, expect, it } from "vitest";
import { deflateCodec } from "../../adapters/deflate.ts";
import { type DeflateOptions, resolveDeflate } from "../../core/deflate/negotiate.ts";
import { MessageDeflate } from "../../core/deflate/transform.ts";

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;

const KIB = 1024;
const CONNECTIONS = 50;
const MESSAGE: Uint8Array = new TextEncoder().encode(
  JSON.stringify(Array.from({ length: 40 }, (_, id) => ({ id }))),
);

/** Bytes of the buffers that the program holds. */
async function held(): Promise<number> {
  // A buffer is freed some time after what it belonged to.
  for (let round = 0; round < 3; round++) {
    collect();
    await setTimeout(10);
  }
  return process.memoryUsage().arrayBuffers;
}

/** Bytes for each of many connections that agreed on the options, and did this. */
async function cost(
  options: Partial<DeflateOptions>,
  use: (deflate: MessageDeflate) => void,
): Promise<number> {
  const resolved = resolveDeflate({ codec: deflateCodec, ...options });
  const connect = (): MessageDeflate => {
    const deflate = new MessageDeflate(resolved, resolved);
    use(deflate);
    return deflate;
  };
  connect();
  const before = await held();
  const connections = Array.from({ length: CONNECTIONS }, connect);
  const each = (await held() - before) / CONNECTIONS;
  connections.forEach((deflate) => deflate.close());
  return each;
}

function send(deflate: MessageDeflate): void {
  deflate.compress(MESSAGE, true);
}

const BODY = new MessageDeflate(
  { windowBits: 9, takeover: true, peerWindowBits: 9, peerTakeover: true },
  resolveDeflate({ codec: deflateCodec, windowBits: 9 }),
).compress(MESSAGE, true);

function receive(deflate: MessageDeflate): void {
  deflate.inflate(BODY, KIB);
  deflate.finish(KIB);
}

describe("MessageDeflate with the default codec holds", () => {
  it("no buffer before the first message", async () => {
    expect(await cost({}, () => undefined)).toBeLessThan(KIB);
  });

  it.each([
    { of: "a window of 12 bits, by default,", options: {}, least: 30, most: 40 },
    {
      of: "a window of 9 bits and memLevel 1",
      options: { windowBits: 9, memLevel: 1 },
      least: 5,
      most: 10,
    },
    { of: "zlib's defaults", options: { windowBits: 15, memLevel: 8 }, least: 250, most: 270 },
  ])("for what it sends with $of $least to $most KiB", async ({ options, least, most }) => {
    const each = await cost(options, send) / KIB;
    expect(each).toBeGreaterThan(least);
    expect(each).toBeLessThan(most);
  });

  it.each([
    { of: 15, least: 35, most: 45 },
    { of: 9, least: 7, most: 12 },
  ])(
    "for what it receives with a window of $of bits $least to $most KiB",
    async ({ of, least, most }) => {
      const each = await cost({ peerWindowBits: of }, receive) / KIB;
      expect(each).toBeGreaterThan(least);
      expect(each).toBeLessThan(most);
    },
  );

  it("no buffer between messages without takeover", async () => {
    const both = (deflate: MessageDeflate): void => {
      send(deflate);
      receive(deflate);
    };
    expect(await cost({ takeover: false, peerTakeover: false }, both)).toBeLessThan(KIB);
  });
});
