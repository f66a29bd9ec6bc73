// UTF-8 (RFC 3629, RFC 6455 §8.1): the vectors at every cut, and the platform's own strict decoder
// as the judge of random bytes.

import { afterEach, describe, expect, it, vi } from "vitest";
import type { ProtocolError } from "../../core/errors.ts";
import { lenientDecoder, utf8Decoder, utf8Encoder } from "../../core/platform.ts";
import { decodeUtf8, requireUtf8, Utf8Validator, writeUtf8 } from "../../core/utf8.ts";
import { INVALID_TEXTS, VALID_TEXTS } from "../vectors/utf8.ts";
import { join, toHex, utf8 } from "./support.ts";

const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

function platformDecodes(bytes: Uint8Array): string | undefined {
  try {
    return strict.decode(bytes);
  } catch {
    return undefined;
  }
}

/** The result, or the name of the violation. */
function outcome<T>(work: () => T): T | string {
  try {
    return work();
  } catch (error) {
    return (error as ProtocolError).violation;
  }
}

/**
 * Where the validator stops when it is fed byte by byte: the index of the bad byte, the length for
 * a bad end.
 */
function stopsAt(bytes: Uint8Array): number | undefined {
  const validator = new Utf8Validator();
  for (let i = 0; i < bytes.length; i++) if (!validator.push(bytes, i, i + 1)) return i;
  return validator.pending === 0 ? undefined : bytes.length;
}

describe.each(VALID_TEXTS)("valid UTF-8: $name", ({ bytes, text }) => {
  it("is what the platform takes it for", () => {
    expect(platformDecodes(bytes)).toBe(text);
  });

  it("passes decodeUtf8, requireUtf8 and the validator, at any place in the array", () => {
    for (const lead of [0, 1, 3, 7]) {
      const inside = join([new Uint8Array(lead).fill(0xff), bytes, new Uint8Array(3).fill(0xff)]);
      const end = lead + bytes.length;
      expect(decodeUtf8(inside, lead, end)).toBe(text);
      expect(requireUtf8(inside, lead, end)).toMatchObject({
        buffer: inside.buffer,
        byteOffset: lead,
        length: bytes.length,
      });
      expect(new Utf8Validator().push(inside, lead, end)).toBe(true);
    }
    expect(stopsAt(bytes)).toBe(undefined);
  });

  it("is what writeUtf8 writes", () => {
    const target = new Uint8Array(3 + text.length * 3);
    const written = writeUtf8(target, 3, text);
    expect(toHex(target.subarray(3, 3 + written))).toBe(toHex(bytes));
    expect(target.subarray(0, 3)).toEqual(new Uint8Array(3));
  });
});

describe.each(INVALID_TEXTS)("not UTF-8: $name", ({ bytes, badAt }) => {
  it("is what the platform takes it for", () => {
    expect(platformDecodes(bytes)).toBe(undefined);
    // Up to the bad byte some continuation could have made it well-formed.
    const good = bytes.slice(0, badAt);
    const completions = [[], [0x80], [0xbf], [0x80, 0x80], [0xbf, 0x80], [0x80, 0x80, 0x80], [
      0x90,
      0x80,
      0x80,
    ], [
      0xa0,
      0x80,
    ]];
    expect(
      completions.some((more) =>
        platformDecodes(join([good, Uint8Array.from(more)])) !== undefined
      ),
    ).toBe(true);
  });

  it("is refused by decodeUtf8 and requireUtf8", () => {
    expect(outcome(() => decodeUtf8(bytes, 0, bytes.length))).toBe("text-not-utf8");
    expect(outcome(() => requireUtf8(bytes, 0, bytes.length))).toBe("text-not-utf8");
  });

  it("is found by the validator at its first bad byte, at every cut", () => {
    expect(stopsAt(bytes)).toBe(badAt);
    for (let at = 0; at <= bytes.length; at++) {
      const validator = new Utf8Validator();
      const first = validator.push(bytes, 0, at);
      expect(first, `cut at ${at}`).toBe(at <= badAt);
      if (first) {
        expect(validator.push(bytes, at, bytes.length) && validator.pending === 0).toBe(false);
      }
    }
  });
});

describe("Utf8Validator", () => {
  it("counts the bytes of a character that is not whole", () => {
    const validator = new Utf8Validator();
    const bytes = utf8("a𝄞b");
    const pending = Array.from(
      bytes,
      (_, i) => validator.push(bytes, i, i + 1) ? validator.pending : NaN,
    );
    expect(pending).toEqual([0, 1, 2, 3, 0, 0]);
  });
});

describe("decodeUtf8, requireUtf8 and Utf8Validator", () => {
  // Eight bytes of ASCII are looked at in one step.
  it("find one bad byte at any place in a run of ASCII", () => {
    for (let at = 0; at < 40; at++) {
      const bytes = new Uint8Array(40).fill(0x61);
      bytes[at] = 0xff;
      expect(outcome(() => decodeUtf8(bytes, 0, 40)), `at ${at}`).toBe("text-not-utf8");
      expect(outcome(() => requireUtf8(bytes, 0, 40)), `at ${at}`).toBe("text-not-utf8");
      expect(new Utf8Validator().push(bytes, 0, 40), `at ${at}`).toBe(false);
      expect(new Utf8Validator().push(bytes, 0, at), `up to ${at}`).toBe(true);
    }
  });
});

