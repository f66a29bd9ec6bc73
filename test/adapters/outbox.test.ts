// Blocks that small chunks are gathered in: they serve again, but do not pile up.

import { describe, expect, it } from "vitest";
import { gather, giveBack } from "../../adapters/host/outbox.ts";

const parts = (size: number): Uint8Array[] => [new Uint8Array(size - 1).fill(1), Uint8Array.of(2)];

function memory(blocks: readonly Uint8Array[]): number {
  return blocks.reduce((sum, { buffer }) => sum + buffer.byteLength, 0);
}

describe("gather", () => {
  it("puts the chunks one behind the other", () => {
    expect([...gather([Uint8Array.of(1, 2), Uint8Array.of(), Uint8Array.of(3)])]).toEqual([
      1,
      2,
      3,
    ]);
  });

  it("takes the block that was given back last", () => {
    const block = gather(parts(300));
    giveBack(block);
    expect(gather(parts(300)).buffer).toBe(block.buffer);
  });

  it("takes little for each of a thousand writes that are under way at once, and keeps little of it", () => {
    const blocks = Array.from({ length: 1000 }, () => gather(parts(300)));
    expect(memory(blocks)).toBeLessThan(2 * 2 ** 20);
    for (const block of blocks) giveBack(block);
    const again = Array.from({ length: 1000 }, () => gather(parts(300)));
    expect(again.filter(({ buffer }) => blocks.some((block) => block.buffer === buffer)).length)
      .toBeLessThan(10);
  });
});
