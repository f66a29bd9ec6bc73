import { describe, expect, it } from "vitest";
import { ReadBuffer } from "../../adapters/host/read-buffer.ts";

function fill(buffer: ReadBuffer, times: number): void {
  for (let i = 0; i < times; i++) buffer.take(buffer.bytes.length);
}

describe("ReadBuffer", () => {
  it("gives the bytes that were read, from the beginning of its memory", () => {
    const buffer = new ReadBuffer();
    buffer.bytes.set([1, 2, 3]);
    expect(buffer.take(3)).toEqual(Uint8Array.of(1, 2, 3));
  });

  it("reads into the same memory again", () => {
    const buffer = new ReadBuffer();
    const { bytes } = buffer;
    buffer.take(bytes.length - 1);
    expect(buffer.bytes).toBe(bytes);
  });

  it("begins with at most 1 KiB, and grows while reads fill it, to 64 KiB", () => {
    const buffer = new ReadBuffer();
    expect(buffer.bytes.length).toBeLessThanOrEqual(1024);
    fill(buffer, 1);
    expect(buffer.bytes.length).toBeGreaterThan(1024 / 4);
    fill(buffer, 10);
    expect(buffer.bytes.length).toBe(64 * 1024);
  });

  it("leaves what was read as it was when it grows", () => {
    const buffer = new ReadBuffer();
    buffer.bytes.fill(7);
    const taken = buffer.take(buffer.bytes.length);
    buffer.bytes.fill(0);
    expect(taken.every((byte) => byte === 7)).toBe(true);
  });

  it("shrinks to what it began with when reads stay small, but not for a few of them", () => {
    const buffer = new ReadBuffer();
    const { length } = buffer.bytes;
    fill(buffer, 10);
    for (let i = 0; i < 100; i++) {
      for (let small = 0; small < 8; small++) buffer.take(1);
      buffer.take(buffer.bytes.length - 1);
    }
    expect(buffer.bytes.length).toBe(64 * 1024);
    for (let i = 0; i < 1000; i++) buffer.take(1);
    expect(buffer.bytes.length).toBe(length);
  });
});
