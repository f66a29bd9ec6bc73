// Header fields as an ordered list, and the three grammars of the values that matter here: tokens,
// token lists, extensions.
//
// RFC 9110 §5 (fields, lists, tokens, quoted strings) and RFC 6455 §9.1 (extensions). A field
// name is never the key of an object, and every parser here goes over its text once: regular
// expressions on these very values, and look-ups of the names in them on plain objects, are how
// WebSocket servers were brought down before. What a field means is for handshake/ to say.

import { UsageError } from "../errors.ts";

/**
 * One header field: a name as it was or will be sent, and a value without surrounding whitespace.
 */
export type HeaderField = readonly [name: string, value: string];

/**
 * Header fields as a caller gives them: a list, a `Headers`, a `Map`, or an object of names and
 * values.
 */
export type HeaderInput = Iterable<HeaderField> | Readonly<Record<string, string>>;

/**
 * A parameter of an extension; the value is `undefined` where there is none; the third element is
 * there if it was quoted.
 */
export type ExtensionParam = readonly [name: string, value: string | undefined, quoted?: true];

/** One element of Sec-WebSocket-Extensions: an offer, or an answer to one (RFC 6455 §9.1). */
export interface Extension {
  readonly name: string;
  /** In order, repetitions included. */
  readonly params: readonly ExtensionParam[];
}

/**
 * Header fields in the order in which they were sent, with names that compare without regard to
 * case.
 */
export class HeaderFields implements Iterable<HeaderField> {
  readonly #fields: readonly HeaderField[];
  readonly #lowerNames: readonly string[];

  /** Keeps the list itself, which must not change. Names and values are not checked. */
  constructor(fields: readonly HeaderField[]) {
    this.#fields = fields;
    this.#lowerNames = fields.map(([name]) => lowerCase(name));
  }

  /** The number of fields. */
  get size(): number {
    return this.#fields.length;
  }

  /**
   * The field's value; repeated fields joined by `", "`, which RFC 9110 §5.3 makes the same;
   * `undefined` where there is none.
   */
  get(name: string): string | undefined {
    const wanted = lowerCase(name);
    const first = this.#lowerNames.indexOf(wanted);
    if (first === -1) return undefined;
    const single = this.#lowerNames.lastIndexOf(wanted) === first;
    return single ? this.#fields[first]![1] : this.getAll(name).join(", ");
  }

  /** The values of every field of that name, for the fields that must not be repeated. */
  getAll(name: string): string[] {
    const wanted = lowerCase(name);
    return this.#fields.filter((_, index) => this.#lowerNames[index] === wanted).map(([, value]) =>
      value
    );
  }

  /** Whether there is more than one field of that name. */
  repeats(name: string): boolean {
    const wanted = lowerCase(name);
    return this.#lowerNames.indexOf(wanted) !== this.#lowerNames.lastIndexOf(wanted);
  }

  /** Whether there is a field of that name. */
  has(name: string): boolean {
    return this.#lowerNames.includes(lowerCase(name));
  }

  /** The fields in order, names as sent. */
  [Symbol.iterator](): Iterator<HeaderField> {
    return this.#fields[Symbol.iterator]();
  }
}

// Names are tokens, which are ASCII: the letters that `toLowerCase` treats differently are in none.
function lowerCase(name: string): string {
  return name.toLowerCase();
}

// One character class each, repeated or not, and nothing that could match in two ways: these are
// linear.
const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const TOKEN_HERE = /[!#$%&'*+\-.^_`|~0-9A-Za-z]*/y;
const NOT_IN_VALUE = /[^\t\x20-\x7e\x80-\xff]/;

/** Whether the text is a token (RFC 9110 §5.6.2). */
export function isToken(text: string): boolean {
  return TOKEN.test(text);
}

/**
 * Whether the text may be a field value: no control character but the tab, and nothing past Latin-1
 * (RFC 9110 §5.5).
 */
export function isFieldValue(text: string): boolean {
  return !NOT_IN_VALUE.test(text);
}

/**
 * The text without spaces and tabs around it; `trim` would take U+00A0 too, which is an ordinary
 * byte here.
 */
export function trimSpace(text: string): string {
  let start = 0;
  let end = text.length;
  while (isSpace(text.charCodeAt(start))) start++;
  while (isSpace(text.charCodeAt(end - 1))) end--;
  return text.slice(start, end);
}

// Of the code before the first character and of the one behind the last, which are NaN, it says no.
function isSpace(code: number): boolean {
  return code === 0x20 || code === 0x09;
}

/**
 * The elements of a comma-separated list; empty ones are left out, as RFC 9110 §5.6.1.2 asks of a
 * recipient.
 */
export function splitList(value: string): string[] {
  return value.split(",").map(trimSpace).filter((element) => element !== "");
}

/**
 * The tokens of a list such as `Connection: keep-alive, Upgrade`; `undefined` where an element is
 * none, or there is none.
 */
export function parseTokenList(value: string): readonly string[] | undefined {
  const tokens = splitList(value);
  return tokens.length > 0 && tokens.every(isToken) ? tokens : undefined;
}

/**
 * The elements of Sec-WebSocket-Extensions; `undefined` where the value does not follow the grammar
 * of RFC 6455 §9.1.
 */
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

/**
 * A position in a text that only moves forward; space is skipped before every element, as RFC 2616
 * §2.1 implies.
 */
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

  /** What stands before the closing quote, unescaped; `undefined` where no quote closes it. */
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

/**
 * The caller's header fields, checked, as a list.
 *
 * @param owned tells which names, in lower case, are not the caller's to set
 * @throws {UsageError} naming the field: one that must not be sent, or that is written by the
 *   handshake itself
 */
export function checkFields(
  input: HeaderInput | undefined,
  owned: (lowerName: string) => boolean,
): HeaderField[] {
  if (input === undefined) return [];
  if (input !== Object(input)) {
    throw new UsageError(
      `headers is ${String(input)}; it takes an object, or a list of names with values`,
    );
  }
  return (isIterable(input) ? [...input] : Object.entries(input)).map((field) => {
    checkField(field);
    const [name, value] = field;
    if (owned(lowerCase(name))) {
      throw new UsageError(`header ${name} is written by the handshake itself`);
    }
    return [name, trimSpace(value)];
  });
}

function isIterable(input: HeaderInput): input is Iterable<HeaderField> {
  return Symbol.iterator in input;
}

/**
 * Refuses a field that must not be sent: CR, LF or NUL in it would let its value become another
 * field, or another message.
 *
 * @throws {UsageError} naming the field
 */
export function checkField([name, value]: HeaderField): void {
  if (typeof name !== "string" || !isToken(name)) {
    throw new UsageError(`header name ${JSON.stringify(name)} is not a token (RFC 9110 §5.1)`);
  }
  if (typeof value !== "string" || !isFieldValue(value)) {
    throw new UsageError(
      `the value of header ${name} is not Latin-1 text without control characters (RFC 9110 §5.5)`,
    );
  }
}
