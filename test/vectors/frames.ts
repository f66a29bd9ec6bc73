// Frames that are legal, one table for both directions: what is on the wire, what it means to who
// receives it, and the commands that put it there. First the examples of RFC 6455 §5.7, to the
// byte; then every length form, control frames, fragments.

import type { Connection } from "../../core/connection.ts";
import { content, frame, hex, join, pattern, type Role, utf8 } from "../core/support.ts";

export interface FrameVector {
  readonly name: string;
  readonly from: Role;
  readonly wire: Uint8Array;
  /** What the receiver reports, as `line` prints it. */
  readonly events: readonly string[];
  /** What the sender does for it. */
  send(connection: Connection): void;
}

const HELLO = utf8("Hello");

// RFC 6455 §5.7
const EXAMPLES: readonly FrameVector[] = [
  {
    name: "§5.7 a single-frame unmasked text message",
    from: "server",
    wire: hex("81 05 48656c6c6f"),
    events: ["text \"Hello\""],
    send: (connection) => connection.sendText("Hello"),
  },
  {
    name: "§5.7 a single-frame masked text message",
    from: "client",
    wire: hex("81 85 37fa213d 7f9f4d5158"),
    events: ["text \"Hello\""],
    send: (connection) => connection.sendText("Hello"),
  },
  {
    name: "§5.7 a fragmented unmasked text message",
    from: "server",
    wire: hex("01 03 48656c  80 02 6c6f"),
    events: ["text \"Hello\""],
    send: (connection) => {
      connection.sendFragment("Hel", false);
      connection.sendFragment("lo", true);
    },
  },
  {
    name: "§5.7 an unmasked ping",
    from: "server",
    wire: hex("89 05 48656c6c6f"),
    events: ["ping 48656c6c6f"],
    send: (connection) => connection.ping(HELLO),
  },
  {
    name: "§5.7 its masked pong",
    from: "client",
    wire: hex("8a 85 37fa213d 7f9f4d5158"),
    events: ["pong 48656c6c6f"],
    send: (connection) => connection.pong(HELLO),
  },
  {
    name: "§5.7 256 bytes in a single unmasked frame",
    from: "server",
    wire: join([hex("82 7e 0100"), pattern(256)]),
    events: [`binary ${content(pattern(256))}`],
    send: (connection) => connection.sendBinary(pattern(256)),
  },
  {
    name: "§5.7 64 KiB in a single unmasked frame",
    from: "server",
    wire: join([hex("82 7f 0000000000010000"), pattern(65536)]),
    events: [`binary ${content(pattern(65536))}`],
    send: (connection) => connection.sendBinary(pattern(65536)),
  },
];

// §5.2: "If 0-125, that is the payload length. If 126, the following 2 bytes … If 127, the
// following 8 bytes"
const SIZES = [0, 1, 2, 3, 4, 5, 125, 126, 127, 128, 256, 4095, 4096, 65535, 65536];

function ofSize(from: Role, size: number): FrameVector[] {
  const letters = "*".repeat(size);
  return [
    {
      name: `${size} bytes`,
      from,
      wire: frame(from, 0x82, pattern(size)),
      events: [`binary ${content(pattern(size))}`],
      send: (connection) => connection.sendBinary(pattern(size)),
    },
    {
      name: `${size} letters`,
      from,
      wire: frame(from, 0x81, letters),
      events: [`text ${content(letters)}`],
      send: (connection) => connection.sendText(letters),
    },
  ];
}

// The length of text is known only when it is encoded: 1, 2, 3 and 4 bytes a character, around
// every change of the header's size.
const TEXTS = [
  "\u0000",
  "\ufeffstarts with U+FEFF",
  "Hello-µ@ßöäüàá-UTF-8!!",
  "κόσμε",
  "𝄞",
  ..."é€𝄞".split(/(?:)/u).flatMap((letter) =>
    [31, 32, 41, 42, 62, 63, 125, 126, 8191, 8192].map((n) => letter.repeat(n))
  ),
  "a".repeat(120) + "é",
  "a".repeat(124) + "é",
  "a".repeat(8191) + "é",
  "é".repeat(32768),
];

function ofText(from: Role, text: string): FrameVector {
  const name = text.length < 30 ? text : `${text.length} code units of ${text.slice(-2)}`;
  return {
    name: `text ${JSON.stringify(name)}`,
    from,
    wire: frame(from, 0x81, text),
    events: [`text ${content(text)}`],
    send: (connection) => connection.sendText(text),
  };
}

