// What an endpoint that echoes messages must answer to a peer's frames: families 1 to 5 and 7 of
// the field's conformance suite (the Autobahn WebSocket suite), told again from RFC 6455. The
// number of a case is the suite's, where one corresponds.

import { content, hex, join, pattern, utf8 } from "../core/support.ts";

export interface Conversation {
  readonly name: string;
  /** The peer's frames: first byte and payload. */
  readonly frames: readonly (readonly [first: number, payload?: Uint8Array | string])[];
  /**
   * The frames that answer, as `lines` prints them; of a Close frame for a violation only the code.
   */
  readonly answers: readonly string[];
}

type Frames = Conversation["frames"];

// Family 1: messages of all sizes, either kind
const SIZES = [0, 1, 125, 126, 127, 128, 65535, 65536];

const MESSAGES = SIZES.flatMap((size): Conversation[] => [
  {
    name: `1.1 text of ${size} bytes`,
    frames: [[0x81, "*".repeat(size)]],
    answers: [`text ${content("*".repeat(size))}`],
  },
  {
    name: `1.2 ${size} bytes`,
    frames: [[0x82, pattern(size)]],
    answers: [`binary ${content(pattern(size))}`.trim()],
  },
]);

// Family 2: pings and pongs
const TEN_PINGS = Array.from(
  { length: 10 },
  (_, i): Frames[number] => [0x89, Uint8Array.of(0x70, i)],
);
const TEN_PONGS = TEN_PINGS.map((_, i) => `pong 700${i}`);

const CONTROLS: readonly Conversation[] = [
  { name: "2.1 a ping without payload", frames: [[0x89]], answers: ["pong"] },
  { name: "2.2 a ping with text", frames: [[0x89, "Hello"]], answers: ["pong 48656c6c6f"] },
  {
    name: "2.3 a ping with bytes",
    frames: [[0x89, hex("00fffefdfcfb00ff")]],
    answers: ["pong 00fffefdfcfb00ff"],
  },
  {
    name: "2.4 a ping of 125 bytes",
    frames: [[0x89, pattern(125)]],
    answers: [`pong ${content(pattern(125))}`],
  },
  { name: "2.5 a ping of 126 bytes", frames: [[0x89, pattern(126)]], answers: ["close 1002"] },
  { name: "2.7 an unsolicited pong without payload", frames: [[0x8a]], answers: [] },
  { name: "2.8 an unsolicited pong with payload", frames: [[0x8a, "unsolicited"]], answers: [] },
  {
    name: "2.9 an unsolicited pong, then a ping",
    frames: [[0x8a, "unsolicited"], [0x89, "p"]],
    answers: ["pong 70"],
  },
  { name: "2.10 ten pings: ten pongs in their order", frames: TEN_PINGS, answers: TEN_PONGS },
];

// Family 3: reserved bits. What came before is answered, what comes after is not.
const RESERVED_BITS = [1, 2, 3, 4, 5, 6, 7].flatMap((bits): Conversation[] => [
  {
    name: `3 RSV ${bits} on a first frame`,
    frames: [[0x81 | bits << 4, "Hello"]],
    answers: ["close 1002"],
  },
  {
    name: `3 RSV ${bits} after a message, before a ping`,
    frames: [[0x81, "Hello"], [0x82 | bits << 4, "Hello"], [0x89]],
    answers: ["text \"Hello\"", "close 1002"],
  },
  {
    name: `3.6 RSV ${bits} on a ping`,
    frames: [[0x89 | bits << 4, "p"], [0x89]],
    answers: ["close 1002"],
  },
  {
    name: `3.7 RSV ${bits} on a Close frame`,
    frames: [[0x88 | bits << 4, hex("03e8")]],
    answers: ["close 1002"],
  },
  {
    name: `3 RSV ${bits} on a continuation`,
    frames: [[0x01, "Hel"], [0x80 | bits << 4, "lo"], [0x89]],
    answers: ["close 1002"],
  },
]);

// Family 4: reserved opcodes, data (3-7) and control (11-15)
const RESERVED_OPCODES = [3, 4, 5, 6, 7, 11, 12, 13, 14, 15].flatMap((opcode): Conversation[] => [
  {
    name: `4 opcode ${opcode}, without payload`,
    frames: [[0x80 | opcode]],
    answers: ["close 1002"],
  },
  {
    name: `4 opcode ${opcode}, with payload, before a ping`,
    frames: [[0x80 | opcode, "x"], [0x89]],
    answers: ["close 1002"],
  },
  {
    name: `4 opcode ${opcode}, as a fragment`,
    frames: [[opcode, "x"], [0x80, "y"]],
    answers: ["close 1002"],
  },
  {
    name: `4 opcode ${opcode}, after a message`,
    frames: [[0x81, "Hello"], [0x80 | opcode, "x"], [0x89]],
    answers: ["text \"Hello\"", "close 1002"],
  },
]);

// Family 5: fragments
const WHOLE = "text \"fragment1fragment2\"";

