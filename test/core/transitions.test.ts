// Every state of a connection × every input and command, as one table: the events, the frames
// written and the state afterwards.

import { describe, expect, it } from "vitest";
import { Connection } from "../../core/connection.ts";
import { UsageError } from "../../core/errors.ts";
import type { ConnectionEvent } from "../../core/events.ts";
import { prepareText } from "../../core/prepared.ts";
import { frame, hex, line, lines, peerOf, type Role, ROLES, takeBytes } from "./support.ts";

const TIMEOUTS = { pingInterval: 30_000, close: 10_000 };
const BYE = hex("03e8");

// --- States: how a connection gets there, and what is true of it ---

type State = "open" | "asked" | "agreed" | "echoed" | "failed" | "closed" | "gone";

interface StateFacts {
  /** Leads an open connection into the state, at time 0. */
  enter(connection: Connection, peer: Role): void;
  readonly state: Connection["state"];
  /** The roles for which the output has ended. */
  readonly ended: readonly Role[];
  readonly deadline: number;
}

const STATES: Readonly<Record<State, StateFacts>> = {
  open: { enter: () => {}, state: "open", ended: [], deadline: 30_000 },
  /** Our Close frame is out, the peer's is not in. */
  asked: {
    enter: (connection) => connection.close(1000, "", 0),
    state: "closing",
    ended: [],
    deadline: 10_000,
  },
  /** Close frames went both ways, ours first. */
  agreed: {
    enter: (connection, peer) => {
      connection.close(1000, "", 0);
      connection.receive(frame(peer, 0x88, BYE), 0);
    },
    state: "closing",
    ended: ["server"],
    deadline: 10_000,
  },
  /** Close frames went both ways, the peer's first. */
  echoed: {
    enter: (connection, peer) => void connection.receive(frame(peer, 0x88, BYE), 0),
    state: "closing",
    ended: ["server"],
    deadline: 10_000,
  },
  failed: {
    enter: (connection, peer) => void connection.receive(frame(peer, 0x83), 0),
    state: "closing",
    ended: ["server", "client"],
    deadline: 10_000,
  },
  closed: {
    enter: (connection) => void connection.receiveEnd(0),
    state: "closed",
    ended: ["server", "client"],
    deadline: 10_000,
  },
  /** The transport has had its time to end. */
  gone: {
    enter: (connection) => {
      connection.receiveEnd(0);
      connection.tick(10_000);
    },
    state: "closed",
    ended: ["server", "client"],
    deadline: Infinity,
  },
};

// --- Inputs and commands ---

type Action = (connection: Connection, peer: Role) => readonly ConnectionEvent[] | void;

const ACTIONS = {
  "receive nothing": (connection) => connection.receive(hex(""), 0),
  "receive a message": (connection, peer) => connection.receive(frame(peer, 0x81, "hi"), 0),
  "receive half a message": (connection, peer) => connection.receive(frame(peer, 0x01, "hi"), 0),
  "receive half a frame": (connection, peer) =>
    connection.receive(frame(peer, 0x81, "hi").slice(0, -1), 0),
  "receive a ping": (connection, peer) => connection.receive(frame(peer, 0x89, "p"), 0),
  "receive a pong": (connection, peer) => connection.receive(frame(peer, 0x8a, "p"), 0),
  "receive a Close frame": (connection, peer) =>
    connection.receive(frame(peer, 0x88, hex("0fa0")), 0),
  "receive a bad Close frame": (connection, peer) =>
    connection.receive(frame(peer, 0x88, hex("03")), 0),
  "receive garbage": (connection) => connection.receive(hex("ffffffff"), 0),
  "receive bad UTF-8": (connection, peer) => connection.receive(frame(peer, 0x81, hex("ff")), 0),
  "receive the end": (connection) => connection.receiveEnd(0),
  "receive an error": (connection) => connection.receiveEnd(0, new Error("reset")),
  "tick before the deadline": (connection) =>
    connection.tick(Math.min(connection.deadline, 1e9) - 1),
  "tick at the deadline": (connection) => connection.tick(Math.min(connection.deadline, 1e9)),
  "noteActivity": (connection) => connection.noteActivity(),
  "sendText": (connection) => connection.sendText("t"),
  "sendBinary": (connection) => connection.sendBinary(hex("0b")),
  "sendFragment": (connection) => connection.sendFragment("f", false),
  "sendPrepared": (connection) => connection.sendPrepared(prepareText("p")),
  "ping": (connection) => connection.ping(),
  "pong": (connection) => connection.pong(hex("aa")),
  "close": (connection) => connection.close(4000, "why", 0),
  "close with code 1006": (connection) => connection.close(1006, "", 0),
} satisfies Record<string, Action>;

// --- The table. A cell is "events > frames written > next state"; "-" is for nothing at all, "!"
// for a UsageError ---

type Row = readonly [
  open: string,
  asked: string,
  agreed: string,
  echoed: string,
  failed: string,
  closed: string,
  gone: string,
];

const REFUSED = ["!", "!", "!", "!", "!", "!"] as const;
const UNHEARD = ["-", "-", "-", "-", "-"] as const;
const BAD = {
  close: "a Close frame has a payload of one byte (RFC 6455 §5.5.1)",
  bits: "a reserved bit is set that no extension defines (RFC 6455 §5.2)",
  utf8: "a text message is not valid UTF-8 (RFC 6455 §8.1)",
  opcode: "the opcode is reserved (RFC 6455 §5.2)",
};

