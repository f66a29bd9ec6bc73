// Byte arrays joined, compared and grown. What the parts of a message cost is bounded by their bytes,
// not by their number: parts are copied, small ones without a view of their chunk, and room is at
// most double what came.

import { describe, expect, it } from "vitest";
import { concat, equalBytes, Pieces } from "../../core/bytes.ts";
import { chop, content, hex, pattern } from "./support.ts";

describe("concat", () => {
  it("joins chunks in their order", () => {
    expect(concat([hex("01"), hex(""), hex("0203"), hex("04")])).toEqual(hex("01020304"));
    expect(concat([])).toEqual(hex(""));
  });

  it("makes no copy of a single chunk", () => {
    const chunk = hex("0102");
    expect(concat([chunk])).toBe(chunk);
  });
});

describe("equalBytes", () => {
  it("compares every byte, and the lengths", () => {
    expect(equalBytes(hex("010203"), hex("010203"))).toBe(true);
    expect(equalBytes(hex(""), hex(""))).toBe(true);
    for (const other of ["010204", "000203", "0102", "01020300", ""]) {
      expect(equalBytes(hex("010203"), hex(other)), other).toBe(false);
    }
  });
});

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

  it("takes exactly the announced room, once half of it has come", () => {
    const pieces = new Pieces();
    const bytes = pattern(200_000);
    pieces.append(bytes, 0, 100_000, 100_000);
    pieces.append(bytes, 100_000, 200_000);
    expect(pieces.join().buffer.byteLength).toBe(200_000);
  });

  it("takes at most double what came, whatever was announced", () => {
    for (const size of [1, 100, 100_000]) {
      const pieces = new Pieces();
      pieces.append(pattern(size), 0, size, 2 ** 52);
      expect(pieces.join().buffer.byteLength).toBe(2 * size);
    }
  });

  it("takes at most double what came, and no more than announced, in small chunks", () => {
    const pieces = new Pieces();
    const chunk = pattern(1000);
    const rooms = countMoved(() => {
      for (let left = 999_000; left >= 0; left -= 1000) pieces.append(chunk, 0, 1000, left);
    });
    expect(rooms.every(({ room, moved }) => room <= 2 * (moved + 1000))).toBe(true);
    expect(pieces.join().buffer.byteLength).toBe(1_000_000);
  });

  // A peer that cuts every fragment in two would otherwise have all bytes moved for each of them.
  it("moves bytes a bounded number of times, however little each part announces", () => {
    const pieces = new Pieces();
    const rooms = countMoved(() => {
      for (let i = 0; i < 20_000; i++) pieces.append(pattern(30), 0, 30, 1);
    });
    expect(rooms.reduce((total, { moved }) => total + moved, 0)).toBeLessThan(5 * 600_000);
    expect(pieces.join().buffer.byteLength).toBeLessThanOrEqual(2 * 600_000);
  });

  /** The growths during the call: bytes moved, and the room they were moved to. */
  function countMoved(call: () => void): { moved: number; room: number; }[] {
    const prototype = Object.getPrototypeOf(Uint8Array.prototype) as { set: Uint8Array["set"]; };
    const original = prototype.set;
    const rooms: { moved: number; room: number; }[] = [];
    prototype.set = function(this: Uint8Array, source: ArrayLike<number>, offset = 0): void {
      if (offset === 0) rooms.push({ moved: source.length, room: this.length });
      original.call(this, source, offset);
    };
    try {
      call();
    } finally {
      prototype.set = original;
    }
    return rooms;
  }

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

  it("takes the room that was announced, and 128 bytes where nothing was", () => {
    const announced = new Pieces();
    announced.append(pattern(10), 0, 10, 5);
    announced.append(pattern(5), 0, 5);
    expect(announced.join().buffer.byteLength).toBe(15);
    const unannounced = new Pieces();
    unannounced.append(pattern(5), 0, 5);
    expect(unannounced.join().buffer.byteLength).toBe(128);
  });

  it("takes double the room when it is used up without an announced length", () => {
    const pieces = new Pieces();
    for (let i = 0; i < 129; i++) pieces.append(pattern(1), 0, 1);
    expect(pieces.join().buffer.byteLength).toBe(258);
  });
});
