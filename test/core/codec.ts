// A DEFLATE stand-in for tests of what surrounds compression: it "compresses" by copying, so that
// every byte on the wire can be told. Like the real thing it stops at a limit; the byte 0xbd is not
// DEFLATE to it.

import { concat } from "../../core/bytes.ts";
import { type DeflateCodec, InflateLimitError } from "../../core/deflate/codec.ts";
import { MessageDeflate } from "../../core/deflate/transform.ts";
import { hex, toHex } from "./support.ts";

const TAIL = hex("0000ffff");

/** What the codec takes for corrupt. */
export const CORRUPT = 0xbd;

/** The names of the codec's calls, in order. */
export type Calls = string[];

function copyingCodec(calls: Calls): DeflateCodec {
  return {
    createDeflater: () => ({
      deflate(bytes) {
        calls.push("deflate");
        return concat([bytes, TAIL]);
      },
      reset: () => calls.push("reset deflater"),
      close: () => calls.push("close deflater"),
    }),
    createInflater: () => ({
      position: "between",
      inflate(bytes, limit) {
        if (toHex(bytes) === toHex(TAIL)) return new Uint8Array(0);
        if (bytes.includes(CORRUPT)) throw new Error("not DEFLATE");
        if (bytes.length > limit) throw new InflateLimitError();
        return bytes.slice();
      },
      reset: () => calls.push("reset inflater"),
      close: () => calls.push("close inflater"),
    }),
  };
}

/** permessage-deflate with the copying codec. */
export function copyingDeflate(
  { threshold = 0, takeover = true, calls = [] }: {
    threshold?: number;
    takeover?: boolean;
    calls?: Calls;
  } = {},
): MessageDeflate {
  const params = { windowBits: 15, takeover, peerWindowBits: 15, peerTakeover: true };
  const codec = copyingCodec(calls);
  const options = { ...params, codec, threshold, level: 1, memLevel: 8 };
  return new MessageDeflate(params, options);
}
