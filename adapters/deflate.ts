// The default DeflateCodec: DEFLATE (RFC 1951) in TypeScript, synchronous, made for messages of some hundred bytes. It runs wherever
// the core does and knows nothing of WebSocket.
//
// Node has no supported synchronous zlib that keeps its window. Ports of zlib to JavaScript have one; for such messages they take two to
// three times as long to compress, spent on trees, and about 300 KB for each connection.

import type { DeflateCodec } from "../core/deflate/codec.ts";
import { WindowDeflater } from "./deflate/deflater.ts";
import { WindowInflater } from "./deflate/inflater.ts";

/**
 * The codec that is used where no other is given.
 *
 * Memory grows with what a connection exchanges, up to its windows. Measured on Node 20, per connection, both directions, in bytes:
 *
 * | options | after 2 messages of 500 B | after 200 |
 * |---|--:|--:|
 * | defaults (windows of 15 bits, level 1, `memLevel` 8) | 22,000 | 100,000 |
 * | `takeover: false`, for which the server compresses without a window | 3,200 | 42,000 |
 * | and the peer says that it uses none either | 1,000 | 1,000 |
 * | `windowBits: 12, peerWindowBits: 12` | 21,000 | 43,000 |
 * | `windowBits: 9, peerWindowBits: 9, memLevel: 4` | 5,700 | 20,000 |
 * | `level: 2` and above | 23,500 | 182,000 |
 *
 * At most: a deflater has its window, 8 KiB, and `2 ** (memLevel + 6)` bytes, and twice its window and 16 KiB more above level 1; an
 * inflater has its window and 8 KiB. Without takeover one set of memory serves all connections.
 */
export const deflateCodec: DeflateCodec = {
  createDeflater: (options) => new WindowDeflater(options),
  createInflater: (options) => new WindowInflater(options.windowBits),
};
