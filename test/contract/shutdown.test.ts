// server.close: no more connections, 503 for upgrades under way, a Close frame for every socket, a
// deadline, and a promise.

import { type ClosedEvent, connect, type Server } from "sansws";
import { describe, expect, it } from "vitest";
import { closing, rawConnect, rawOpen, request } from "./raw.ts";
import { bytes, ending, Mailbox, open, openPair, sleep, start, startEcho, until } from "./suite.ts";

/**
 * Whether the promise is settled by now, but for the turns of the event loop that it takes to know.
 */
async function isPending(promise: Promise<unknown>): Promise<boolean> {
  const pending = Symbol("pending");
  return await Promise.race([promise, sleep(50).then(() => pending)]) === pending;
}

describe("server.close", () => {
  it("of a server without connections is done at once, and twice is once", async () => {
    const { server } = await start();
    await Promise.all([server.close(), server.close()]);
    await server.close();
  });

  it("sends 1001 to every socket and waits for their answers", async () => {
    const ends: ClosedEvent[] = [];
    const { server, url } = await start({ close: (_, event) => void ends.push(event) });
    const sockets = [await open(url), await open(url), await open(url)];
    await server.close();
    expect(ends.map(ending)).toEqual(Array(3).fill("1001 \"\" clean local"));
    expect(server.sockets.size).toBe(0);
    for (const socket of sockets) expect(ending(await socket.closed)).toBe("1001 \"\" clean peer");
  });

  it("takes code and reason", async () => {
    const { server, near } = await openPair();
    await server.close({ code: 1012, reason: "new version" });
    expect(ending(await near.closed)).toBe("1012 \"new version\" clean peer");
  });

  it.each([
    [{ code: 1006 }, /close code 1006/],
    [{ code: 1005, reason: "x" }, /reason needs a close code/],
    [{ deadline: -1 }, /deadline is -1/],
    [{ deadline: NaN }, /deadline is NaN/],
  ])("refuses %o, and the server goes on", async (options, message) => {
    const { server, url } = await start();
    await expect(server.close(options)).rejects.toThrow(message);
    await open(url);
  });

  it("stops listening", async () => {
    const { server, url } = await start();
    await server.close();
    await expect(connect(url)).rejects.toThrow();
  });

  it("delivers what was sent before", async () => {
    const messages = new Mailbox<string | Uint8Array>();
    const { server, far } = await openPair({}, { message: (_, data) => messages.put(data) });
    far.send(bytes(2 ** 22));
    const closed = server.close();
    expect(await messages.take()).toHaveLength(2 ** 22);
    await closed;
  });

  it("answers upgrades that are under way with 503", async () => {
    const { server, url } = await start();
    const peer = await rawConnect(url);
    peer.write(request().slice(0, 40));
    await rawOpen(url);
    const late = await rawConnect(url);
    late.write(request().slice(0, 40));
    await sleep(50);
    const closed = server.close({ deadline: 1000 });
    await closed;
    await until(() => peer.ended || peer.closed, "half a request was not waited for");
  });

  it("lets an upgrade that is being decided hear 503, or 101 and 1001 at once", async () => {
    let decide = (): void => {};
    const asked = new Mailbox<void>();
    const { server, url } = await start({
      upgrade: () => {
        asked.put();
        return new Promise<undefined>((resolve) => decide = () => resolve(undefined));
      },
    });
    const peer = await rawConnect(url);
    peer.write(request());
    await asked.take();
    const closed = server.close();
    decide();
    const head = await peer.takeHead();
    if (head.startsWith("HTTP/1.1 101 ")) {
      expect(closing((await peer.takeFrames(1))[0]!)).toBe("1001 \"\"");
    } else expect(head).toMatch(/^HTTP\/1\.1 503 /);
    peer.end();
    await closed;
  });

  it("waits for an answer of the request hook", async () => {
    const asked = new Mailbox<void>();
    const { server, url } = await start({
      request: async () => {
        asked.put();
        await sleep(100);
        return new Response("finished");
      },
    });
    const answer = fetch(url.replace("ws:", "http:"));
    await asked.take();
    const closed = server.close();
    expect(await (await answer).text()).toBe("finished");
    await closed;
  });

  it("drops whoever has not asked for anything", async () => {
    const { server, url } = await start();
    const silent = await rawConnect(url);
    await open(url);
    await server.close();
    await until(() => silent.ended || silent.closed, "it was dropped");
  });

  it("drops what is left at the deadline", async () => {
    const ends: ClosedEvent[] = [];
    const { server, url } = await start({ close: (_, event) => void ends.push(event) });
    const peer = await rawOpen(url);
    const closed = server.close({ deadline: 300 });
    expect(closing((await peer.takeFrames(1))[0]!)).toBe("1001 \"\"");
    expect(await isPending(closed)).toBe(true);
    await closed;
    expect(ends.map(ending)).toEqual(["1006 \"\" unclean lost"]);
    await until(() => peer.closed || peer.ended, "it was dropped");
  });

  it("with deadline 0 does not wait at all", async () => {
    const { server, url } = await start();
    const peer = await rawOpen(url);
    await server.close({ deadline: 0 });
    expect(server.sockets.size).toBe(0);
    await until(() => peer.closed || peer.ended, "it was dropped");
  });

  it("with deadline Infinity waits as long as it takes", async () => {
    const { server, url } = await start({ timeouts: { close: 500 } });
    await rawOpen(url);
    const closed = server.close({ deadline: Infinity });
    expect(await isPending(closed)).toBe(true);
    await closed;
  });

  it("reaches a paused socket, and one that nobody iterates over", async () => {
    const { server, near, far } = await openPair();
    for (let i = 0; i < 100; i++) near.send(`message ${i}`);
    await sleep(50);
    const closed = server.close();
    await closed;
    expect(ending(await near.closed)).toBe("1001 \"\" clean peer");
    expect((await far.closed).clean).toBe(true);
  });

  it("called by a handler works too", async () => {
    const servers: Server[] = [];
    const done = new Mailbox<void>();
    const { server, url } = await startEcho({
      message: () => void servers[0]!.close().then(() => done.put()),
    });
    servers.push(server);
    const socket = await open(url);
    socket.send("shut down");
    await done.take();
    expect((await socket.closed).code).toBe(1001);
  });
});
