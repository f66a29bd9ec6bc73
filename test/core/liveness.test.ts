// Keep-alive, overdue pongs, idle connections and the round trip, all with explicit times: nothing
// here waits for a clock.

import { describe, expect, it } from "vitest";
import { Connection } from "../../core/connection.ts";
import type { Timeouts } from "../../core/limits.ts";
import { prepareBinary } from "../../core/prepared.ts";
import { frame, hex, line, lines, takeBytes } from "./support.ts";

const NEVER: Timeouts = {
  handshake: Infinity,
  close: 1000,
  pingInterval: Infinity,
  pongTimeout: Infinity,
  idle: Infinity,
};

function open(timeouts: Partial<Timeouts>, now = 0): Connection {
  return new Connection({ role: "client", timeouts: { ...NEVER, ...timeouts } }, now);
}

/** What looking at the clock at `now` wrote. */
function tick(connection: Connection, now: number): string[] {
  expect(connection.tick(now)).toEqual([]);
  return lines(takeBytes(connection));
}

function pong(connection: Connection, payload: string, now: number): void {
  expect(connection.receive(frame("server", 0x8a, hex(payload)), now).map(line)).toEqual([
    `pong ${payload}`,
  ]);
}

describe("Connection.deadline", () => {
  it("is Infinity when nothing is timed", () => {
    expect(open({}).deadline).toBe(Infinity);
  });

  it("is the earliest of ping and idle, counted from the time given at the start", () => {
    expect(open({ pingInterval: 300, idle: 200 }, 50).deadline).toBe(250);
    expect(open({ pingInterval: 100, idle: 200 }, 50).deadline).toBe(150);
  });

  it("takes in the pong that is awaited", () => {
    const connection = open({ pingInterval: 100, pongTimeout: 30 });
    tick(connection, 100);
    expect(connection.deadline).toBe(130);
  });

  it("is the close timeout alone once the connection is closing", () => {
    const connection = open({ pingInterval: 100, pongTimeout: 30, idle: 500 });
    tick(connection, 100);
    connection.close(1000, "", 110);
    expect(connection.deadline).toBe(1110);
  });

  it("is kept by the defaults: a ping every 30 s, 20 s for a sign of life", () => {
    const connection = new Connection({ role: "server" }, 1000);
    expect(connection.deadline).toBe(31_000);
    expect(tick(connection, 31_000)).toEqual(["ping 00000001"]);
    expect(connection.deadline).toBe(51_000);
  });
});

describe("Connection.tick", () => {
  it("changes nothing before the deadline, however often it is called", () => {
    const connection = open({ pingInterval: 100, idle: 1000 });
    for (let now = 0; now < 100; now++) expect(tick(connection, now)).toEqual([]);
    expect(connection.deadline).toBe(100);
  });

  it("sends a ping when one is due, each with a payload of its own", () => {
    const connection = open({ pingInterval: 100 });
    expect(tick(connection, 100)).toEqual(["ping 00000001"]);
    pong(connection, "00000001", 101);
    expect(tick(connection, 199)).toEqual([]);
    expect(tick(connection, 200)).toEqual(["ping 00000002"]);
  });

  it("counts the interval from when it was called, when it was called late", () => {
    const connection = open({ pingInterval: 100 });
    expect(tick(connection, 170)).toEqual(["ping 00000001"]);
    expect(connection.deadline).toBe(270);
    expect(tick(connection, 269)).toEqual([]);
    expect(tick(connection, 1000)).toEqual(["ping 00000002"]);
  });

  it("sends no second ping while the first may still be answered", () => {
    const connection = open({ pingInterval: 100, pongTimeout: 250 });
    expect(tick(connection, 100)).toEqual(["ping 00000001"]);
    expect(tick(connection, 200)).toEqual([]);
    expect(tick(connection, 300)).toEqual([]);
    expect(connection.tick(350)).toEqual([]);
    expect(connection.closeSent?.code).toBe(1011);
  });

  it("keeps the interval when the pong comes before its deadline, although that is longer", () => {
    const connection = open({ pingInterval: 100, pongTimeout: 250 });
    tick(connection, 100);
    pong(connection, "00000001", 110);
    expect(connection.deadline).toBe(200);
    expect(tick(connection, 200)).toEqual(["ping 00000002"]);
    expect(connection.deadline).toBe(300);
  });

  it("puts no second ping behind one that has not left: a peer that does not read cannot make them pile up", () => {
    const connection = open({ pingInterval: 100 });
    for (let now = 100; now <= 1000; now += 100) connection.tick(now);
    expect(lines(takeBytes(connection))).toEqual(["ping 00000001"]);
    expect(tick(connection, 1100)).toEqual(["ping 00000002"]);
  });

  it("keeps one keep-alive ping in the output at a time, when it is not taken", () => {
    const connection = open({ pingInterval: 100 });
    for (let now = 100; now < 10_000; now += 100) {
      connection.tick(now);
      connection.receive(frame("server", 0x81, "x"), now);
    }
    expect(lines(takeBytes(connection))).toEqual(["ping 00000001"]);
    expect(tick(connection, 10_000)).toEqual(["ping 00000002"]);
  });

  it("goes on pinging when no pong is ever asked for in time", () => {
    const connection = open({ pingInterval: 100, pongTimeout: Infinity });
    expect([100, 200, 300].flatMap((now) => tick(connection, now))).toEqual([
      "ping 00000001",
      "ping 00000002",
      "ping 00000003",
    ]);
  });
});

