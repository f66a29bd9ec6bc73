// A message for many connections: encoded once and framed once for all connections of servers. It
// is compressed once per set of parameters without context takeover (RFC 7692 §7.1.1).

import type { MessageDeflate } from "./deflate/transform.ts";
import { encodeServerFrame } from "./frame/encoder.ts";
import { FIN, Opcode, RSV1 } from "./frame/header.ts";
import { utf8Encoder } from "./platform.ts";

/** Options of one message. */
export interface SendOptions {
  /** `false` sends it uncompressed although permessage-deflate was negotiated. Default `true`. */
  readonly compress?: boolean | undefined;
}

/** A message that `Connection.sendPrepared` can send on any number of connections. */
export class PreparedMessage {
  /** 1 for text, 2 for binary. */
  readonly opcode: number;
  /** The content: the bytes that were given, or text as UTF-8. They must not change. */
  readonly payload: Uint8Array;
  /** Whether it may be compressed. */
  readonly compress: boolean;

  #plain: Uint8Array | undefined;
  #compressed: Map<string, Uint8Array> | undefined;

  /** Opcode 1 for text in valid UTF-8, 2 for binary (RFC 6455 §5.6). Neither is checked. */
  constructor(opcode: number, payload: Uint8Array, options?: SendOptions) {
    this.opcode = opcode;
    this.payload = payload;
    this.compress = options?.compress ?? true;
  }

  /** The uncompressed frame of a server. */
  get plainFrame(): Uint8Array {
    return this.#plain ??= encodeServerFrame(FIN | this.opcode, this.payload);
  }

  /** The compressed frame of a server, made by the first connection with this `shareKey`. */
  sharedFrame(key: string, deflate: MessageDeflate): Uint8Array {
    const known = this.#compressed?.get(key);
    if (known !== undefined) return known;
    const frame = encodeServerFrame(FIN | RSV1 | this.opcode, deflate.compress(this.payload, true));
    this.#compressed ??= new Map();
    this.#compressed.set(key, frame);
    return frame;
  }
}

/** Prepares a text message. */
export function prepareText(text: string, options?: SendOptions): PreparedMessage {
  return new PreparedMessage(Opcode.text, utf8Encoder.encode(text), options);
}

/** Prepares a binary message; the bytes must not change until the last connection has sent it. */
export function prepareBinary(bytes: Uint8Array, options?: SendOptions): PreparedMessage {
  return new PreparedMessage(Opcode.binary, bytes, options);
}
