// What a host may rely on with every Machine, in every state: an empty chunk and an early tick change
// nothing, the end is reported once and last, and a machine that is left alone expires.

import { describe, expect, it } from "vitest";
import { Connection } from "../../core/connection.ts";
import { ServerHandshake } from "../../core/handshake/server.ts";
import type { Machine } from "../../core/machine.ts";
import { answer } from "../vectors/handshake-answers.ts";
import { page, request, SAMPLE_ACCEPT } from "../vectors/handshake-requests.ts";
import { clientHandshake, latin1 } from "./handshake/support.ts";
import { frame, hex, pattern, peerOf, type Role, ROLES, takeBytes } from "./support.ts";

type AnyMachine = Machine<{ readonly type: string; }>;

interface Row {
  readonly name: string;
  /** A machine in the state, at time 0. */
  make(): AnyMachine;
  /** The event that is its last. */
  readonly last: "closed" | "failed";
  /** Whether that event is still to come, at the latest when the transport ends. */
  readonly lasts: boolean;
  /** Whether it waits for its host, without a deadline. */
  readonly waits?: true;
}

function connection(role: Role, state: string, lasts: boolean, ...inputs: Uint8Array[]): Row {
  return {
    name: `a ${role}'s connection, ${state}`,
    last: "closed",
    lasts,
    make() {
      const machine = new Connection({ role }, 0);
      for (const input of inputs) machine.receive(input.slice(), 0);
      return machine;
    },
  };
}

function connections(role: Role): Row[] {
  const peer = peerOf(role);
  const change = (state: string, lasts: boolean, make: (machine: Connection) => void): Row => {
    const row = connection(role, state, lasts);
    return {
      ...row,
      make() {
        const machine = row.make() as Connection;
        make(machine);
        return machine;
      },
    };
  };
  return [
    connection(role, "open", true),
    connection(role, "in a header", true, frame(peer, 0x81, "Hello").slice(0, 1)),
    connection(role, "in a frame", true, frame(peer, 0x81, "Hello").slice(0, -1)),
    connection(role, "in a message", true, frame(peer, 0x01, "Hello")),
    connection(role, "in a ping", true, frame(peer, 0x89, "Hello").slice(0, -1)),
    connection(role, "with a pong to send", true, frame(peer, 0x89, "Hello")),
    connection(role, "closing by the peer", true, frame(peer, 0x88, hex("03e8"))),
    connection(role, "failed", true, frame(peer, 0x83)),
    change("with a ping that was not answered", true, (machine) => {
      machine.tick(30_000);
    }),
    change("closing", true, (machine) => machine.close(1000, "", 0)),
    change("closed", false, (machine) => void machine.receiveEnd(0)),
    change("expired", false, (machine) => {
      machine.receiveEnd(0);
      machine.tick(10_000);
    }),
  ];
}

function server(
  state: string,
  lasts: boolean,
  input: string,
  then: (machine: ServerHandshake) => unknown = () => {},
): Row {
  return {
    name: `a server's handshake, ${state}`,
    last: "failed",
    lasts,
    make() {
      const machine = new ServerHandshake({}, 0);
      machine.receive(latin1(input), 0);
      then(machine);
      return machine;
    },
  };
}

function client(state: string, lasts: boolean, input: string): Row {
  return {
    name: `a client's handshake, ${state}`,
    last: "failed",
    lasts,
    make() {
      const machine = clientHandshake();
      machine.receive(latin1(input), 0);
      return machine;
    },
  };
}

