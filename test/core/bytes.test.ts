// The byte and ASCII helpers of the core.

import { describe, expect, it } from "vitest";
import { asciiLowerCase, concat, equalBytes, equalsIgnoringCase } from "../../core/bytes.ts";
import { hex } from "./support.ts";

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

describe("equalsIgnoringCase", () => {
  it("ignores the case of ASCII letters, and of nothing else", () => {
    expect(equalsIgnoringCase("Upgrade", "uPGRADE")).toBe(true);
    expect(equalsIgnoringCase("", "")).toBe(true);
    for (
      const [a, b] of [["upgrade", "upgrad"], ["keep", "\u212aeep"], ["É", "é"], ["[", "{"], [
        "@",
        "`",
      ]] as const
    ) {
      expect(equalsIgnoringCase(a, b), `${a} and ${b}`).toBe(false);
    }
  });
});

describe("asciiLowerCase", () => {
  it("maps A to Z, and nothing else", () => {
    expect(asciiLowerCase("AZ az 09 @[`{ \u212aÀÉ")).toBe("az az 09 @[`{ \u212aÀÉ");
  });
});
