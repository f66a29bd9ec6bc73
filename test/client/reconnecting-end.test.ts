// A client that stays: what is read of its connections, and how it ends. In virtual time, but for
// the last test.

import type { Message, ReconnectingSocket } from "sansws";
import { reconnecting, serve, SocketClosedError, UsageError } from "sansws";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { ending, Mailbox, startEcho, until } from "../contract/suite.ts";
import { refusal } from "./answers.ts";
import { World } from "./world.ts";

const URL_TEXT = "ws://server.test/";

async function collect(socket: ReconnectingSocket, count: number): Promise<Message[]> {
  const messages: Message[] = [];
  for await (const message of socket) if (messages.push(message) >= count) break;
  return messages;
}

describe("reconnecting, reading", () => {
  it("is one iteration over all connections", async () => {
    const world = new World();
    const socket = world.start(URL_TEXT);
    const reading = collect(socket, 4);
    const first = await world.opened.take();
    first.send("a");
    first.send("b");
    first.close(1001);
    await world.story(3);
    world.pass(1000);
    const second = await world.opened.take();
    second.send("c");
    second.send("d");
    expect(await reading).toEqual(["a", "b", "c", "d"]);
  });

  it("loses no message of a connection that ended before it was read", async () => {
    const world = new World();
    const socket = world.start(URL_TEXT);
    for (const word of ["a", "b", "c"]) {
      const server = await world.opened.take();
      server.send(word);
      server.close(1001);
      await until(() => socket.state === "waiting", "the connection was over");
      world.pass(30_000);
    }
    expect(await collect(socket, 3)).toEqual(["a", "b", "c"]);
  });

  it("keeps what nobody reads of a bounded number of connections", async () => {
    const world = new World();
    const socket = world.start(URL_TEXT);
    for (let i = 0; i < 20; i++) {
      const server = await world.opened.take();
      server.send(`${i}`);
      server.close(1001);
      await until(() => socket.state === "waiting", "the connection was over");
      world.pass(30_000);
    }
    socket.close();
    await socket.closed;
    const messages = await collect(socket, Infinity);
    expect(messages.length).toBeLessThanOrEqual(16);
    expect(messages.at(-1)).toBe("19");
  });

  it("goes to the message handler, where there is one", async () => {
    const world = new World();
    const heard = new Mailbox<Message>();
    const socket = world.start(URL_TEXT, { message: (_, data) => heard.put(data) });
    expect(() => socket[Symbol.asyncIterator]()).toThrow(UsageError);
    const first = await world.opened.take();
    first.send("a");
    expect(await heard.take()).toBe("a");
    first.abort();
    await world.story(3);
    world.pass(1000);
    (await world.opened.take()).send("b");
    expect(await heard.take()).toBe("b");
  });
});

