// Header fields as an ordered list, and the grammar of their values: tokens, token lists and quoted
// strings (RFC 9110 §5), extensions (RFC 6455 §9.1). handshake/ interprets the fields.
// Regular expressions that backtrack on these values, and names as keys of plain objects, have
// crashed WebSocket servers. Every parser here is linear, and no name is a key of an object.

/** One header field: the name as sent, and the value without surrounding whitespace. */
export type HeaderField = readonly [name: string, value: string];

/** Header fields from a caller: a list, `Headers`, a `Map`, or an object of names and values. */
export type HeaderInput = Iterable<HeaderField> | Readonly<Record<string, string>>;

/** A parameter of an extension: its name, its value if any, and `true` if that was quoted. */
export type ExtensionParam = readonly [name: string, value: string | undefined, quoted?: true];

/** One element of Sec-WebSocket-Extensions, offer or answer (RFC 6455 §9.1). */
export interface Extension {
  readonly name: string;
  /** In order, repetitions included. */
  readonly params: readonly ExtensionParam[];
}

/** Header fields in the order of sending, with case-insensitive names. */
export class HeaderFields implements Iterable<HeaderField> {
  readonly #fields: readonly HeaderField[];
  readonly #lowerNames: readonly string[];

  /** Keeps the list, which must not change. Names and values are not checked. */
  constructor(fields: readonly HeaderField[]) {
    this.#fields = fields;
    // Names are tokens, which are ASCII, so `toLowerCase` is exact.
    this.#lowerNames = fields.map(([name]) => name.toLowerCase());
  }

  /** The number of fields. */
  get size(): number {
    return this.#fields.length;
  }

  /**
   * The field's value if any; repeated fields are joined by `", "` (RFC 9110 §5.3), and Cookie by
   * `"; "` (RFC 6265 §4.2.1). Set-Cookie cannot be joined: the first is given, `getAll` gives all.
   */
  get(name: string): string | undefined {
    const values = this.getAll(name);
    if (values.length < 2 || equalsIgnoringCase(name, "set-cookie")) return values[0];
    return values.join(equalsIgnoringCase(name, "cookie") ? "; " : ", ");
  }

  /** The values of all fields of that name. */
  getAll(name: string): string[] {
    const wanted = name.toLowerCase();
    const named = this.#fields.filter((_, index) => this.#lowerNames[index] === wanted);
    return named.map(([, value]) => value);
  }

  /** Whether there is more than one field of that name. */
  repeats(name: string): boolean {
    const wanted = name.toLowerCase();
    return this.#lowerNames.indexOf(wanted) !== this.#lowerNames.lastIndexOf(wanted);
  }

  /** Whether there is a field of that name. */
  has(name: string): boolean {
    return this.#lowerNames.includes(name.toLowerCase());
  }

  /** The fields in order, names as sent. */
  [Symbol.iterator](): Iterator<HeaderField> {
    return this.#fields[Symbol.iterator]();
  }
}

// One character class each, so they are linear.
const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const TOKEN_HERE = /[!#$%&'*+\-.^_`|~0-9A-Za-z]*/y;
const NOT_IN_VALUE = /[^\t\x20-\x7e\x80-\xff]/;

/** Whether the text is a token (RFC 9110 §5.6.2). */
export function isToken(text: string): boolean {
  return TOKEN.test(text);
}

/** Whether the text is a field value: Latin-1, no control characters but tab (RFC 9110 §5.5). */
export function isFieldValue(text: string): boolean {
  return !NOT_IN_VALUE.test(text);
}

/** The text without surrounding spaces and tabs; `trim` would also remove U+00A0, a legal byte. */
export function trimSpace(text: string): string {
  let start = 0;
  let end = text.length;
  while (isSpace(text.charCodeAt(start))) start++;
  while (isSpace(text.charCodeAt(end - 1))) end--;
  return text.slice(start, end);
}

// False for NaN, the code of a character outside the text.
function isSpace(code: number): boolean {
  return code === 0x20 || code === 0x09;
}

/** The elements of a comma-separated list without the empty ones (RFC 9110 §5.6.1.2). */
export function splitList(value: string): string[] {
  return value.split(",").map(trimSpace).filter((element) => element !== "");
}

/** The tokens of a list such as `keep-alive, Upgrade`; `undefined` if it is empty or malformed. */
export function parseTokenList(value: string): readonly string[] | undefined {
  const tokens = splitList(value);
  return tokens.length > 0 && tokens.every(isToken) ? tokens : undefined;
}

/** The elements of Sec-WebSocket-Extensions (RFC 6455 §9.1); `undefined` if it is malformed. */
export function parseExtensions(value: string): readonly Extension[] | undefined {
  const cursor = new Cursor(value);
  const extensions: Extension[] = [];
  do {
    if (cursor.atElementEnd()) continue;
    const extension = parseExtension(cursor);
    if (extension === undefined) return undefined;
    extensions.push(extension);
  } while (cursor.take(","));
  return cursor.atEnd() && extensions.length > 0 ? extensions : undefined;
}

function parseExtension(cursor: Cursor): Extension | undefined {
  const name = cursor.takeToken();
  if (name === undefined) return undefined;
  const params: ExtensionParam[] = [];
  while (cursor.take(";")) {
    const param = parseParam(cursor);
    if (param === undefined) return undefined;
    params.push(param);
  }
  return { name, params };
}

function parseParam(cursor: Cursor): ExtensionParam | undefined {
  const name = cursor.takeToken();
  if (name === undefined) return undefined;
  if (!cursor.take("=")) return [name, undefined];
  const quoted = cursor.take("\"");
  const value = quoted ? cursor.takeQuotedRest() : cursor.takeToken();
  // RFC 6455 §9.1: "the value after quoted-string unescaping MUST conform to the 'token' ABNF".
  if (value === undefined || !isToken(value)) return undefined;
  return quoted ? [name, value, true] : [name, value];
}

/** A position that only moves forward. Skips space before every element (RFC 2616 §2.1). */
class Cursor {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  atEnd(): boolean {
    this.#skipSpace();
    return this.#at === this.#text.length;
  }

  atElementEnd(): boolean {
    return this.atEnd() || this.#text[this.#at] === ",";
  }

  take(character: string): boolean {
    this.#skipSpace();
    if (this.#text[this.#at] !== character) return false;
    this.#at++;
    return true;
  }

  takeToken(): string | undefined {
    this.#skipSpace();
    TOKEN_HERE.lastIndex = this.#at;
    const [token] = TOKEN_HERE.exec(this.#text)!;
    this.#at += token.length;
    return token === "" ? undefined : token;
  }

  /** The unescaped text before the closing quote; `undefined` if there is no closing quote. */
  takeQuotedRest(): string | undefined {
    let unescaped = "";
    while (this.#at < this.#text.length) {
      const character = this.#text[this.#at++]!;
      if (character === "\"") return unescaped;
      unescaped += character === "\\" ? this.#text[this.#at++] ?? "" : character;
    }
    return undefined;
  }

  #skipSpace(): void {
    while (isSpace(this.#text.charCodeAt(this.#at))) this.#at++;
  }
}

/** Whether the strings are equal but for the case of ASCII letters (RFC 9110 §5.1). */
export function equalsIgnoringCase(a: string, b: string): boolean {
  return asciiLowerCase(a) === asciiLowerCase(b);
}

/** Lower case for A-Z only: `toLowerCase` would map U+212A, the Kelvin sign, to "k". */
export function asciiLowerCase(text: string): string {
  return text.replace(/[A-Z]/g, (letter) => letter.toLowerCase());
}
