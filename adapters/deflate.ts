// The default DeflateCodec: DEFLATE (RFC 1951) in TypeScript, synchronous, made for messages of some hundred bytes. It runs wherever
// the core does and knows nothing of WebSocket.
//
// Node has no supported synchronous zlib that keeps its window; ports of zlib to JavaScript do, and take two to four times as long and
// 270 KB for each connection.

import type { DeflateCodec } from "../core/deflate/codec.ts";
import { WindowDeflater } from "./deflate/deflater.ts";
import { WindowInflater } from "./deflate/inflater.ts";

/** The codec that is used where no other is given. */
export const deflateCodec: DeflateCodec = {
  createDeflater: (options) => new WindowDeflater(options),
  createInflater: (options) => new WindowInflater(options.windowBits),
};
