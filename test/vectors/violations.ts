// What a peer can do wrong on an open connection: at least one vector for each row of VIOLATIONS. A
// test fails for a row without.

import type { ConnectionOptions } from "../../core/connection.ts";
import type { ViolationName } from "../../core/violations.ts";
import { copyingDeflate } from "../core/codec.ts";
import { frame, hex, join, peerOf, type Role, ROLES } from "../core/support.ts";

export interface ViolationVector {
  readonly violation: ViolationName;
  readonly name: string;
  /** The side that finds it. */
  readonly role: Role;
  readonly wire: Uint8Array;
  /** What was in order before it, as `line` prints events. */
  readonly before: readonly string[];
  /** The connection's options besides its role; made anew for each connection. */
  options(): Omit<ConnectionOptions, "role">;
}

type Case = readonly [
  violation: ViolationName,
  name: string,
  wire: (from: Role) => Uint8Array,
  extra?: {
    readonly before?: readonly string[];
    readonly options?: () => Omit<ConnectionOptions, "role">;
  },
];

/** A header of `from` with the length given as hex, however long it should be. */
function header(from: Role, first: number, length: string): Uint8Array {
  const bytes = join([Uint8Array.of(first), hex(length)]);
  if (from === "server") return bytes;
  bytes[1]! |= 0x80;
  return join([bytes, hex("37fa213d")]);
}

/** Frames one behind the other. */
function frames(
  ...parts: readonly (readonly [first: number, content?: Uint8Array | string])[]
): (from: Role) => Uint8Array {
  return (from) => join(parts.map(([first, content]) => frame(from, first, content)));
}

const SMALL = (): Omit<ConnectionOptions, "role"> => ({ limits: { maxMessageSize: 10 } });
const DEFLATE = (): Omit<ConnectionOptions, "role"> => ({ deflate: copyingDeflate() });
const SMALL_DEFLATE = (): Omit<ConnectionOptions, "role"> => ({ ...SMALL(), ...DEFLATE() });

const RESERVED_BITS = ([0x40, 0x20, 0x10, 0x70] as const).flatMap((bits): Case[] => [
  ["reserved-bit", `RSV ${bits.toString(16)} on a text message`, frames([0x81 | bits, "Hello"])],
  [
    "reserved-bit",
    `RSV ${bits.toString(16)} on a ping, after a message`,
    frames([0x81, "a"], [0x89 | bits]),
    {
      before: ["text \"a\""],
    },
  ],
]);

const RESERVED_OPCODES = [0x3, 0x4, 0x5, 0x6, 0x7, 0xb, 0xc, 0xd, 0xe, 0xf].map((opcode): Case => [
  "reserved-opcode",
  `opcode ${opcode.toString(16)}, after a message`,
  frames([0x81, "a"], [0x80 | opcode, "x"]),
  { before: ["text \"a\""] },
]);

const CLOSE_CODES = [0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65535].map((
  code,
): Case => [
  "close-code-illegal",
  `code ${code}`,
  frames([0x88, Uint8Array.of(code >> 8, code & 0xff, 0x62, 0x79, 0x65)]),
]);

