// Frame headers, RFC 6455 §5.2: which first bytes are legal, and the length forms at their bounds,
// written and read back.

import { describe, expect, it } from "vitest";
import { ProtocolError } from "../../../core/errors.ts";
import { FrameDecoder } from "../../../core/frame/decoder.ts";
import {
  DEFLATE_RULES,
  headerSize,
  PLAIN_RULES,
  readUint32,
  writeHeader,
} from "../../../core/frame/header.ts";
import { hex, toHex } from "../support.ts";

const LEGAL_OPCODES = [0x0, 0x1, 0x2, 0x8, 0x9, 0xa];

/** What §5.2 and §5.5 say of a first byte, in the words of the violations. */
function faultOf(first: number, deflate: boolean): string | undefined {
  const opcode = first & 0x0f;
  const reserved = [0x40, 0x20, 0x10].filter((bit) => (first & bit) !== 0);
  const legalRsv1 = deflate && (opcode === 1 || opcode === 2);
  if (reserved.some((bit) => bit !== 0x40 || !legalRsv1)) return "reserved-bit";
  if (!LEGAL_OPCODES.includes(opcode)) return "reserved-opcode";
  return opcode >= 8 && first < 0x80 ? "control-fragmented" : undefined;
}

describe.each([
  { name: "PLAIN_RULES", rules: PLAIN_RULES, deflate: false, legal: 9 },
  { name: "DEFLATE_RULES", rules: DEFLATE_RULES, deflate: true, legal: 13 },
])("$name", ({ rules, deflate, legal }) => {
  it("judges each of the 256 first bytes as the RFC does", () => {
    for (let first = 0; first < 256; first++) {
      expect(rules[first], `first byte ${first.toString(16)}`).toBe(faultOf(first, deflate));
    }
  });

  it(`lets ${legal} of them pass`, () => {
    expect(rules).toHaveLength(256);
    expect(rules.filter((fault) => fault === undefined)).toHaveLength(legal);
  });
});

const LENGTHS = [
  { length: 0, unmasked: "8200", masked: "8280" },
  { length: 1, unmasked: "8201", masked: "8281" },
  { length: 125, unmasked: "827d", masked: "82fd" },
  { length: 126, unmasked: "827e007e", masked: "82fe007e" },
  { length: 127, unmasked: "827e007f", masked: "82fe007f" },
  { length: 0xffff, unmasked: "827effff", masked: "82feffff" },
  { length: 0x1_0000, unmasked: "827f0000000000010000", masked: "82ff0000000000010000" },
  { length: 0xffff_ffff, unmasked: "827f00000000ffffffff", masked: "82ff00000000ffffffff" },
  { length: 0x1_0000_0000, unmasked: "827f0000000100000000", masked: "82ff0000000100000000" },
  { length: 2 ** 53 - 1, unmasked: "827f001fffffffffffff", masked: "82ff001fffffffffffff" },
];

describe("writeHeader", () => {
  it.each(LENGTHS)("writes length $length in its shortest form", ({ length, unmasked, masked }) => {
    for (const [digits, mask] of [[unmasked, false], [masked, true]] as const) {
      const target = new Uint8Array(20).fill(0xee);
      const end = writeHeader(target, 3, 0x82, length, mask);
      expect(toHex(target.subarray(3, end))).toBe(digits);
      expect(end - 3 + (mask ? 4 : 0)).toBe(headerSize(length, mask));
      expect(target.subarray(0, 3)).toEqual(hex("eeeeee"));
      expect(target.subarray(end)).toEqual(new Uint8Array(20 - end).fill(0xee));
    }
  });
});

describe("FrameDecoder", () => {
  it.each(LENGTHS)(
    "reads length $length before any payload has come",
    ({ length, unmasked, masked }) => {
      for (const [digits, mask] of [[unmasked, false], [`${masked}37fa213d`, true]] as const) {
        const decoder = new FrameDecoder(PLAIN_RULES, mask);
        decoder.push(hex(digits));
        expect(decoder.next()).toBe(true);
        expect(decoder).toMatchObject({
          opcode: 2,
          fin: true,
          rsv1: false,
          length,
          first: true,
          last: length === 0,
        });
        expect(decoder.end - decoder.start).toBe(0);
        expect(decoder.next()).toBe(false);
      }
    },
  );

  // 2^63 - 1 is the longest legal length: it is rounded, and no limit lets it pass.
  it("reads the longest legal length, 2^63 - 1", () => {
    const decoder = new FrameDecoder(PLAIN_RULES, false);
    decoder.push(hex("82 7f 7fffffffffffffff"));
    expect(decoder.next()).toBe(true);
    expect(decoder.length).toBe(2 ** 63);
    expect(decoder.last).toBe(false);
  });

  it("reads RSV1 where permessage-deflate was negotiated", () => {
    const decoder = new FrameDecoder(DEFLATE_RULES, false);
    decoder.push(hex("c1 01 00  01 01 00  80 00"));
    const seen: boolean[] = [];
    while (decoder.next()) seen.push(decoder.rsv1);
    expect(seen).toEqual([true, false, false]);
  });

  it("holds no chunk when it was released", () => {
    const decoder = new FrameDecoder(PLAIN_RULES, false);
    const chunk = hex("82 02 aa");
    decoder.push(chunk);
    while (decoder.next());
    decoder.release();
    expect(decoder.chunk).not.toBe(chunk);
    expect(decoder.chunk).toHaveLength(0);
    expect(decoder.next()).toBe(false);
  });

  it("goes on saying that a chunk is used up, and reads a header across any number of them", () => {
    const decoder = new FrameDecoder(PLAIN_RULES, true);
    for (const part of ["82", "fe 01", "00 37 fa", "21"]) {
      decoder.push(hex(part));
      expect([decoder.next(), decoder.next()], part).toEqual([false, false]);
    }
    decoder.push(hex("3d ff"));
    expect(decoder.next()).toBe(true);
    expect(decoder).toMatchObject({ length: 256, start: 1, end: 2, remaining: 255 });
  });

  it("keeps a given chunk as it is, and copies a lent one, once", () => {
    const chunk = hex("82 01 aa 82 01 bb");
    const given = new FrameDecoder(PLAIN_RULES, false);
    given.push(chunk);
    given.next();
    expect(given.keep()).toBe(chunk);
    const lent = new FrameDecoder(PLAIN_RULES, false, true);
    lent.push(chunk);
    lent.next();
    const copy = lent.keep();
    expect(copy).not.toBe(chunk);
    expect(copy).toEqual(chunk);
    lent.next();
    expect(lent.keep()).toBe(copy);
  });

  it("refuses a header at its second byte, when the rest would not change the verdict", () => {
    for (const start of ["c2 7f", "83 7f", "09 05", "89 7f", "82 ff"]) {
      const decoder = new FrameDecoder(PLAIN_RULES, false);
      decoder.push(hex(start));
      expect(() => decoder.next(), start).toThrow(ProtocolError);
    }
  });
});

describe("readUint32", () => {
  it("reads network byte order, unsigned, at any offset", () => {
    expect(readUint32(hex("ff 00000001"), 1)).toBe(1);
    expect(readUint32(hex("01020304"), 0)).toBe(0x01020304);
    expect(readUint32(hex("fffffffe"), 0)).toBe(0xfffffffe);
  });
});