describe("a pong that is overdue", () => {
  function pinged(): Connection {
    const connection = open({ pingInterval: 100, pongTimeout: 50 });
    tick(connection, 100);
    return connection;
  }

  it("fails the connection with 1011 at its deadline, not before", () => {
    const connection = pinged();
    expect(tick(connection, 149)).toEqual([]);
    expect(connection.state).toBe("open");
    const [close] = tick(connection, 150);
    expect(close).toMatch(/^close 1011 /);
    expect(connection.outputEnded).toBe(true);
    expect(connection.receiveEnd(150)).toMatchObject([{
      type: "closed",
      code: 1011,
      clean: false,
      cause: "timeout",
    }]);
  });

  const SIGNS: readonly { readonly name: string; give(connection: Connection): void; }[] = [
    { name: "its pong", give: (connection) => pong(connection, "00000001", 149) },
    { name: "another pong", give: (connection) => pong(connection, "ff", 149) },
    {
      name: "a message",
      give: (connection) => void connection.receive(frame("server", 0x81, "x"), 149),
    },
    { name: "a ping", give: (connection) => void connection.receive(frame("server", 0x89), 149) },
    {
      name: "a single byte of a frame",
      give: (connection) => void connection.receive(hex("81"), 149),
    },
    { name: "what the host noted", give: (connection) => connection.noteActivity() },
  ];

  it.each(SIGNS)("is not missed after $name", ({ give }) => {
    const connection = pinged();
    give(connection);
    expect(connection.tick(150)).toEqual([]);
    expect(connection.state).toBe("open");
    expect(connection.deadline).toBe(200);
  });

  it("is forgiven when bytes come after its deadline, but before anybody looked", () => {
    const connection = pinged();
    connection.receive(hex("81"), 160);
    tick(connection, 170);
    expect(connection.state).toBe("open");
  });

  it("is not excused by what came before its ping", () => {
    const connection = open({ pingInterval: 100, pongTimeout: 50 });
    connection.receive(frame("server", 0x81, "x"), 99);
    tick(connection, 100);
    connection.tick(150);
    expect(connection.closeSent?.code).toBe(1011);
  });

  it("is not excused by what this side sends", () => {
    const connection = pinged();
    connection.sendText("x");
    connection.tick(150);
    expect(connection.closeSent?.code).toBe(1011);
  });
});

