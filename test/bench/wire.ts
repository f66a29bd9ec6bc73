// Bytes as a client writes them and a server answers them, made without the library that is
// measured.

import { Buffer } from "node:buffer";

const KEY = Buffer.of(0x5a, 0x1e, 0xc3, 0x97);

function header(first: number, length: number, mask: number): Buffer {
  if (length <= 125) return Buffer.of(first, mask | length);
  if (length <= 0xffff) return Buffer.of(first, mask | 126, length >>> 8, length & 0xff);
  const bytes = Buffer.alloc(10);
  bytes[0] = first;
  bytes[1] = mask | 127;
  bytes.writeBigUInt64BE(BigInt(length), 2);
  return bytes;
}

/** A frame of a client; `first` is its first byte. */
export function clientFrame(first: number, payload: Uint8Array): Buffer {
  const masked = Buffer.from(payload);
  for (let i = 0; i < masked.length; i++) masked[i]! ^= KEY[i & 3]!;
  return Buffer.concat([header(first, payload.length, 0x80), KEY, masked]);
}

/** The same frame as a server writes it. */
export function serverFrame(first: number, payload: Uint8Array): Buffer {
  return Buffer.concat([header(first, payload.length, 0), payload]);
}

/** The Close frame of a client, with 1000. */
export const CLOSE: Buffer = clientFrame(0x88, Buffer.of(0x03, 0xe8));

/** The request of an opening handshake. */
export function upgradeRequest(port: number, deflate: boolean): Buffer {
  const lines = [
    "GET / HTTP/1.1",
    `Host: 127.0.0.1:${port}`,
    "Upgrade: websocket",
    "Connection: Upgrade",
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
    "Sec-WebSocket-Version: 13",
  ];
  if (deflate) lines.push("Sec-WebSocket-Extensions: permessage-deflate");
  return Buffer.from(`${lines.join("\r\n")}\r\n\r\n`);
}

/** Counts the frames of a server in its chunks, by their headers only. */
export class FrameCounter {
  #header: number[] = [];
  #skip = 0;

  /** Takes the first `length` bytes of the chunk; returns how many frames ended in them. */
  count(chunk: Uint8Array, length: number): number {
    let ended = 0;
    for (let at = 0; at < length;) {
      if (this.#skip > 0) {
        const step = Math.min(this.#skip, length - at);
        this.#skip -= step;
        at += step;
        if (this.#skip === 0) ended++;
      } else {
        this.#header.push(chunk[at++]!);
        this.#skip = this.#payloadLength();
      }
    }
    return ended;
  }

  #payloadLength(): number {
    const header = this.#header;
    if (header.length < 2) return 0;
    const short = header[1]!;
    if (short === 126 && header.length < 4) return 0;
    if (short > 126 || short === 0) {
      throw new Error(`a reply of an unexpected size: ${header.join(" ")}`);
    }
    this.#header = [];
    return short === 126 ? header[2]! << 8 | header[3]! : short;
  }
}
