// Pings that are sent by themselves, pongs that come or do not, and what an application can see of
// both.

import type { ClosedEvent, Socket } from "sansws";
import { describe, expect, it } from "vitest";
import { frame } from "../core/support.ts";
import { closing, rawOpen } from "./raw.ts";
import { bytes, ending, Mailbox, open, openPair, sleep, start, until } from "./suite.ts";

describe("keep-alive", () => {
  it("pings a silent peer, and measures the round trip", async () => {
    const { near, far } = await openPair({ timeouts: { pingInterval: 50 } });
    expect(far.roundTripTime).toBe(undefined);
    await until(() => far.roundTripTime !== undefined, "a pong had come");
    expect(far.roundTripTime).toBeGreaterThanOrEqual(0);
    expect(far.roundTripTime).toBeLessThan(10_000);
    expect(near.roundTripTime).toBe(undefined);
  });

  it("of a client does the same", async () => {
    const { near } = await openPair({}, { timeouts: { pingInterval: 50 } });
    await until(() => near.roundTripTime !== undefined, "a pong had come");
  });

  it("lets a peer that answers live on", async () => {
    const pings = new Mailbox<unknown>();
    const timeouts = { pingInterval: 50, pongTimeout: 500 };
    const { near } = await openPair({ timeouts }, { ping: (_, data) => pings.put(data) });
    await pings.takeAll(4);
    expect(near.state).toBe("open");
  });

  it("takes any byte for a sign of life", async () => {
    const opened = new Mailbox<Socket>();
    const { url } = await start({
      timeouts: { pingInterval: 100, pongTimeout: 1000 },
      open: (s) => opened.put(s),
    });
    const peer = await rawOpen(url);
    const socket = await opened.take();
    // A message that never ends
    peer.write(frame("client", 0x82, bytes(100)).slice(0, 10));
    for (let i = 0; i < 15; i++) {
      await sleep(100);
      peer.write(Uint8Array.of(i));
    }
    expect(socket.state).toBe("open");
  });

  it("ends a peer that does not answer: 1011 is sent, and the overdue pong reported", async () => {
    const ends = new Mailbox<ClosedEvent>();
    const { server, url } = await start({
      timeouts: { pingInterval: 50, pongTimeout: 100, close: 200 },
      close: (_, event) => ends.put(event),
    });
    const peer = await rawOpen(url);
    const event = await ends.take();
    expect(event).toMatchObject({
      code: 1011,
      clean: false,
      cause: "timeout",
      error: { violation: "pong-overdue" },
    });
    const frames = await peer.takeFrames();
    expect(frames[0]!.first).toBe(0x89);
    expect(closing(frames.at(-1)!)).toMatch(/^1011 /);
    await until(() => server.sockets.size === 0, "the server forgot it");
  });

  it("ends a silent socket after the idle timeout with 1001, pings or not", async () => {
    const { near, far } = await openPair({ timeouts: { pingInterval: 50, idle: 300 } });
    expect(await near.closed).toMatchObject({ code: 1001, clean: true, cause: "peer" });
    expect(await far.closed).toMatchObject({
      code: 1001,
      cause: "timeout",
      error: { violation: "idle-too-long" },
    });
  });
});

describe("ping", () => {
  it("is answered by itself, and told to the ping and pong handlers", async () => {
    const heard = new Mailbox<[string, Uint8Array]>();
    const { far } = await openPair(
      { pong: (_, data) => heard.put(["pong", data]) },
      { ping: (_, data) => heard.put(["ping", data]) },
    );
    far.ping(bytes(125));
    expect(await heard.takeAll(2)).toEqual([["ping", bytes(125)], ["pong", bytes(125)]]);
  });

  it("without a payload has none", async () => {
    const pongs = new Mailbox<Uint8Array>();
    const { near } = await openPair({}, { pong: (_, data) => pongs.put(data) });
    near.ping();
    expect(await pongs.take()).toHaveLength(0);
  });

  it("throws for more than 125 bytes", async () => {
    const { near } = await openPair();
    expect(() => near.ping(bytes(126))).toThrow(/125 bytes/);
    expect(near.state).toBe("open");
  });

  it("does nothing on a closed socket", async () => {
    const { near } = await openPair();
    near.close();
    near.ping();
    expect(ending(await near.closed)).toBe("1000 \"\" clean local");
    near.ping();
  });

  it("from a raw peer is answered between the fragments of its message", async () => {
    const messages = new Mailbox<unknown>();
    const { url } = await start({ message: (_, data) => messages.put(data) });
    const peer = await rawOpen(url);
    peer.write(
      frame("client", 0x01, "frag"),
      frame("client", 0x89, "now"),
      frame("client", 0x80, "ment"),
    );
    const [pong] = await peer.takeFrames(1);
    expect(pong).toMatchObject({ first: 0x8a, payload: new TextEncoder().encode("now") });
    expect(await messages.take()).toBe("fragment");
  });

  it("10 at once are all answered, in order", async () => {
    const { url } = await start();
    const peer = await rawOpen(url);
    peer.write(...Array.from({ length: 10 }, (_, i) => frame("client", 0x89, `ping ${i}`)));
    const pongs = await peer.takeFrames(10);
    expect(pongs.map(({ payload }) => new TextDecoder().decode(payload))).toEqual(
      Array.from({ length: 10 }, (_, i) => `ping ${i}`),
    );
  });
});

describe("the timeouts option", () => {
  it("Infinity never pings", async () => {
    const pings: unknown[] = [];
    const url = (await start({ timeouts: { pingInterval: Infinity } })).url;
    const socket = await open(url, {
      ping: () => void pings.push(1),
      timeouts: { pingInterval: Infinity },
    });
    await sleep(400);
    expect(pings).toEqual([]);
    expect(socket.state).toBe("open");
  });
});