describe("Connection.roundTripTime", () => {
  it("is undefined before the first pong", () => {
    const connection = open({ pingInterval: 100 });
    expect(connection.roundTripTime).toBe(undefined);
    tick(connection, 100);
    expect(connection.roundTripTime).toBe(undefined);
  });

  it("is the time from a keep-alive ping to its pong", () => {
    const connection = open({ pingInterval: 100 });
    tick(connection, 100);
    pong(connection, "00000001", 117);
    expect(connection.roundTripTime).toBe(17);
    tick(connection, 200);
    pong(connection, "00000002", 203.5);
    expect(connection.roundTripTime).toBe(3.5);
  });

  it("ignores unsolicited pongs, and one that came before the ping", () => {
    const connection = open({ pingInterval: 100, pongTimeout: Infinity });
    pong(connection, "00000000", 5);
    pong(connection, "00000001", 6);
    tick(connection, 100);
    tick(connection, 200);
    for (const payload of ["", "00000001", "0000000200", "000002"]) pong(connection, payload, 210);
    expect(connection.roundTripTime).toBe(undefined);
    pong(connection, "00000002", 250);
    expect(connection.roundTripTime).toBe(50);
  });

  it("takes the first of pongs that repeat themselves", () => {
    const connection = open({ pingInterval: 100 });
    tick(connection, 100);
    pong(connection, "00000001", 110);
    pong(connection, "00000001", 190);
    expect(connection.roundTripTime).toBe(10);
  });

  it("takes a pong that comes late, as long as nothing failed for it", () => {
    const connection = open({ pingInterval: 100, pongTimeout: 50 });
    tick(connection, 100);
    connection.noteActivity();
    pong(connection, "00000001", 180);
    expect(connection.roundTripTime).toBe(80);
  });
});

describe("an idle connection", () => {
  it("is not looked at before its deadline: an early tick changes nothing", () => {
    const connection = open({ idle: 1000 });
    connection.sendText("a");
    takeBytes(connection);
    expect(tick(connection, 500)).toEqual([]);
    expect(connection.deadline).toBe(1000);
    expect(tick(connection, 1000)).toEqual([]);
    expect(connection.deadline).toBe(2000);
  });

  it("is closed with 1001 when no message went either way for the timeout", () => {
    const connection = open({ idle: 1000 });
    expect(tick(connection, 999)).toEqual([]);
    const [close] = tick(connection, 1000);
    expect(close).toMatch(/^close 1001 /);
    expect(connection.receiveEnd(1000)).toMatchObject([{
      type: "closed",
      code: 1001,
      cause: "timeout",
    }]);
  });

  it("counts from the last message received", () => {
    const connection = open({ idle: 1000 });
    connection.receive(frame("server", 0x82), 700);
    expect(tick(connection, 1000)).toEqual([]);
    expect(connection.deadline).toBe(1700);
    expect(tick(connection, 1699)).toEqual([]);
    connection.tick(1700);
    expect(connection.closeSent?.code).toBe(1001);
  });

  it("counts from the last piece, where pieces are handed over", () => {
    const connection = new Connection({
      role: "client",
      messages: "pieces",
      timeouts: { ...NEVER, idle: 1000 },
    }, 0);
    connection.receive(frame("server", 0x02, "x"), 600);
    expect(tick(connection, 1000)).toEqual([]);
    expect(connection.deadline).toBe(1600);
  });

  it("does not count pings and pongs, nor what the host noted", () => {
    const connection = open({ idle: 1000, pingInterval: 400 });
    tick(connection, 400);
    pong(connection, "00000001", 410);
    tick(connection, 810);
    connection.receive(frame("server", 0x89), 900);
    connection.ping();
    connection.pong();
    connection.noteActivity();
    connection.tick(1000);
    expect(connection.closeSent?.code).toBe(1001);
  });

  // Commands are not told the time: what was sent counts from the next look at the clock.
  const SENDS: readonly { readonly name: string; send(connection: Connection): void; }[] = [
    { name: "sendText", send: (connection) => connection.sendText("x") },
    { name: "sendBinary", send: (connection) => connection.sendBinary(hex("00")) },
    { name: "sendFragment", send: (connection) => connection.sendFragment("x", false) },
    {
      name: "sendPrepared",
      send: (connection) => connection.sendPrepared(prepareBinary(hex("00"))),
    },
  ];

  it.each(SENDS)(
    "counts a message of $name from the look at the clock that follows",
    ({ send }) => {
      const connection = open({ idle: 1000 });
      send(connection);
      takeBytes(connection);
      expect(tick(connection, 1000)).toEqual([]);
      expect(connection.state).toBe("open");
      expect(connection.deadline).toBe(2000);
      connection.tick(2000);
      expect(connection.closeSent?.code).toBe(1001);
    },
  );

  it("counts a command that was refused for nothing", () => {
    const connection = open({ idle: 1000 });
    connection.sendFragment("x", false);
    tick(connection, 1000);
    expect(() => connection.sendBinary(hex(""))).toThrow("a fragmented message is under way");
    connection.tick(2000);
    expect(connection.closeSent?.code).toBe(1001);
  });
});
