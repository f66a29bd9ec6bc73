// What is said in the chat, in both directions: JSON text messages, told apart by their `type`.
// What people say is checked here, and whoever says something else hears what was wrong with it.
// What it causes is chat.ts's.

/** Somebody in a room. */
export interface Person {
  readonly id: string;
  readonly name: string;
}

/** A room and how many are in it. */
export interface RoomInfo {
  readonly name: string;
  readonly people: number;
}

/** A chat message as everybody in the room gets it. */
export interface ChatMessage {
  readonly type: "message";
  readonly id: string;
  readonly from: Person;
  readonly content: string;
  /** ISO 8601, by the clock of whoever wrote it; the order is the server's. */
  readonly timestamp: string;
}

/** What people say. */
export type Said =
  | { readonly type: "message"; readonly content: string; readonly timestamp: string; }
  | { readonly type: "join"; readonly room: string; }
  | { readonly type: "rename"; readonly name: string; };

/** What the server says. */
export type Told =
  | ChatMessage
  | {
    readonly type: "joined";
    readonly room: string;
    readonly you: Person;
    readonly people: readonly Person[];
    readonly history: readonly ChatMessage[];
    readonly rooms: readonly RoomInfo[];
    /** The runtime it runs on. */
    readonly server: string;
  }
  | { readonly type: "arrived" | "left" | "renamed"; readonly person: Person; }
  | { readonly type: "rooms"; readonly rooms: readonly RoomInfo[]; }
  | { readonly type: "error"; readonly code: string; readonly message: string; };

/** In UTF-16 units, as a text field of a page counts. */
export const MAX_CONTENT = 2_000;
export const MAX_NAME = 24;
export const MAX_ROOM = 24;

/** Why something was not accepted, for whoever said it. */
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

/**
 * What a message says.
 *
 * @throws {Refusal} for one that is not of the protocol
 */
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

// Date.parse alone would accept much that only some engines understand.
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

// Control characters, and those that turn the direction of what stands behind them.
const NOT_IN_NAME = /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\u202a-\u202e\u2066-\u2069]/u;

/** @throws {Refusal} for what is no name of a person */
export function parseName(value: unknown): string {
  const name = parseText("name", value, MAX_NAME);
  if (NOT_IN_NAME.test(name)) {
    throw new Refusal("name-invalid", "\"name\" must not have control characters");
  }
  return name;
}

const ROOM = /^[\p{Ll}\p{Lo}\p{N}][\p{Ll}\p{Lo}\p{M}\p{N}-]*$/u;

/** @throws {Refusal} for what is no name of a room */
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