describe("reconnecting, the end", () => {
  it("comes by close, with the code that was given", async () => {
    const world = new World();
    const socket = world.start(URL_TEXT);
    const reading = collect(socket, 1);
    const server = await world.opened.take();
    await world.story(2);
    socket.close(4000, "bye");
    expect(ending(await server.closed)).toBe("4000 \"bye\" clean peer");
    expect(await socket.closed).toMatchObject({ closed: { code: 4000, cause: "local" } });
    expect(await reading).toEqual([]);
    expect(await world.story(3)).toEqual(["connecting 1", "open 1", "closed"]);
  });

  it("comes by close while an attempt is under way, which is given up", async () => {
    const world = new World();
    world.outcomes.push(new Promise(() => {}));
    const socket = world.start(URL_TEXT);
    await until(() => world.attempts.length === 1, "the attempt had begun");
    socket.close();
    expect(await socket.closed).toBeUndefined();
    expect(world.attempts[0]!.options.signal!.aborted).toBe(true);
    expect(await world.story(2)).toEqual(["connecting 1", "closed"]);
    expect(await collect(socket, 1)).toEqual([]);
  });

  it("comes by close while a target is awaited that never comes", async () => {
    const world = new World();
    const signals: AbortSignal[] = [];
    const socket = world.start(({ signal }) => {
      signals.push(signal);
      return new Promise(() => {});
    });
    await until(() => signals.length === 1, "the target was asked for");
    socket.close();
    expect(await socket.closed).toBeUndefined();
    expect(signals[0]!.aborted).toBe(true);
  });

  it("comes by close while the next attempt is awaited, and leaves no timer", async () => {
    const world = new World();
    world.outcomes.push(new Error("no way"));
    const socket = world.start(URL_TEXT);
    await world.story(2);
    expect(world.timers).toBe(1);
    socket.close();
    expect(await socket.closed).toBeUndefined();
    expect(world.timers).toBe(0);
    expect(await collect(socket, 1)).toEqual([]);
  });

  it.each(["connecting", "open", "waiting"])(
    "comes by close within the change to %s",
    async (state) => {
      const world = new World();
      if (state === "waiting") world.outcomes.push(new Error("no way"));
      const socket = world.start(URL_TEXT, {
        change: (change) => {
          if (change.state === state) socket.close();
        },
      });
      await socket.closed;
      expect(socket.state).toBe("closed");
      expect(world.timers).toBe(0);
    },
  );

  it("comes by the signal, with 1001, and the signal is left", async () => {
    const world = new World();
    const controller = new AbortController();
    const leave = vi.spyOn(controller.signal, "removeEventListener");
    const socket = world.start(URL_TEXT, { signal: controller.signal });
    const server = await world.opened.take();
    await world.story(2);
    controller.abort();
    expect(ending(await server.closed)).toBe("1001 \"\" clean peer");
    await socket.closed;
    expect(leave).toHaveBeenCalled();
    expect(await collect(socket, 1)).toEqual([]);
  });

  it("comes at once by a signal that is aborted already", async () => {
    const world = new World();
    const socket = world.start(URL_TEXT, { signal: AbortSignal.abort() });
    expect(await socket.closed).toBeUndefined();
    expect(world.attempts).toEqual([]);
  });

  it("comes by a close code that would come again, and is an error of the iteration", async () => {
    const world = new World();
    const socket = world.start(URL_TEXT);
    const reading = collect(socket, 1);
    (await world.opened.take()).close(1008, "banned");
    await expect(reading).rejects.toBeInstanceOf(SocketClosedError);
    expect(await socket.closed).toMatchObject({ closed: { code: 1008, reason: "banned" } });
  });

  it("comes quietly when the server is done", async () => {
    const world = new World();
    const socket = world.start(URL_TEXT);
    const server = await world.opened.take();
    server.send("last");
    server.close(1000);
    expect(await collect(socket, 2)).toEqual(["last"]);
    expect(await world.story(3)).toEqual(["connecting 1", "open 1", "closed"]);
  });

  it("comes by a status that would come again, and is an error of the iteration", async () => {
    const world = new World();
    const failure = refusal(403);
    world.outcomes.push(failure);
    const socket = world.start(URL_TEXT);
    await expect(collect(socket, 1)).rejects.toBe(failure);
    expect(await socket.closed).toEqual({ error: failure });
    expect(await world.story(2)).toEqual(["connecting 1", "closed"]);
  });

  it("comes by the last attempt there may be", async () => {
    const world = new World();
    world.outcomes.push(new Error("first"), new Error("second"));
    const socket = world.start(URL_TEXT, { retry: { maxAttempts: 2 } });
    await world.story(2);
    world.pass(1000);
    expect(await socket.closed).toMatchObject({ error: { message: "second" } });
  });

  it("comes by a mistake of the caller's, which is reported", async () => {
    const world = new World();
    const errors: unknown[] = [];
    const socket = world.start(() => ({ url: URL_TEXT, headers: { Host: "mine" } }), {
      error: (error) => errors.push(error),
    });
    expect(await socket.closed).toMatchObject({ error: { name: "UsageError" } });
    expect(errors).toEqual([expect.any(UsageError)]);
  });

  it("comes when shouldRetry fails, which is reported", async () => {
    const world = new World();
    const failure = new Error("mine");
    const errors: unknown[] = [];
    world.outcomes.push(new Error("no way"));
    const shouldRetry = (): never => {
      throw failure;
    };
    const socket = world.start(URL_TEXT, {
      retry: { shouldRetry },
      error: (error) => errors.push(error),
    });
    expect(await socket.closed).toMatchObject({ error: { message: "no way" } });
    expect(errors).toEqual([failure]);
  });

  it("comes only once, and the first close counts", async () => {
    const world = new World();
    const socket = world.start(URL_TEXT);
    await world.story(2);
    socket.close(4001);
    socket.close(4002);
    expect(await socket.closed).toMatchObject({ closed: { code: 4001 } });
    socket.close(4003);
    expect(world.changes.filter(({ state }) => state === "closed")).toHaveLength(1);
  });

  it("does not come by a code that must not be sent", async () => {
    const world = new World();
    const socket = world.start(URL_TEXT);
    await world.story(2);
    expect(() => socket.close(1006)).toThrow(UsageError);
    expect(socket.state).toBe("open");
  });
});

describe("reconnecting refuses", () => {
  it.each<[string, string, object]>([
    ["what is no URL", "nonsense", {}],
    ["an unknown option", URL_TEXT, { retries: 5 }],
    ["a lifetime, which its signal is", URL_TEXT, { lifetime: AbortSignal.abort() }],
    ["an illegal retry option", URL_TEXT, { retry: { factor: 0 } }],
    ["an illegal queue option", URL_TEXT, { queue: { maxSize: -1 } }],
    ["one stream for all attempts", URL_TEXT, { stream: {} }],
  ])("%s, at the call", (_what, url, options) => {
    expect(() => reconnecting(url, options)).toThrow(UsageError);
  });
});

describe("reconnecting, for real", () => {
  it("outlives its server, and sends to the next one what it was given meanwhile", async () => {
    const first = await startEcho();
    const { hostname, port } = first.server.address;
    const down = new Mailbox<unknown>();
    const socket = reconnecting(first.url, {
      retry: { initialDelay: 5, maxDelay: 50 },
      change: (change) => {
        if (change.state === "waiting") down.put(change);
      },
    });
    onTestFinished(() => socket.close());
    socket.send("one");
    expect(await collect(socket, 1)).toEqual(["one"]);
    await first.server.close();
    await down.takeAll(2);
    socket.send("two");
    const second = await serve({ hostname, port, message: (peer, data) => peer.send(data) });
    onTestFinished(() => second.close({ deadline: 0 }));
    expect(await collect(socket, 1)).toEqual(["two"]);
    socket.close();
    expect(await socket.closed).toMatchObject({ closed: { code: 1000, cause: "local" } });
  });
});
