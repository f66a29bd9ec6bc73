// The messages of the chat in both directions: JSON text, with a `type`. Messages from clients are
// parsed and checked here; a bad one throws a Refusal, which goes back to its sender. What messages
// do is in rooms.ts.

/** A person in a room. */
export interface Person {
  readonly id: string;
  readonly name: string;
}

/** A room and the number of people in it. */
export interface RoomInfo {
  readonly name: string;
  readonly people: number;
}

/** A chat message as all in the room get it. */
export interface ChatMessage {
  readonly type: "message";
  readonly id: string;
  readonly from: Person;
  readonly content: string;
  /** ISO 8601, by the sender's clock; the order of messages is the server's. */
  readonly timestamp: string;
}

/** A message from a client. */
export type Said =
  | { readonly type: "message"; readonly content: string; readonly timestamp: string; }
  | { readonly type: "join"; readonly room: string; }
  | { readonly type: "rename"; readonly name: string; };

/** A message from the server. */
export type Told =
  | ChatMessage
  | {
    readonly type: "joined";
    readonly room: string;
    readonly you: Person;
    readonly people: readonly Person[];
    readonly history: readonly ChatMessage[];
    readonly rooms: readonly RoomInfo[];
    /** The server's runtime. */
    readonly server: string;
  }
  | { readonly type: "arrived" | "left" | "renamed"; readonly person: Person; }
  | { readonly type: "rooms"; readonly rooms: readonly RoomInfo[]; }
  | { readonly type: "error"; readonly code: string; readonly message: string; };

/** In UTF-16 code units, as a text field of a page counts. */
export const MAX_CONTENT = 2_000;
export const MAX_NAME = 24;
export const MAX_ROOM = 24;

/** Why a message was not accepted; its sender gets code and message. */
export class Refusal extends Error {
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

type Fields = Readonly<Record<string, unknown>>;

// A Map, because `type` may be "constructor".
const PARSERS: ReadonlyMap<unknown, (fields: Fields) => Said> = new Map<
  unknown,
  (fields: Fields) => Said
>([
  [
    "message",
    (fields) => ({
      type: "message",
      content: parseContent(fields),
      timestamp: parseTimestamp(fields),
    }),
  ],
  ["join", ({ room }) => ({ type: "join", room: parseRoom(room) })],
  ["rename", ({ name }) => ({ type: "rename", name: parseName(name) })],
]);

/** Parses a message from a client. @throws {Refusal} for one that is not of the protocol */
export function parseSaid(data: string | Uint8Array): Said {
  if (typeof data !== "string") {
    throw new Refusal("not-text", "a message must be JSON text, not binary");
  }
  const fields = parseObject(data);
  const parse = PARSERS.get(fields["type"]);
  if (parse === undefined) {
    const known = [...PARSERS.keys()].map((type) => JSON.stringify(type)).join(", ");
    throw new Refusal("type-unknown", `"type" must be one of ${known}`);
  }
  return parse(fields);
}

function parseObject(text: string): Fields {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new Refusal("not-json", `the message is not JSON: ${(error as Error).message}`);
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new Refusal("not-an-object", "a message must be a JSON object");
  }
  return value as Fields;
}

function parseContent({ content }: Fields): string {
  return parseText("content", content, MAX_CONTENT);
}

// Date.parse alone accepts formats that only some engines know.
const ISO_TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)$/;

function parseTimestamp({ timestamp }: Fields): string {
  if (timestamp === undefined) return new Date().toISOString();
  if (
    typeof timestamp === "string" && ISO_TIME.test(timestamp)
    && !Number.isNaN(Date.parse(timestamp))
  ) {
    return timestamp;
  }
  throw new Refusal(
    "timestamp-invalid",
    `"timestamp" must be a time such as "2026-11-22T20:40:00.000Z"`,
  );
}

// Control characters, and those that change the direction of the text behind them.
const NOT_IN_NAME = /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\u202a-\u202e\u2066-\u2069]/u;

/** Parses the name of a person. @throws {Refusal} when it is not one */
export function parseName(value: unknown): string {
  const name = parseText("name", value, MAX_NAME);
  if (NOT_IN_NAME.test(name)) {
    throw new Refusal("name-invalid", "\"name\" must not have control characters");
  }
  return name;
}

const ROOM = /^[\p{Ll}\p{Lo}\p{N}][\p{Ll}\p{Lo}\p{M}\p{N}-]*$/u;

/** Parses the name of a room. @throws {Refusal} when it is not one */
export function parseRoom(value: unknown): string {
  const room = parseText("room", value, MAX_ROOM);
  if (!ROOM.test(room)) {
    throw new Refusal("room-invalid", "\"room\" must be of lower-case letters, digits and hyphens");
  }
  return room;
}

function parseText(name: string, value: unknown, max: number): string {
  if (value === undefined) throw new Refusal(`${name}-missing`, `"${name}" is missing`);
  if (typeof value !== "string") {
    throw new Refusal(`${name}-not-text`, `"${name}" must be a string`);
  }
  const text = value.trim();
  if (text === "") throw new Refusal(`${name}-empty`, `"${name}" is empty`);
  if (text.length > max) {
    throw new Refusal(
      `${name}-too-long`,
      `"${name}" has ${text.length} characters; ${max} is the most`,
    );
  }
  return text;
}