const ENDS = {
  lost: "closed 1006 \"\" unclean lost",
  agreed: "closed 1000 \"\" clean local",
  echoed: "closed 1000 \"\" clean peer",
  failed: `closed 1002 "${BAD.opcode}" unclean violation`,
};
const AT_END: Row = [
  `${ENDS.lost} > > closed`,
  `${ENDS.lost} > > closed`,
  `${ENDS.agreed} > > closed`,
  `${ENDS.echoed} > > closed`,
  `${ENDS.failed} > > closed`,
  "-",
  "-",
];

const TABLE: Readonly<Record<keyof typeof ACTIONS, Row>> = {
  "receive nothing": ["-", "-", ...UNHEARD],
  "receive a message": ["text \"hi\" > > open", "text \"hi\" > > asked", ...UNHEARD],
  "receive half a message": ["-", "-", ...UNHEARD],
  "receive half a frame": ["-", "-", ...UNHEARD],
  "receive a ping": ["ping 70 > pong 70 > open", "ping 70 > > asked", ...UNHEARD],
  "receive a pong": ["pong 70 > > open", "pong 70 > > asked", ...UNHEARD],
  "receive a Close frame": [
    "closing 4000 \"\" > close 4000 \"\" > echoed",
    "> > agreed",
    ...UNHEARD,
  ],
  "receive a bad Close frame": [`> close 1002 "${BAD.close}" > failed`, "> > failed", ...UNHEARD],
  "receive garbage": [`> close 1002 "${BAD.bits}" > failed`, "> > failed", ...UNHEARD],
  "receive bad UTF-8": [`> close 1007 "${BAD.utf8}" > failed`, "> > failed", ...UNHEARD],
  "receive the end": AT_END,
  "receive an error": AT_END,
  "tick before the deadline": ["-", "-", ...UNHEARD],
  "tick at the deadline": [
    "> ping 00000001 > open",
    "closed 1006 \"\" unclean timeout > > gone",
    `${ENDS.agreed} > > gone`,
    `${ENDS.echoed} > > gone`,
    `${ENDS.failed} > > gone`,
    "> > gone",
    "-",
  ],
  "noteActivity": ["-", "-", ...UNHEARD],
  "sendText": ["> text \"t\" > open", ...REFUSED],
  "sendBinary": ["> binary 0b > open", ...REFUSED],
  "sendFragment": ["> text+ \"f\" > open", ...REFUSED],
  "sendPrepared": ["> text \"p\" > open", ...REFUSED],
  "ping": ["> ping > open", ...REFUSED],
  "pong": ["> pong aa > open", ...REFUSED],
  "close": ["> close 4000 \"why\" > asked", "-", ...UNHEARD],
  "close with code 1006": ["!", ...REFUSED],
};

const NAMES = Object.keys(STATES) as State[];
const CELLS = (Object.keys(ACTIONS) as (keyof typeof ACTIONS)[]).flatMap((action) =>
  NAMES.map((state, column) => ({ action, state, cell: TABLE[action][column]! }))
);

function enter(role: Role, state: State): Connection {
  const connection = new Connection({ role, timeouts: TIMEOUTS }, 0);
  STATES[state].enter(connection, peerOf(role));
  takeBytes(connection);
  return connection;
}

/** What happened, in the words of a cell but for the state. */
function perform(
  connection: Connection,
  action: Action,
  peer: Role,
): { said: string; events: readonly ConnectionEvent[]; } {
  try {
    const events = action(connection, peer) ?? [];
    return {
      said: `${events.map(line).join(", ")} > ${lines(takeBytes(connection)).join(", ")}`.trim(),
      events,
    };
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    expect(connection.pendingOutput).toBe(0);
    return { said: "!", events: [] };
  }
}

function expected(cell: string, state: State): { said: string; next: State; } {
  if (cell === "-") return { said: ">", next: state };
  if (cell === "!") return { said: "!", next: state };
  const at = cell.lastIndexOf(">");
  return { said: cell.slice(0, at).trim(), next: cell.slice(at + 1).trim() as State };
}

function expectState(connection: Connection, role: Role, name: State): void {
  const { state, ended } = STATES[name];
  expect(connection.state).toBe(state);
  expect(connection.outputEnded).toBe(ended.includes(role));
  expect(connection.expired).toBe(name === "gone");
  if (name === "gone") expect(connection.deadline).toBe(Infinity);
  else expect(connection.deadline).toBeLessThan(Infinity);
}

describe.each(ROLES)("a connection, as a %s,", (role) => {
  it.each(NAMES)("in state %s has the deadline of that state", (name) => {
    const connection = enter(role, name);
    expectState(connection, role, name);
    expect(connection.deadline).toBe(STATES[name].deadline);
  });

  it.each(CELLS)("in state $state: $action", ({ action, state, cell }) => {
    const connection = enter(role, state);
    const { said, events } = perform(connection, ACTIONS[action], peerOf(role));
    const { said: toSay, next } = expected(cell, state);
    expect(said).toBe(toSay);
    expectState(connection, role, next);
    // In every case the end comes exactly once, and last.
    const rest = [
      ...events,
      ...connection.receiveEnd(1e9),
      ...connection.tick(1e12),
      ...connection.receiveEnd(1e12),
    ];
    const closed = rest.filter(({ type }) => type === "closed");
    expect(closed).toHaveLength(STATES[state].state === "closed" ? 0 : 1);
    expect(rest.at(-1)).toBe(closed[0] ?? rest.at(-1));
    expectState(connection, role, "gone");
  });
});