// Random bytes are hardly ever UTF-8 for long: these are made of well-formed characters, of which
// one byte may be spoilt.
function samples(count: number): Uint8Array[] {
  const letters = ["a", "é", "€", "𝄞", "\u0000", "\uffff", "\ufffd", "z".repeat(9), "\u{10ffff}"];
  let seed = 1;
  const next = (below: number): number => {
    seed = Math.imul(seed ^ seed >>> 15, 0x2c1b3c6d) + 0x9e3779b9 | 0;
    return (seed >>> 0) % below;
  };
  return Array.from({ length: count }, () => {
    const bytes = utf8(
      Array.from({ length: next(20) }, () => letters[next(letters.length)]).join(""),
    );
    if (bytes.length > 0 && next(2) === 0) bytes[next(bytes.length)]! ^= 1 << next(8);
    return bytes.slice(0, next(5) === 0 ? next(bytes.length + 1) : bytes.length);
  });
}

describe("decodeUtf8, requireUtf8, Utf8Validator and the platform", () => {
  it("agree on 4000 texts with spoilt bytes", () => {
    let spoilt = 0;
    for (const bytes of samples(4000)) {
      const text = platformDecodes(bytes);
      if (text === undefined) spoilt++;
      expect(outcome(() => decodeUtf8(bytes, 0, bytes.length)), toHex(bytes)).toBe(
        text ?? "text-not-utf8",
      );
      expect(outcome(() => requireUtf8(bytes, 0, bytes.length)) instanceof Uint8Array, toHex(bytes))
        .toBe(
          text !== undefined,
        );
      expect(stopsAt(bytes) === undefined, toHex(bytes)).toBe(text !== undefined);
    }
    expect(spoilt).toBeGreaterThan(500);
    expect(spoilt).toBeLessThan(3500);
  });

  it("agree on every byte from 0xc0 on, with every byte behind it, before two continuations", () => {
    for (let pair = 0xc000; pair <= 0xffff; pair++) {
      const bytes = Uint8Array.of(pair >> 8, pair & 0xff, 0x80, 0x80);
      for (const end of [2, 3, 4]) {
        const valid = platformDecodes(bytes.subarray(0, end)) !== undefined;
        if ((stopsAt(bytes.subarray(0, end)) === undefined) !== valid) {
          expect.unreachable(toHex(bytes.subarray(0, end)));
        }
      }
    }
  });
});

describe("writeUtf8", () => {
  it("writes what the platform encodes, at every length around the change from a loop to a call", () => {
    for (let length = 0; length < 70; length++) {
      for (const last of ["", "é", "€", "𝄞", "\ud800"]) {
        const text = "a".repeat(length) + last;
        const target = new Uint8Array(2 + text.length * 3);
        const written = writeUtf8(target, 2, text);
        expect(toHex(target.subarray(2, 2 + written))).toBe(toHex(utf8(text)));
      }
    }
  });
});

// Messages are mostly short, and a call into the platform costs more than such a message itself.
describe("the ways around the platform", () => {
  afterEach(() => vi.restoreAllMocks());

  const ascii = (length: number): string => "~\x7f".repeat(length / 2 + 1).slice(0, length);

  it("decodeUtf8 calls no decoder for ASCII of up to 16 bytes, wherever in the array", () => {
    const decode = vi.spyOn(lenientDecoder, "decode");
    for (let length = 0; length <= 16; length++) {
      expect(decodeUtf8(utf8(`${"é".repeat(20)}${ascii(length)}é`), 40, 40 + length)).toBe(
        ascii(length),
      );
    }
    expect(decode).not.toHaveBeenCalled();
    expect(decodeUtf8(utf8(ascii(17)), 0, 17)).toBe(ascii(17));
    expect(decode).toHaveBeenCalledTimes(1);
  });

  it("decodeUtf8 makes a view of part of an array only from 33 bytes on, and none of a whole one", () => {
    const decode = vi.spyOn(lenientDecoder, "decode");
    for (let length = 2; length <= 40; length++) {
      const text = "a".repeat(length - 2) + "é";
      const bytes = utf8(`<${text}>`);
      expect(decodeUtf8(bytes, 1, 1 + length)).toBe(text);
      expect(decode.mock.lastCall![0]!.buffer === bytes.buffer, `${length} bytes`).toBe(
        length > 32,
      );
      const whole = utf8(text);
      expect(decodeUtf8(whole, 0, length)).toBe(text);
      expect(decode.mock.lastCall![0]).toBe(whole);
    }
  });

  it("decodeUtf8 asks the strict decoder, which is slow, only about U+FFFD", () => {
    const decode = vi.spyOn(utf8Decoder, "decode");
    expect(decodeUtf8(utf8("é".repeat(40)), 0, 80)).toBe("é".repeat(40));
    expect(decode).not.toHaveBeenCalled();
    expect(decodeUtf8(utf8("\ufffd"), 0, 3)).toBe("\ufffd");
    expect(decode).toHaveBeenCalledTimes(1);
  });

  it("decodeUtf8 says so when a text is longer than a string can be", () => {
    vi.spyOn(lenientDecoder, "decode").mockImplementationOnce(() => {
      throw new RangeError("Cannot create a string longer than 0x1fffffe8 characters");
    });
    const decode = (): unknown => decodeUtf8(utf8("a".repeat(40)), 0, 40);
    expect(decode).toThrow(expect.objectContaining({ violation: "message-too-big", code: 1009 }));
  });

  it("writeUtf8 calls no encoder for ASCII of up to 48 characters", () => {
    const encode = vi.spyOn(utf8Encoder, "encodeInto");
    for (let length = 0; length <= 48; length++) {
      expect(writeUtf8(new Uint8Array(48), 0, ascii(length))).toBe(length);
    }
    expect(encode).not.toHaveBeenCalled();
    expect(writeUtf8(new Uint8Array(49), 0, ascii(49))).toBe(49);
    expect(encode).toHaveBeenCalledTimes(1);
  });
});
