// The receiver of `ws` and ours, told the same: every difference in some thousands of streams is one of this table. On Node only: `ws`
// wants Node's zlib and streams, and what it does on other runtimes says more about them.

import { describe, expect, it } from "vitest";
import { Prng } from "../sim/prng.ts";
import type { Difference } from "./differential.ts";
import { compare } from "./differential.ts";
import { freshInput, mutate } from "./inputs.ts";

const INPUTS = 12_000;

interface Row {
  readonly difference: string;
  readonly why: string;
  explains(difference: Difference): boolean;
}

const DIFFERENCES: readonly Row[] = [
  {
    difference: "invalid UTF-8 fails at once here, and there only when the message is whole",
    why:
      "RFC 6455 §8.1 asks for a failure, and nothing that comes later can mend the text; whatever else comes meets it closed",
    explains: ({ violation, theirs }) => violation === "text-not-utf8" && !/^(?:text|binary)/.test(theirs),
  },
  {
    difference: "a length in a longer form than needed is refused here, and read there",
    why:
      "RFC 6455 §5.2: \"the minimal number of bytes MUST be used to encode the length\"; two forms of one frame are two readings",
    explains: ({ violation }) => violation === "length-not-minimal",
  },
  {
    difference: "a length with its top bit set is 1002 here, and 1009 there",
    why: "RFC 6455 §5.2: \"the most significant bit MUST be 0\": this is no large message, it is no frame",
    explains: ({ violation, theirs }) => violation === "length-too-large" && theirs === "fail 1009",
  },
  {
    difference: "the limit counts content here, and compressed bytes as well as content there",
    why: "a limit on messages should not hang on how well they compress; what inflates is bounded as it inflates",
    explains: ({ theirReason, ours }) => theirReason === "WS_ERR_UNSUPPORTED_MESSAGE_LENGTH" && ours !== "fail 1009",
  },
  {
    difference: "bytes that do not inflate fail at once here, and there only when their frame is whole",
    why: "as with UTF-8: nothing that comes later can mend them",
    explains: ({ violation, theirs }) => violation === "deflate-corrupt" && !/^(?:text|binary)/.test(theirs),
  },
  {
    difference:
      "bits at the end of a fragment that begin no code are told here with the next fragment, and there at once",
    why:
      "what is no code is only certain when as many bits are there as the longest code has; the message cannot end before",
    explains: ({ theirReason, ours }) => theirReason === "Z_DATA_ERROR" && !/^(?:text|binary)/.test(ours),
  },
  {
    difference: "a compressed message that ends inside of a block is refused here, and cut off there",
    why: "RFC 7692 §7.2.1: a message ends where a flush ended; what zlib has by then is not what was sent",
    explains: ({ violation, theirs }) => violation === "deflate-corrupt" && /^(?:text|binary)/.test(theirs),
  },
  {
    difference:
      "what is wrong with the order of frames is told when the header is whole here, and after its two first bytes there",
    why: "the bytes between carry nothing to act on, and whoever sends them sends the rest",
    explains: ({ ours, theirReason }) =>
      ours === "nothing" && /INVALID_OPCODE|UNEXPECTED_RSV_1/.test(theirReason ?? ""),
  },
];

describe("Connection and the receiver of ws", () => {
  it(`read ${INPUTS} streams alike, but for the differences in the table, of which all occur`, async () => {
    const met = new Map(DIFFERENCES.map((row) => [row, 0]));
    for (let seed = 0; seed < INPUTS; seed++) {
      const prng = new Prng(seed);
      const input = freshInput(prng);
      const difference = await compare(prng.chance(50) ? input : mutate(input, freshInput(prng), prng));
      if (difference === undefined) continue;
      const row = DIFFERENCES.find(({ explains }) => explains(difference));
      if (row === undefined) throw new Error(`seed ${seed}: ${JSON.stringify(difference)}`);
      met.set(row, met.get(row)! + 1);
    }
    const unmet = [...met].filter(([, count]) => count === 0).map(([row]) => row.difference);
    expect(unmet).toEqual([]);
    const total = [...met.values()].reduce((sum, count) => sum + count, 0);
    expect(total).toBeLessThan(INPUTS / 10);
  });
});
