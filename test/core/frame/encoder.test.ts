// Writing frames into an Output: what is copied, what goes by reference, and that masking never
// touches the caller's bytes.

import { describe, expect, it, vi } from "vitest";
import { encodeServerFrame, writeFrame, writeTextFrame } from "../../../core/frame/encoder.ts";
import { BY_REFERENCE_FROM, Output } from "../../../core/output.ts";
import { content, frame, join, pattern, readFrames, toHex, utf8 } from "../support.ts";

const SIZES = [
  0,
  1,
  125,
  126,
  127,
  BY_REFERENCE_FROM - 1,
  BY_REFERENCE_FROM,
  65535,
  65536,
  100_000,
];

describe("writeFrame", () => {
  it.each(SIZES)("writes %i bytes unmasked", (size) => {
    const output = new Output();
    writeFrame(output, 0x82, pattern(size), false);
    expect(content(join(output.take()))).toBe(content(frame("server", 0x82, pattern(size))));
  });

  it.each(SIZES)("masks %i bytes in a copy", (size) => {
    const output = new Output();
    const payload = pattern(size);
    writeFrame(output, 0x02, payload, true);
    const [written] = readFrames(join(output.take()));
    expect(written).toMatchObject({ first: 0x02, masked: true });
    expect(content(written!.payload)).toBe(content(pattern(size)));
    expect(content(payload)).toBe(content(pattern(size)));
  });

  it(`passes on unmasked payloads from ${BY_REFERENCE_FROM} bytes on by reference, and copies smaller ones`, () => {
    const output = new Output();
    const small = pattern(BY_REFERENCE_FROM - 1);
    const large = pattern(BY_REFERENCE_FROM);
    writeFrame(output, 0x82, small, false);
    writeFrame(output, 0x82, large, false);
    const chunks = output.take();
    expect(chunks).toContain(large);
    expect(chunks.some((chunk) => chunk.buffer === small.buffer)).toBe(false);
  });

  it("gives every frame of a client a key of its own", () => {
    const output = new Output();
    for (let i = 0; i < 100; i++) writeFrame(output, 0x82, new Uint8Array(4), true);
    const written = join(output.take());
    const keys = Array.from(
      { length: 100 },
      (_, i) => toHex(written.subarray(i * 10 + 2, i * 10 + 6)),
    );
    expect(new Set(keys).size).toBe(100);
  });
});

describe("writeTextFrame", () => {
  it("encodes in the block, one frame behind the other, whatever the text", () => {
    for (const masked of [false, true]) {
      const output = new Output();
      const texts = [
        "",
        "a",
        "é".repeat(100),
        "x".repeat(126),
        "€".repeat(125),
        "𝄞".repeat(4096),
        "\ud800",
        "z".repeat(9000),
      ];
      for (const text of texts) writeTextFrame(output, 0x1, text, masked);
      const written = readFrames(join(output.take()));
      expect(written.map(({ payload }) => content(payload))).toEqual(
        texts.map((text) => content(utf8(text))),
      );
      expect(new Set(written.map((each) => `${each.first} ${each.masked}`))).toEqual(
        new Set([`129 ${masked}`]),
      );
    }
  });

  it("writes every length around 8192, from which on it encodes apart", () => {
    for (const length of [8190, 8191, 8192, 8193]) {
      const output = new Output();
      const reserve = vi.spyOn(output, "reserve");
      writeTextFrame(output, 0x1, "a".repeat(length), false);
      expect(join(output.take())).toEqual(frame("server", 0x81, "a".repeat(length)));
      // Three bytes for each code unit, where they are not known yet.
      expect(reserve.mock.calls[0]![0] > 2 * length, `${length}`).toBe(length < 8192);
    }
  });

  it(`passes on by reference a text of ${BY_REFERENCE_FROM} bytes, and copies a shorter one`, () => {
    for (const [length, chunks] of [[BY_REFERENCE_FROM - 1, 1], [BY_REFERENCE_FROM, 2]] as const) {
      const output = new Output();
      writeTextFrame(output, 0x1, "a".repeat(length), false);
      const taken = output.take();
      expect(taken, `${length}`).toHaveLength(chunks);
      expect(join(taken)).toEqual(frame("server", 0x81, "a".repeat(length)));
    }
  });
});

describe("writeTextFrame and writeFrame", () => {
  // A frame whose room was reckoned too small would be cut short only at the end of a block.
  it("reserve the room that they need, wherever in a block they lie", () => {
    for (const masked of [false, true]) {
      const output = new Output();
      const payloads = Array.from(
        { length: 4000 },
        (_, i) => "€".repeat(i % 61) + "a".repeat(i % 3),
      );
      const chunks: Uint8Array[] = [];
      for (const [i, text] of payloads.entries()) {
        if (i % 5 === 0) writeFrame(output, 0x81, utf8(text), masked);
        else writeTextFrame(output, 0x1, text, masked);
        if (i % 997 === 0) chunks.push(...output.take());
      }
      const written = [...chunks, ...output.take()].flatMap((chunk) => readFrames(chunk));
      expect(written).toHaveLength(payloads.length);
      const wrong = written.findIndex(({ payload }, i) =>
        toHex(payload) !== toHex(utf8(payloads[i]!))
      );
      expect(wrong).toBe(-1);
    }
  });
});

describe("encodeServerFrame", () => {
  it.each(SIZES)("puts header and %i bytes into one array of exactly their size", (size) => {
    const encoded = encodeServerFrame(0x82, pattern(size));
    expect(content(encoded)).toBe(content(frame("server", 0x82, pattern(size))));
    expect(encoded.buffer.byteLength).toBe(encoded.length);
  });
});
