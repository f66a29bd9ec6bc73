// The receiver of `ws` and ours, told the same: every difference in some thousands of streams is
// one of this table. On Node only: `ws` wants Node's zlib and streams, and what it does on other
// runtimes says more about them.

import { describe, expect, it } from "vitest";
import { hex } from "../core/support.ts";
import { Prng } from "../sim/prng.ts";
import { compare, type Difference } from "./differential.ts";
import { freshInput, mutate } from "./inputs.ts";

const INPUTS = 12_000;

interface Row {
  readonly difference: string;
  readonly why: string;
  /** An input that shows it, in hex: flags, options, no sizes, and frames. */
  readonly example: string;
  explains(difference: Difference): boolean;
}

const DIFFERENCES: readonly Row[] = [
  {
    difference: "invalid UTF-8 fails at once here, and there only when the message is whole",
    why:
      "RFC 6455 §8.1 asks for a failure, and nothing that comes later can mend the text; later bytes find it closed",
    example: "01 00 00 0102c080",
    explains: ({ violation, theirs }) =>
      violation === "text-not-utf8" && !/^(?:text|binary)/.test(theirs),
  },
  {
    difference: "a length in a longer form than needed is refused here, and read there",
    why:
      "RFC 6455 §5.2: \"the minimal number of bytes MUST be used to encode the length\"; two forms of one frame are two readings",
    example: "01 00 00 827e000161",
    explains: ({ violation }) => violation === "length-not-minimal",
  },
  {
    difference: "a length with its top bit set is 1002 here, and 1009 there",
    why:
      "RFC 6455 §5.2: \"the most significant bit MUST be 0\": this is no large message, it is no frame",
    example: "01 00 00 827f8000000000000000",
    explains: ({ violation, theirs }) => violation === "length-too-large" && theirs === "fail 1009",
  },
  {
    difference: "the limit counts content here, and compressed bytes as well as content there",
    why:
      "a limit on messages should not depend on how well they compress; what inflates is bounded as it inflates",
    example: "03 03 00 c2034a0400",
    explains: ({ theirReason, ours }) =>
      theirReason === "WS_ERR_UNSUPPORTED_MESSAGE_LENGTH" && ours !== "fail 1009",
  },
  {
    difference:
      "bytes that do not inflate, or to too much, fail at once here, and there only when their frame is whole",
    why: "as with UTF-8: nothing that comes later can mend them",
    example: "03 00 00 42050700",
    explains: ({ violation, theirs }) =>
      (violation === "deflate-corrupt" || violation === "message-too-big")
      && !/^(?:text|binary)/.test(theirs),
  },
  {
    difference:
      "a compressed message without a body is empty here, and there its tail is taken for the next one's beginning",
    why:
      "RFC 7692 §7.2.3.6 asks the sender for a byte; who sends none can only mean nothing, and every message is read on its own",
    example: "03 00 00 c200 c206fa32a1a10100",
    explains: ({ shapes, ours, theirs, theirReason }) =>
      shapes.bodyless && [ours, theirs].some((line) => /^(?:text|binary)/.test(line))
      && (theirReason === undefined || /Z_DATA_ERROR|INVALID_UTF8/.test(theirReason)),
  },
  {
    difference:
      "after a block with BFINAL the body goes on here, and so does the window; there both end",
    why:
      "RFC 7692 §7.2.3.4 lets BFINAL be set, and nowhere says that it ends the message or the window; to drop bytes is to guess",
    example: "03 00 00 c208010000ffff630000",
    explains: ({ shapes, theirs }) => shapes.final && theirs !== "nothing",
  },
  {
    difference:
      "a compressed message that ends inside of a block is refused here, and cut off there",
    why:
      "RFC 7692 §7.2.1: a message ends where a flush ended; what zlib has by then is not what was sent",
    example: "03 00 00 c202f248",
    explains: ({ violation, theirs }) =>
      violation === "deflate-corrupt" && /^(?:text|binary)/.test(theirs),
  },
  {
    difference:
      "what is wrong with the order of frames, or a length, is told when the header is whole here, and before its mask there",
    why: "the bytes between carry nothing to act on, and their sender sends the rest",
    example: "00 00 00 8080",
    explains: ({ ours, theirReason }) =>
      ours === "nothing"
      && /INVALID_OPCODE|UNEXPECTED_RSV_1|PAYLOAD_LENGTH/.test(theirReason ?? ""),
  },
];

describe("Connection and the receiver of ws", () => {
  it.each(DIFFERENCES)("differ: $difference", async ({ example, explains }) => {
    const difference = await compare(hex(example));
    expect(difference).toBeDefined();
    expect(explains(difference!), JSON.stringify(difference)).toBe(true);
  });

  it(`read ${INPUTS} streams alike, but for the differences in the table`, async () => {
    let different = 0;
    for (let seed = 0; seed < INPUTS; seed++) {
      const prng = new Prng(seed);
      const input = freshInput(prng);
      const difference = await compare(
        prng.chance(50) ? input : mutate(input, freshInput(prng), prng),
      );
      if (difference === undefined) continue;
      different++;
      const row = DIFFERENCES.find(({ explains }) => explains(difference));
      if (row === undefined) throw new Error(`seed ${seed}: ${JSON.stringify(difference)}`);
    }
    expect(different).toBeGreaterThan(INPUTS / 200);
    expect(different).toBeLessThan(INPUTS / 10);
  });
});