const ROWS: readonly Row[] = [
  ...ROLES.flatMap(connections),
  server("fresh", true, ""),
  server("in a head", true, request().slice(0, -3)),
  server("with an upgrade request", true, request()),
  server("with bytes behind it", true, request() + "early"),
  { ...server("with another request", false, page()), waits: true },
  {
    ...server("accepted", false, request(), (machine) => machine.accept({}, SAMPLE_ACCEPT)),
    waits: true,
  },
  server("rejected", false, request(), (machine) => machine.reject(403)),
  server("failed", false, request("-Host")),
  server("expired", false, request("-Host"), (machine) => machine.tick(5000)),
  client("fresh", true, ""),
  client("in a head", true, "HTTP/1.1 101 "),
  client("behind an interim answer", true, "HTTP/1.1 100 \r\n\r\n"),
  client("in the body of a refusal", true, "HTTP/1.1 404 \r\n\r\n<html>"),
  {
    ...client("opened", false, answer(`Sec-WebSocket-Accept: ${SAMPLE_ACCEPT}`)),
    waits: true,
  },
  client("failed", false, "SSH-"),
];

/** All that a host can see. */
function seen({ pendingOutput, outputEnded, deadline, expired }: AnyMachine): object {
  return { pendingOutput, outputEnded, deadline, expired };
}

/** What a transport may bring to any machine, and what its host may do with time. */
const INPUTS: readonly ((machine: AnyMachine) => readonly { readonly type: string; }[])[] = [
  (machine) => machine.receive(hex("ff"), 1),
  (machine) => machine.receive(hex("0d0a0d0a"), 1),
  (machine) => machine.receive(pattern(1000), 1),
  (machine) => machine.receive(new Uint8Array(0), 1),
  (machine) => machine.tick(Math.min(machine.deadline, 1e9)),
  (machine) => machine.receiveEnd(2),
  (machine) => machine.receiveEnd(3, new Error("reset")),
  (machine) => machine.tick(Math.min(machine.deadline, 1e9)),
  (machine) => machine.tick(1e12),
  (machine) => machine.receive(frame("client", 0x81, "late"), 1e12),
];

describe.each(ROWS)("$name,", ({ make, last, lasts, waits }) => {
  it("has as many bytes to take as it says, once", () => {
    const machine = make();
    const { pendingOutput, outputEnded } = machine;
    expect(takeBytes(machine)).toHaveLength(pendingOutput);
    expect(machine.pendingOutput).toBe(0);
    expect(machine.takeOutput()).toEqual([]);
    expect(machine.outputEnded).toBe(outputEnded);
  });

  it("is not changed by an empty chunk", () => {
    const machine = make();
    const before = seen(machine);
    expect(machine.receive(new Uint8Array(0), 1)).toEqual([]);
    expect(seen(machine)).toEqual(before);
  });

  it("is not changed by an early tick", () => {
    const machine = make();
    const before = seen(machine);
    const early = Math.min(machine.deadline, 1e9) - 1;
    for (const now of [0, early / 2, early]) expect(machine.tick(now)).toEqual([]);
    expect(seen(machine)).toEqual(before);
  });

  it("ends with the transport, once and last", () => {
    const machine = make();
    const events = [...machine.receiveEnd(1), ...machine.receiveEnd(2, new Error("reset"))];
    expect(events.map(({ type }) => type)).toEqual(lasts ? [last] : []);
  });

  it("reports its end at most once, and nothing after it, in any order of inputs", () => {
    for (let first = 0; first < INPUTS.length; first++) {
      const machine = make();
      const order = [...INPUTS.slice(first), ...INPUTS.slice(0, first), ...INPUTS];
      const types = order.flatMap((input) => input(machine).map(({ type }) => type));
      expect(types.filter((type) => type === last), `${first}`).toHaveLength(lasts ? 1 : 0);
      if (lasts) expect(types.at(-1), `${first}`).toBe(last);
      else expect(types, `${first}`).toEqual([]);
    }
  });

  it(waits ? "waits for its host" : "expires when it is left alone", () => {
    const machine = make();
    const types: string[] = [];
    let steps = 0;
    while (machine.deadline !== Infinity && steps < 10) {
      const { deadline } = machine;
      types.push(...machine.tick(deadline).map(({ type }) => type));
      expect(machine.deadline).toBeGreaterThan(deadline);
      steps++;
    }
    expect(machine).toMatchObject({ deadline: Infinity, expired: !waits });
    if (!waits) expect(machine.outputEnded).toBe(true);
    expect(types).toEqual(lasts ? [last] : []);
  });
});
