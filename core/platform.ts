// What the core takes from the web's globals: a text encoder, text decoders, random bytes, SHA-1.
// They are typed here: the core is compiled with `lib: ["ES2023"], types: []`, so nothing else that
// is not in the language type-checks.

/** Encodes strings as UTF-8 (WHATWG Encoding, `TextEncoder`). */
export interface Utf8Encoder {
  /** The text as UTF-8. */
  encode(text: string): Uint8Array<ArrayBuffer>;
  /** Writes whole characters only, as many as fit. */
  encodeInto(text: string, target: Uint8Array): { read: number; written: number; };
}

/** Decodes UTF-8 (WHATWG Encoding, `TextDecoder`). */
export interface Utf8Decoder {
  decode(bytes?: Uint8Array): string;
}

interface Platform {
  readonly TextEncoder: new() => Utf8Encoder;
  readonly TextDecoder: new(
    label: string,
    options: { fatal: boolean; ignoreBOM: true; },
  ) => Utf8Decoder;
  readonly crypto: {
    getRandomValues(array: Uint8Array<ArrayBuffer>): Uint8Array;
    readonly subtle: {
      digest(algorithm: "SHA-1", data: Uint8Array<ArrayBuffer>): Promise<ArrayBuffer>;
    };
  };
}

const host = globalThis as unknown as Platform;

/** The one encoder: it keeps no state between calls. */
export const utf8Encoder: Utf8Encoder = new host.TextEncoder();

/** Throws for malformed input. Keeps a leading U+FEFF: RFC 6455 gives it no special meaning. */
export const utf8Decoder: Utf8Decoder = newDecoder(true);

/** The same, but it replaces what is malformed with U+FFFD. */
export const lenientDecoder: Utf8Decoder = newDecoder(false);

function newDecoder(fatal: boolean): Utf8Decoder {
  return new host.TextDecoder("utf-8", { fatal, ignoreBOM: true });
}

/** Fills the array from a cryptographically strong source. */
export function fillRandom(bytes: Uint8Array<ArrayBuffer>): void {
  host.crypto.getRandomValues(bytes);
}

/** The SHA-1 digest of the bytes: 20 bytes. */
export async function sha1(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array> {
  return new Uint8Array(await host.crypto.subtle.digest("SHA-1", bytes));
}