const CASES: readonly Case[] = [
  // Frame header
  ...RESERVED_BITS,
  ["reserved-bit", "RSV1 on a continuation, with compression", frames([0x41, "a"], [0xc0, "b"]), {
    options: DEFLATE,
  }],
  ["reserved-bit", "RSV1 on a ping, with compression", frames([0xc9]), { options: DEFLATE }],
  ["reserved-bit", "RSV2 with compression", frames([0xa1, "a"]), { options: DEFLATE }],
  ...RESERVED_OPCODES,
  ["control-fragmented", "a ping without FIN", frames([0x09, "x"])],
  ["control-fragmented", "a Close frame without FIN", frames([0x08])],
  ["control-fragmented", "a pong without FIN inside a message", frames([0x01, "a"], [0x0a])],
  ["control-too-long", "a ping of 126 bytes", frames([0x89, "x".repeat(126)])],
  ["control-too-long", "a Close frame of 126 bytes", frames([0x88, "\u0003èx".repeat(31) + "xx"])],
  ["control-too-long", "a pong of 64 KiB", (from) => header(from, 0x8a, "7f0000000000010000")],
  ["length-not-minimal", "125 bytes in 16 bits", (from) => header(from, 0x82, "7e007d")],
  ["length-not-minimal", "no bytes in 16 bits", (from) => header(from, 0x82, "7e0000")],
  [
    "length-not-minimal",
    "65535 bytes in 64 bits",
    (from) => header(from, 0x82, "7f000000000000ffff"),
  ],
  ["length-not-minimal", "no bytes in 64 bits", (from) => header(from, 0x82, "7f0000000000000000")],
  ["length-too-large", "2^63 bytes", (from) => header(from, 0x82, "7f8000000000000000")],
  ["length-too-large", "2^64 - 1 bytes", (from) => header(from, 0x82, "7fffffffffffffffff")],

  // Message
  ["continuation-unexpected", "at the start", frames([0x80, "a"])],
  ["continuation-unexpected", "without FIN", frames([0x00, "a"])],
  ["continuation-unexpected", "after a whole message", frames([0x81, "a"], [0x80, "b"]), {
    before: ["text \"a\""],
  }],
  [
    "continuation-unexpected",
    "after a fragmented message",
    frames([0x01, "a"], [0x80, "b"], [0x80]),
    {
      before: ["text \"ab\""],
    },
  ],
  ["continuation-expected", "text inside of text", frames([0x01, "a"], [0x81, "b"])],
  [
    "continuation-expected",
    "a fragment of a second binary message",
    frames([0x02], [0x89], [0x02, "b"]),
    {
      before: ["ping "],
    },
  ],
  ["text-not-utf8", "an overlong slash", frames([0x81, hex("c0af")])],
  [
    "text-not-utf8",
    "a surrogate cut between fragments",
    frames([0x01, hex("61eda0")], [0x80, hex("80")]),
  ],
  [
    "text-not-utf8",
    "a message that ends inside of a character",
    frames([0x01, hex("61e2")], [0x80, hex("82")]),
  ],
  [
    "text-not-utf8",
    "a whole message that ends inside of a character",
    frames([0x81, hex("6162f09d")]),
  ],
  ["text-not-utf8", "an inflated message", frames([0xc1, hex("61ff")]), { options: DEFLATE }],
  ["message-too-big", "a frame above the limit", frames([0x82, "x".repeat(11)]), {
    options: SMALL,
  }],
  [
    "message-too-big",
    "fragments that pass the limit together",
    frames([0x01, "12345"], [0x89], [0x80, "678901"]),
    {
      before: ["ping "],
      options: SMALL,
    },
  ],
  [
    "message-too-big",
    "2^62 bytes, by the header alone",
    (from) => header(from, 0x82, "7f4000000000000000"),
  ],
  [
    "message-too-big",
    "2^53 + 1 bytes, which no double can hold",
    (from) => header(from, 0x82, "7f0020000000000001"),
  ],
  ["message-too-big", "an inflated message", frames([0xc1, "12345678901"]), {
    options: SMALL_DEFLATE,
  }],

  // Compression
  ["deflate-corrupt", "in a whole message", frames([0xc2, hex("00bd")]), { options: DEFLATE }],
  ["deflate-corrupt", "in a later fragment", frames([0x42, "abc"], [0x89], [0x80, hex("bd")]), {
    before: ["ping "],
    options: DEFLATE,
  }],

  // Close frame
  ["close-payload-one-byte", "a byte of a code", frames([0x88, hex("03")])],
  ...CLOSE_CODES,
  ["close-reason-not-utf8", "an impossible byte", frames([0x88, hex("03e8 61ff")])],
  [
    "close-reason-not-utf8",
    "a reason that ends inside of a character",
    frames([0x88, hex("03e8 61e282")]),
  ],
];

const EITHER_WAY = CASES.flatMap(([violation, name, wire, extra]) =>
  ROLES.map((role): ViolationVector => ({
    violation,
    name,
    role,
    wire: wire(peerOf(role)),
    before: extra?.before ?? [],
    options: extra?.options ?? ((): Record<string, never> => ({})),
  }))
);

// §5.1: the only rules that bind one side alone
const ONE_WAY = ([["mask-missing", "server"], ["mask-unexpected", "client"]] as const).flatMap((
  [violation, role],
) =>
  [[0x81, "text"], [0x80, "a continuation"], [0x88, "a Close frame"]].map((
    [first, what],
  ): ViolationVector => ({
    violation,
    name: `${what}, after a ping`,
    role,
    wire: join([frame(peerOf(role), 0x89), frame(role, first as number, hex("03e8"))]),
    before: ["ping "],
    options: () => ({}),
  }))
);

/** Everything a peer can do wrong with bytes. */
export const VIOLATION_VECTORS: readonly ViolationVector[] = [...EITHER_WAY, ...ONE_WAY];

/**
 * Everything it can do wrong by silence: the options, and the times at which the clock is looked
 * at. The last look finds it.
 */
export const SILENCE_VECTORS: readonly {
  readonly violation: ViolationName;
  readonly timeouts: NonNullable<ConnectionOptions["timeouts"]>;
  readonly ticks: readonly number[];
}[] = [
  {
    violation: "pong-overdue",
    timeouts: { pingInterval: 1000, pongTimeout: 500 },
    ticks: [999, 1000, 1499, 1500],
  },
  {
    violation: "idle-too-long",
    timeouts: { pingInterval: Infinity, idle: 2000 },
    ticks: [1999, 2000],
  },
];
