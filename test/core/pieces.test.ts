// Pieces: what a message's parts cost is bounded by their bytes, not by their number. Observed from
// outside: a part is copied, so it can be overwritten without harm; small ones cost no view of
// their chunk.

import { describe, expect, it } from "vitest";
import { concat } from "../../core/bytes.ts";
import { Pieces } from "../../core/pieces.ts";
import { chop, content, hex, pattern } from "./support.ts";

/** Bytes that count the views made of them. */
class Counting extends Uint8Array {
  views = 0;

  override subarray(start?: number, end?: number): Uint8Array<ArrayBuffer> {
    this.views++;
    return new Uint8Array(this.slice(start, end));
  }
}

describe("Pieces", () => {
  it.each([1, 2, 63, 64, 65, 127, 128, 129, 1023, 1024, 1025, 4096, 65_536, 100_000])(
    "joins parts of %i bytes",
    (size) => {
      const bytes = pattern(200_000);
      const pieces = new Pieces();
      for (let start = 0; start < bytes.length; start += size) {
        pieces.append(bytes, start, Math.min(start + size, bytes.length));
      }
      expect(pieces.size).toBe(bytes.length);
      expect(content(pieces.join())).toBe(content(bytes));
    },
  );

  it.each([1, 100, 1024, 5000])(
    "joins parts that came in chunks of their own, of %i bytes",
    (size) => {
      const bytes = pattern(20_000);
      const pieces = new Pieces();
      for (const chunk of chop(bytes, size)) pieces.append(chunk, 0, chunk.length);
      expect(content(pieces.join())).toBe(content(bytes));
    },
  );

  it("keeps the order of parts of all sizes", () => {
    const parts = [3, 5000, 7, 0, 200, 4096, 70_000, 1, 1024, 9].map(pattern);
    const pieces = new Pieces();
    for (const part of parts) pieces.append(part, 0, part.length);
    expect(content(pieces.join())).toBe(content(concat(parts)));
  });

  it.each([1, 125, 1023, 49_999, 100_000])(
    "holds nothing of the chunk that brought a part of %i bytes",
    (length) => {
      const pieces = new Pieces();
      const chunk = pattern(100_000);
      pieces.append(chunk, 0, length);
      chunk.fill(0xee);
      expect(content(pieces.join())).toBe(content(pattern(length)));
    },
  );

  it("gives an announced length just the room it needs", () => {
    const pieces = new Pieces();
    const bytes = pattern(200_000);
    pieces.append(bytes, 0, 50_000, 150_000);
    pieces.append(bytes, 50_000, 200_000, 0);
    expect(pieces.join().buffer.byteLength).toBe(200_000);
  });

  it("gives an announced length room on credit of what has come, not of what was said", () => {
    const pieces = new Pieces();
    pieces.append(pattern(1), 0, 1, 2 ** 52);
    expect(pieces.join().buffer.byteLength).toBe(256 * 1024 + 16);
    pieces.append(pattern(100_000), 0, 100_000, 2 ** 52);
    expect(pieces.join().buffer.byteLength).toBe(256 * 1024 + 1_600_000);
  });

  it("takes no more than twice the room of its parts, however little each announces", () => {
    const pieces = new Pieces();
    for (let i = 0; i < 20_000; i++) pieces.append(pattern(30), 0, 30, 1);
    expect(pieces.join().buffer.byteLength).toBeLessThanOrEqual(2 * 600_000);
  });

  it("makes no view for a hundred thousand parts of one byte or none", () => {
    const chunk = new Counting(pattern(1));
    const pieces = new Pieces();
    for (let i = 0; i < 100_000; i++) {
      pieces.append(chunk, 0, 1);
      pieces.append(chunk, 1, 1);
    }
    expect(chunk.views).toBe(0);
    expect(pieces.size).toBe(100_000);
    expect(content(pieces.join())).toBe(content(new Uint8Array(100_000).fill(chunk[0]!)));
  });

  it("makes no view for empty parts of an empty buffer", () => {
    const empty = new Counting(0);
    const pieces = new Pieces();
    for (let i = 0; i < 1000; i++) pieces.append(empty, 0, 0);
    expect(empty.views).toBe(0);
    expect(pieces.join()).toHaveLength(0);
  });

  it("is empty after it was joined, and can be used again", () => {
    const pieces = new Pieces();
    pieces.append(hex("0102"), 0, 2);
    expect(pieces.join()).toEqual(hex("0102"));
    expect(pieces.size).toBe(0);
    expect(pieces.join()).toHaveLength(0);
    pieces.append(hex("030405"), 1, 3);
    expect(pieces.join()).toEqual(hex("0405"));
  });

  it("gives an array away that later parts do not change", () => {
    const pieces = new Pieces();
    pieces.append(hex("01"), 0, 1);
    const first = pieces.join();
    pieces.append(hex("02"), 0, 1);
    expect(pieces.join()).toEqual(hex("02"));
    expect(first).toEqual(hex("01"));
  });

  it("takes just the room that was announced, and that for 128 bytes where nothing was", () => {
    const announced = new Pieces();
    announced.append(pattern(5), 0, 5, 10);
    announced.append(pattern(10), 0, 10);
    expect(announced.join().buffer.byteLength).toBe(15);
    const unannounced = new Pieces();
    unannounced.append(pattern(5), 0, 5);
    expect(unannounced.join().buffer.byteLength).toBe(128);
  });

  it("takes double the room where it is used up, so that bytes are not moved again and again", () => {
    const pieces = new Pieces();
    for (let i = 0; i < 129; i++) pieces.append(pattern(1), 0, 1);
    expect(pieces.join().buffer.byteLength).toBe(256);
  });
});
