// Masking (RFC 6455 §5.3) against the definition: octet i of the payload XOR octet i MOD 4 of the
// key.

import { describe, expect, it, vi } from "vitest";
import { applyMask, freshKey, readKey, rotateKey, writeKey } from "../../../core/frame/mask.ts";
import { hex, pattern, sameBytes, toHex } from "../support.ts";

const KEYS = ["00000000", "37fa213d", "ffffffff", "80000001", "01020304", "fedcba98"];

/** The definition, from position `phase` of the payload on. */
function masked(bytes: Uint8Array, key: Uint8Array, phase: number): Uint8Array {
  return bytes.map((byte, index) => byte ^ key[(index + phase) % 4]!);
}

function keyOf(digits: string): number {
  return readKey(hex(digits), 0);
}

describe("applyMask", () => {
  const lengths = [
    ...Array.from({ length: 40 }, (_, i) => i),
    126,
    127,
    128,
    129,
    130,
    131,
    132,
    159,
    160,
    161,
    163,
    255,
    1021,
  ];

  it.each(KEYS)(
    "equals the definition with key %s at every alignment, length and phase",
    (digits) => {
      const source = pattern(1100);
      for (const length of lengths) {
        for (let start = 0; start < 8; start++) {
          for (let phase = 0; phase < 4; phase++) {
            const bytes = source.slice();
            applyMask(bytes, start, start + length, rotateKey(keyOf(digits), phase));
            const expected = source.slice();
            expected.set(masked(source.slice(start, start + length), hex(digits), phase), start);
            // Bytes outside of the range must not change either.
            if (!sameBytes(bytes, expected)) {
              expect.unreachable(
                `${length} bytes at ${start}, phase ${phase}`,
              );
            }
          }
        }
      }
    },
  );

  it("respects the offset of a view in its buffer", () => {
    for (let offset = 0; offset < 8; offset++) {
      const buffer = pattern(300);
      const view = new Uint8Array(buffer.buffer, offset, 256);
      const expected = masked(view, hex("37fa213d"), 3);
      applyMask(view, 0, 256, rotateKey(keyOf("37fa213d"), 3));
      expect(toHex(view)).toBe(toHex(expected));
      expect(toHex(buffer.subarray(256 + offset))).toBe(toHex(pattern(300).subarray(256 + offset)));
      expect(toHex(buffer.subarray(0, offset))).toBe(toHex(pattern(300).subarray(0, offset)));
    }
  });

  it("undoes itself", () => {
    const bytes = pattern(500);
    applyMask(bytes, 3, 497, keyOf("fedcba98"));
    expect(toHex(bytes)).not.toBe(toHex(pattern(500)));
    applyMask(bytes, 3, 497, keyOf("fedcba98"));
    expect(toHex(bytes)).toBe(toHex(pattern(500)));
  });
});

describe("rotateKey", () => {
  it.each(KEYS)("turns %s by whole bytes, any number of times", (digits) => {
    const key = hex(digits);
    for (let phase = 0; phase < 12; phase++) {
      const turned = new Uint8Array(4);
      writeKey(turned, 0, rotateKey(keyOf(digits), phase));
      expect(turned).toEqual(masked(new Uint8Array(4), key, phase));
    }
  });
});

describe("readKey and writeKey", () => {
  it.each(KEYS)("keep the order of the bytes of %s, at any offset", (digits) => {
    const target = new Uint8Array(8);
    writeKey(target, 3, keyOf(digits));
    expect(toHex(target)).toBe(`000000${digits}00`);
  });
});

describe("freshKey", () => {
  // 10,000 draws refill the pool of 2048 keys. Were one handed out twice by design, far more than
  // chance would repeat: among 10,000 of 2^32 one expects 0.01 pairs.
  it("hands out no key twice, over several fillings of its pool", () => {
    const keys = Array.from({ length: 10_000 }, freshKey);
    expect(new Set(keys).size).toBeGreaterThan(9_990);
  });

  // A key that was not drawn is one that a peer can foretell.
  it("draws from the source of random bytes once for 2048 keys, and as often as they are used up", () => {
    const draw = vi.spyOn(crypto, "getRandomValues");
    for (let i = 0; i < 3 * 2048; i++) freshKey();
    expect(draw).toHaveBeenCalledTimes(3);
    draw.mockRestore();
  });

  it("has every bit set about half of the time", () => {
    const keys = Array.from({ length: 4096 }, freshKey);
    for (let bit = 0; bit < 32; bit++) {
      const set = keys.filter((key) => (key >>> bit & 1) === 1).length;
      // Twelve standard deviations from the mean.
      expect(Math.abs(set - 2048)).toBeLessThan(384);
    }
  });
});
