// The byte and ASCII helpers that more than one part of the core needs, and no others.

/** One array of all the chunks; the chunk itself where there is just one. */
export function concat(chunks: readonly Uint8Array[]): Uint8Array {
  if (chunks.length === 1) return chunks[0]!;
  const joined = new Uint8Array(chunks.reduce((total, chunk) => total + chunk.length, 0));
  let offset = 0;
  for (const chunk of chunks) {
    joined.set(chunk, offset);
    offset += chunk.length;
  }
  return joined;
}

/** Whether both hold the same bytes. */
export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, index) => byte === b[index]);
}

/**
 * Whether the strings are equal but for the case of ASCII letters, as header names and tokens
 * compare (RFC 9110 §5.1).
 */
export function equalsIgnoringCase(a: string, b: string): boolean {
  return asciiLowerCase(a) === asciiLowerCase(b);
}

/** Lower case for A-Z only: `toLowerCase` would map U+212A, the Kelvin sign, to "k". */
export function asciiLowerCase(text: string): string {
  return text.replace(/[A-Z]/g, (letter) => letter.toLowerCase());
}
