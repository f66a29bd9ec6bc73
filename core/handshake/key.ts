// The key of an opening handshake and the value that answers it: RFC 6455 §4.1 step 7 and §4.2.2
// step 5.4. Short, and a file of its own: `acceptKey` is the core's only asynchronous function,
// because Web Crypto is.

import { fillRandom, sha1, utf8Encoder } from "../platform.ts";

const KEY_BYTES = 16;

/** What follows the key in the digest's input (RFC 6455 §1.3). */
export const KEY_GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/** A fresh Sec-WebSocket-Key: 16 random bytes in base64 (RFC 6455 §4.1). */
export function createKey(): string {
  const bytes = new Uint8Array(KEY_BYTES);
  fillRandom(bytes);
  return encodeBase64(bytes);
}

/** Whether the text is 16 bytes in base64, as a Sec-WebSocket-Key is (RFC 6455 §4.2.1). */
export function isKey(text: string): boolean {
  return /^[A-Za-z0-9+/]{22}==$/.test(text);
}

/** The Sec-WebSocket-Accept that answers the key, by Web Crypto (RFC 6455 §4.2.2 step 5.4). */
export async function acceptKey(key: string): Promise<string> {
  return encodeBase64(await sha1(utf8Encoder.encode(key + KEY_GUID)));
}

const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/** The bytes in base64, padded (RFC 4648 §4). */
export function encodeBase64(bytes: Uint8Array): string {
  let text = "";
  for (let index = 0; index < bytes.length; index += 3) {
    const group = bytes[index]! << 16 | (bytes[index + 1] ?? 0) << 8 | (bytes[index + 2] ?? 0);
    for (const shift of [18, 12, 6, 0]) text += ALPHABET[group >> shift & 63]!;
  }
  const padding = (3 - bytes.length % 3) % 3;
  return text.slice(0, text.length - padding) + "==".slice(0, padding);
}
