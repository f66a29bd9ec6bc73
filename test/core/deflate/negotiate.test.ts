import { describe, expect, it } from "vitest";
import { deflateCodec } from "../../../adapters/deflate.ts";
import type { DeflateOptions, GivenDeflateOptions } from "../../../core/deflate/negotiate.ts";
import {
  answerOffers,
  formatOffer,
  readAnswer,
  resolveDeflate,
} from "../../../core/deflate/negotiate.ts";
import { UsageError } from "../../../core/errors.ts";
import { type Extension, parseExtensions } from "../../../core/http/fields.ts";
import { ANSWERS, OFFERED, OFFERS } from "../../vectors/deflate-negotiation.ts";

/**
 * The options of a row: where it says nothing of the window, the largest, about which there is
 * nothing to say.
 */
function resolve(options: Partial<DeflateOptions> | undefined): DeflateOptions {
  return resolveDeflate({ codec: deflateCodec, windowBits: 15, ...options });
}

function extensions(header: string): readonly Extension[] {
  return parseExtensions(header)!;
}

describe("answerOffers", () => {
  it.each(OFFERS)("$why: $offer", ({ offer, options, answer, params }) => {
    const taken = answerOffers(extensions(offer), resolve(options));
    expect(taken).toEqual(answer === undefined ? undefined : { answer, params });
  });

  it("declines no offers at all", () => {
    expect(answerOffers([], resolve({}))).toBeUndefined();
  });

  it("answers every offer it takes with what a client reads as the same parameters", () => {
    for (const { offer, options } of OFFERS) {
      const taken = answerOffers(extensions(offer), resolve(options));
      if (taken === undefined) continue;
      const seen = readAnswer(extensions(taken.answer), resolve({}));
      expect(seen, offer).toMatchObject({
        windowBits: taken.params.peerWindowBits,
        peerWindowBits: taken.params.windowBits,
        peerTakeover: taken.params.takeover,
      });
    }
  });
});

describe("formatOffer", () => {
  it.each(OFFERED)("offers $offer", ({ options, offer }) => {
    expect(formatOffer(resolve(options))).toBe(offer);
  });

  it("makes offers that our own server takes, whatever the options of the two", () => {
    for (const { options } of OFFERED) {
      for (const { options: others } of OFFERED) {
        const taken = answerOffers(extensions(formatOffer(resolve(options))), resolve(others));
        expect(readAnswer(extensions(taken!.answer), resolve(options))).toBeTypeOf("object");
      }
    }
  });
});

describe("readAnswer", () => {
  it.each(ANSWERS)("$why: $answer", ({ answer, options, means }) => {
    expect(readAnswer(extensions(answer), resolve(options))).toEqual(means);
  });

  it("takes no answer for no extension", () => {
    expect(readAnswer([], resolve({}))).toBeUndefined();
    expect(readAnswer([], undefined)).toBeUndefined();
  });

  it("fails an answer to an offer that was not made", () => {
    expect(readAnswer(extensions("permessage-deflate"), undefined)).toBe("extension-not-offered");
  });
});

describe("resolveDeflate", () => {
  it("fills in the defaults", () => {
    expect(resolveDeflate({ codec: deflateCodec })).toMatchObject({
      threshold: 128,
      level: 4,
      memLevel: 5,
      windowBits: 12,
      takeover: true,
      peerWindowBits: 15,
      peerTakeover: true,
    });
  });

  it("keeps what was given and takes undefined for not given", () => {
    const given = {
      codec: deflateCodec,
      level: 9,
      memLevel: undefined,
      threshold: Infinity,
    } as unknown as GivenDeflateOptions;
    expect(resolveDeflate(given)).toMatchObject({ level: 9, memLevel: 5, threshold: Infinity });
  });

  it.each(
    [
      [{ threshold: -1 }, "threshold is -1; it takes an integer from 0, or Infinity"],
      [{ threshold: 1.5 }, "threshold is 1.5; it takes an integer from 0, or Infinity"],
      [{ level: 10 }, "level is 10; it takes an integer from 0 to 9"],
      [{ level: -1 }, "level is -1; it takes an integer from 0 to 9"],
      [{ memLevel: 0 }, "memLevel is 0; it takes an integer from 1 to 9"],
      [{ memLevel: 10 }, "memLevel is 10; it takes an integer from 1 to 9"],
      [{ windowBits: 8 }, "windowBits is 8; it takes an integer from 9 to 15"],
      [{ windowBits: 16 }, "windowBits is 16; it takes an integer from 9 to 15"],
      [{ windowBits: 12.5 }, "windowBits is 12.5; it takes an integer from 9 to 15"],
      [{ windowBits: NaN }, "windowBits is NaN; it takes an integer from 9 to 15"],
      [{ windowBits: "12" }, "windowBits is 12; it takes an integer from 9 to 15"],
      [{ peerWindowBits: 7 }, "peerWindowBits is 7; it takes an integer from 8 to 15"],
      [{ peerWindowBits: 16 }, "peerWindowBits is 16; it takes an integer from 8 to 15"],
      [{ takeover: "no" }, "takeover is no; it takes true or false"],
      [{ peerTakeover: 1 }, "peerTakeover is 1; it takes true or false"],
      [{ codec: undefined }, "codec is missing; it takes a DeflateCodec"],
      [{ codec: {} }, "codec is missing; it takes a DeflateCodec"],
      [{ windowbits: 12 }, "windowbits; there are: codec, "],
    ] as const,
  )("refuses %o by name, and says what it takes", (wrong, message) => {
    const given = { codec: deflateCodec, ...wrong } as unknown as GivenDeflateOptions;
    expect(() => resolveDeflate(given)).toThrow(UsageError);
    expect(() => resolveDeflate(given)).toThrow(`deflate.${message}`);
  });
});