const FRAGMENTS: readonly Conversation[] = [
  {
    name: "5.1 a ping in two fragments",
    frames: [[0x09, "a"], [0x80, "b"]],
    answers: ["close 1002"],
  },
  {
    name: "5.2 a pong in two fragments",
    frames: [[0x0a, "a"], [0x80, "b"]],
    answers: ["close 1002"],
  },
  {
    name: "5.3 text in two fragments",
    frames: [[0x01, "fragment1"], [0x80, "fragment2"]],
    answers: [WHOLE],
  },
  {
    name: "5.6 a ping between two fragments",
    frames: [[0x01, "fragment1"], [0x89, "p"], [0x80, "fragment2"]],
    answers: ["pong 70", WHOLE],
  },
  ...[[0x80, "nothing"], [0x00, "nothing"], [0x80, ""], [0x00, ""]].map((
    [first, payload],
  ): Conversation => ({
    name: `5.9-5.14 a continuation of nothing, first byte ${first}, ${
      payload === "" ? "empty" : "before a message"
    }`,
    frames: [[first as number, payload as string], [0x81, "Hello"]],
    answers: ["close 1002"],
  })),
  {
    name: "5.15 a continuation after a whole fragmented message",
    frames: [[0x01, "fragment1"], [0x80, "fragment2"], [0x00, "fragment3"], [0x01, "fragment4"], [
      0x80,
      "fragment5",
    ]],
    answers: [WHOLE, "close 1002"],
  },
  {
    name: "5.16 a continuation without FIN before text, twice",
    frames: [[0x00, "a"], [0x81, "b"], [0x00, "a"], [0x81, "b"]],
    answers: ["close 1002"],
  },
  {
    name: "5.17 a continuation with FIN before text, twice",
    frames: [[0x80, "a"], [0x81, "b"], [0x80, "a"], [0x81, "b"]],
    answers: ["close 1002"],
  },
  {
    name: "5.18 two fragments that both say text",
    frames: [[0x01, "fragment1"], [0x81, "fragment2"]],
    answers: ["close 1002"],
  },
  {
    name: "5.18 a binary message inside of text",
    frames: [[0x01, "a"], [0x82, "b"]],
    answers: ["close 1002"],
  },
  {
    name: "5.19, 5.20 five fragments with pings between them",
    frames: [
      [0x01, "fragment1"],
      [0x00, "fragment2"],
      [0x89, "1"],
      [0x00, "fragment3"],
      [0x89, "2"],
      [0x00, "fragment4"],
      [0x89, "3"],
      [0x80, "fragment5"],
    ],
    answers: [
      "pong 31",
      "pong 32",
      "pong 33",
      "text \"fragment1fragment2fragment3fragment4fragment5\"",
    ],
  },
  {
    name: "5 fragments without payload around and between others",
    frames: [[0x01], [0x00, "fragment1"], [0x00], [0x8a], [0x00, "fragment2"], [0x80]],
    answers: [WHOLE],
  },
];

// Family 7: closing
const BYE = hex("03e8");

function reason(text: string): Uint8Array {
  return join([BYE, utf8(text)]);
}

const CLOSING: readonly Conversation[] = [
  {
    name: "7.1.1 a message, then Close",
    frames: [[0x81, "Hello"], [0x88, BYE]],
    answers: ["text \"Hello\"", "close 1000 \"\""],
  },
  { name: "7.1.2 Close twice", frames: [[0x88, BYE], [0x88, BYE]], answers: ["close 1000 \"\""] },
  { name: "7.1.3 a ping after Close", frames: [[0x88, BYE], [0x89]], answers: ["close 1000 \"\""] },
  {
    name: "7.1.4 a message after Close",
    frames: [[0x88, BYE], [0x81, "Hello"]],
    answers: ["close 1000 \"\""],
  },
  {
    name: "7.1.5 Close between fragments",
    frames: [[0x01, "a"], [0x88, BYE], [0x80, "b"]],
    answers: ["close 1000 \"\""],
  },
  {
    name: "7.1.6 256 KiB, a message, Close and a ping",
    frames: [[0x81, "b".repeat(2 ** 18)], [0x81, "Hello"], [0x88, BYE], [0x89]],
    answers: [`text ${content("b".repeat(2 ** 18))}`, "text \"Hello\"", "close 1000 \"\""],
  },
  { name: "7.3.1 Close without payload", frames: [[0x88]], answers: ["close"] },
  { name: "7.3.2 Close with one byte", frames: [[0x88, "a"]], answers: ["close 1002"] },
  { name: "7.3.3 Close with a code", frames: [[0x88, BYE]], answers: ["close 1000 \"\""] },
  {
    name: "7.3.4 Close with a reason",
    frames: [[0x88, reason("Hello")]],
    answers: ["close 1000 \"Hello\""],
  },
  {
    name: "7.3.5 Close with a reason of 123 bytes",
    frames: [[0x88, reason("*".repeat(123))]],
    answers: [`close 1000 "${"*".repeat(123)}"`],
  },
  {
    name: "7.3.6 Close with a reason of 124 bytes",
    frames: [[0x88, reason("*".repeat(124))]],
    answers: ["close 1002"],
  },
  {
    name: "7.5.1 Close with a reason that is not UTF-8",
    frames: [[0x88, hex("03e8 ceba80f4")]],
    answers: ["close 1007"],
  },
  ...[
    1000,
    1001,
    1002,
    1003,
    1007,
    1008,
    1009,
    1010,
    1011,
    1012,
    1013,
    1014,
    3000,
    3999,
    4000,
    4999,
  ].map((
    code,
  ): Conversation => ({
    name: `7.7 Close with code ${code}`,
    frames: [[0x88, Uint8Array.of(code >> 8, code & 0xff)]],
    answers: [`close ${code} ""`],
  })),
  ...[0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65535].map((
    code,
  ): Conversation => ({
    name: `7.9, 7.13 Close with code ${code}`,
    frames: [[0x88, Uint8Array.of(code >> 8, code & 0xff)]],
    answers: ["close 1002"],
  })),
];

/** All conversations. */
export const CONVERSATIONS: readonly Conversation[] = [
  ...MESSAGES,
  ...CONTROLS,
  ...RESERVED_BITS,
  ...RESERVED_OPCODES,
  ...FRAGMENTS,
  ...CLOSING,
];