function controls(from: Role): FrameVector[] {
  return [
    {
      name: "a ping without payload",
      from,
      wire: frame(from, 0x89),
      events: ["ping "],
      send: (connection) => connection.ping(),
    },
    {
      name: "a ping with the longest payload",
      from,
      wire: frame(from, 0x89, pattern(125)),
      events: [`ping ${content(pattern(125))}`],
      send: (connection) => connection.ping(pattern(125)),
    },
    {
      name: "a pong without payload",
      from,
      wire: frame(from, 0x8a),
      events: ["pong "],
      send: (connection) => connection.pong(),
    },
    {
      name: "a Close frame without code",
      from,
      wire: frame(from, 0x88),
      events: ["closing 1005 \"\""],
      send: (connection) => connection.close(1005, "", 0),
    },
    {
      name: "a Close frame with a code",
      from,
      wire: frame(from, 0x88, hex("03e8")),
      events: ["closing 1000 \"\""],
      send: (connection) => connection.close(1000, "", 0),
    },
    {
      name: "a Close frame with the longest reason",
      from,
      wire: frame(from, 0x88, join([hex("0fa0"), utf8("é".repeat(61) + "!")])),
      events: [`closing 4000 "${"é".repeat(61)}!"`],
      send: (connection) => connection.close(4000, "é".repeat(61) + "!", 0),
    },
  ];
}

function fragments(from: Role): FrameVector[] {
  return [
    {
      name: "a message in three fragments with control frames between them",
      from,
      wire: join([
        frame(from, 0x01, "He"),
        frame(from, 0x89, hex("01")),
        frame(from, 0x00, "ll"),
        frame(from, 0x8a, hex("02")),
        frame(from, 0x89),
        frame(from, 0x80, "o"),
      ]),
      events: ["ping 01", "pong 02", "ping ", "text \"Hello\""],
      send: (connection) => {
        connection.sendFragment("He", false);
        connection.ping(hex("01"));
        connection.sendFragment("ll", false);
        connection.pong(hex("02"));
        connection.ping();
        connection.sendFragment("o", true);
      },
    },
    {
      name: "fragments without payload",
      from,
      wire: join([
        frame(from, 0x02),
        frame(from, 0x00),
        frame(from, 0x00, hex("0a0b")),
        frame(from, 0x80),
      ]),
      events: ["binary 0a0b"],
      send: (connection) => {
        for (const part of [hex(""), hex(""), hex("0a0b")]) connection.sendFragment(part, false);
        connection.sendFragment(hex(""), true);
      },
    },
    {
      name: "nothing but fragments without payload",
      from,
      wire: join([frame(from, 0x01), frame(from, 0x00), frame(from, 0x80)]),
      events: ["text \"\""],
      send: (connection) => {
        connection.sendFragment("", false);
        connection.sendFragment("", false);
        connection.sendFragment("", true);
      },
    },
    {
      name: "a message in a single fragment that ends it",
      from,
      wire: frame(from, 0x82, hex("c0ffee")),
      events: ["binary c0ffee"],
      send: (connection) => connection.sendFragment(hex("c0ffee"), true),
    },
    {
      name: "messages one behind the other",
      from,
      wire: join([
        frame(from, 0x81, "a"),
        frame(from, 0x82),
        frame(from, 0x01, "b"),
        frame(from, 0x80, "c"),
        frame(from, 0x89, hex("dd")),
        frame(from, 0x81, "d"),
      ]),
      events: ["text \"a\"", "binary ", "text \"bc\"", "ping dd", "text \"d\""],
      send: (connection) => {
        connection.sendText("a");
        connection.sendBinary(hex(""));
        connection.sendFragment("b", false);
        connection.sendFragment("c", true);
        connection.ping(hex("dd"));
        connection.sendText("d");
      },
    },
    {
      name: "a Close frame inside a fragmented message",
      from,
      wire: join([frame(from, 0x01, "He"), frame(from, 0x88, hex("03e9"))]),
      events: ["closing 1001 \"\""],
      send: (connection) => {
        connection.sendFragment("He", false);
        connection.close(1001, "", 0);
      },
    },
  ];
}

/**
 * Characters whose bytes two fragments share: a sender cuts between characters, a receiver takes
 * any cut (§5.4, §5.6).
 */
function splitCharacters(from: Role): FrameVector[] {
  return [
    {
      name: "a surrogate pair that the caller cuts between fragments",
      from,
      wire: join([frame(from, 0x01, "a"), frame(from, 0x00), frame(from, 0x80, "𝄞b")]),
      events: ["text \"a𝄞b\""],
      send: (connection) => {
        connection.sendFragment("a\ud834", false);
        connection.sendFragment("", false);
        connection.sendFragment("\udd1eb", true);
      },
    },
    {
      name: "lone surrogates at the end of fragments",
      from,
      wire: join([frame(from, 0x01), frame(from, 0x00, "\ufffdx"), frame(from, 0x80, "\ufffd")]),
      events: ["text \"\ufffdx\ufffd\""],
      send: (connection) => {
        connection.sendFragment("\ud834", false);
        connection.sendFragment("x", false);
        connection.sendFragment("\ud834", true);
      },
    },
  ];
}

/** Every legal frame of the tests. */
export const FRAMES: readonly FrameVector[] = [
  ...EXAMPLES,
  ...(["client", "server"] as const).flatMap((from) => [
    ...SIZES.flatMap((size) => ofSize(from, size)),
    ...TEXTS.map((text) => ofText(from, text)),
    ...controls(from),
    ...fragments(from),
    ...splitCharacters(from),
  ]),
];
