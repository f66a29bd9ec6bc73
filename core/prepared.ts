// A message that goes to many connections: encoded once, framed once for all servers' connections,
// compressed once for each set of parameters under which the result does not depend on what was
// sent before.

import type { MessageDeflate } from "./deflate/transform.ts";
import { encodeServerFrame } from "./frame/encoder.ts";
import { FIN, Opcode, RSV1 } from "./frame/header.ts";
import { utf8Encoder } from "./platform.ts";

/** Per-message options of sending. */
export interface SendOptions {
  /**
   * `false` sends the message uncompressed where permessage-deflate was negotiated. Default `true`.
   */
  readonly compress?: boolean | undefined;
}

/** A message ready to be sent to any number of connections with `Connection.sendPrepared`. */
export class PreparedMessage {
  /** The opcode of the message's first frame. */
  readonly opcode: number;
  /** The content: bytes as they were given, or text as UTF-8. They must not change. */
  readonly payload: Uint8Array;
  /** Whether it may be compressed. */
  readonly compress: boolean;

  #plain: Uint8Array | undefined;
  #compressed: Map<string, Uint8Array> | undefined;

  /**
   * `opcode` is 1 for text, whose payload must then be valid UTF-8, or 2 for binary (RFC 6455
   * §5.6). Neither is checked.
   */
  constructor(opcode: number, payload: Uint8Array, options?: SendOptions) {
    this.opcode = opcode;
    this.payload = payload;
    this.compress = options?.compress ?? true;
  }

  /** The server's frame without compression. */
  get plainFrame(): Uint8Array {
    return this.#plain ??= encodeServerFrame(FIN | this.opcode, this.payload);
  }

  /**
   * The server's compressed frame under parameters that share a key: made by the first connection
   * that asks.
   */
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
