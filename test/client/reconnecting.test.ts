// A client that stays, in virtual time: its states, what it asks for, and what it sends.

import { type Message, UsageError } from "sansws";
import type { Attempt } from "sansws/reconnecting";
import { describe, expect, it } from "vitest";
import { Mailbox, until } from "../contract/suite.ts";
import { World } from "./world.ts";

const URL_TEXT = "ws://server.test/";

describe("reconnecting, states", () => {
  it("connects again after each loss, later each time", async () => {
    const world = new World();
    world.outcomes.push(new Error("no way"), new Error("no way"), undefined, new Error("no way"));
    const socket = world.start(URL_TEXT);
    expect(await world.story(2)).toEqual(["connecting 1", "waiting 1000"]);
    world.pass(999);
    expect(world.attempts).toHaveLength(1);
    world.pass(1);
    expect((await world.story(4)).slice(2)).toEqual(["connecting 2", "waiting 2000"]);
    world.pass(2000);
    expect((await world.story(6)).slice(4)).toEqual(["connecting 3", "open 3"]);
    expect(socket.state).toBe("open");
    (await world.opened.take()).abort();
    expect((await world.story(7)).slice(6)).toEqual(["waiting 4000"]);
    expect([socket.state, socket.socket]).toEqual(["waiting", undefined]);
    world.pass(4000);
    expect((await world.story(9)).slice(7)).toEqual(["connecting 4", "waiting 8000"]);
  });

  it("begins the counting anew after a stable connection", async () => {
    const world = new World();
    world.outcomes.push(new Error("no way"));
    world.start(URL_TEXT, { retry: { stableAfter: 5000 } });
    await world.story(2);
    world.pass(1000);
    await world.story(4);
    world.pass(5000);
    (await world.opened.take()).close(1001);
    expect((await world.story(5)).slice(2)).toEqual(["connecting 2", "open 2", "waiting 1000"]);
    world.pass(1000);
    expect((await world.story(7)).slice(5)).toEqual(["connecting 1", "open 1"]);
  });

  it("tells with each change what there is to know", async () => {
    const world = new World();
    const error = new Error("no way");
    world.outcomes.push(error);
    world.chance = 0.5;
    const socket = world.start(URL_TEXT);
    await world.story(2);
    expect(world.changes[1]).toEqual({ state: "waiting", attempt: 1, delay: 500, end: { error } });
    world.pass(500);
    await world.story(4);
    expect(world.changes[3]).toEqual({ state: "open", attempt: 2, socket: socket.socket });
    (await world.opened.take()).close(1012, "restart");
    await world.story(5);
    expect(world.changes[4]).toMatchObject({
      end: { closed: { code: 1012, reason: "restart", cause: "peer" } },
    });
  });

  it("goes on when the handler of changes fails, and reports that", async () => {
    const world = new World();
    const errors: unknown[] = [];
    const failure = new Error("mine");
    const change = (): never => {
      throw failure;
    };
    world.start(URL_TEXT, { change, error: (error) => errors.push(error) });
    await world.story(2);
    expect(errors).toEqual([failure, failure]);
  });
});

describe("reconnecting, targets", () => {
  it("asks for a fresh target before each attempt", async () => {
    const world = new World();
    const asked: Attempt[] = [];
    world.server = {
      upgrade: ({ headers }) => ({ data: headers.get("authorization") }),
      protocols: ["v1", "v2"],
    };
    const target = (attempt: Attempt): object => {
      asked.push(attempt);
      const { number } = attempt;
      return {
        url: `ws://server${number}.test/`,
        headers: { Authorization: `token ${number}` },
        protocols: `v${number}`,
      };
    };
    const socket = world.start(target as () => URL);
    await world.story(2);
    const first = await world.opened.take();
    expect([first.data, socket.socket!.protocol]).toEqual(["token 1", "v1"]);
    first.close(1001);
    await world.story(3);
    world.pass(1000);
    const second = await world.opened.take();
    expect(second.data).toBe("token 2");
    expect(world.attempts.map(({ url }) => url)).toEqual([
      "ws://server1.test/",
      "ws://server2.test/",
    ]);
    expect(asked).toMatchObject([{ number: 1, end: undefined }, {
      number: 2,
      end: { closed: { code: 1001 } },
    }]);
  });

  it("waits for a promise of it, and tries again when that fails", async () => {
    const world = new World();
    const failure = new Error("no token today");
    const answers: (() => Promise<string>)[] = [
      () => Promise.reject(failure),
      () => Promise.resolve(URL_TEXT),
    ];
    world.start(() => answers.shift()!());
    expect(await world.story(2)).toEqual(["connecting 1", "waiting 1000"]);
    expect(world.changes[1]).toMatchObject({ end: { error: failure } });
    world.pass(1000);
    expect((await world.story(4)).slice(2)).toEqual(["connecting 2", "open 2"]);
  });

  it("hands its options to each attempt, but for those of its own", async () => {
    const world = new World();
    world.start(URL_TEXT, {
      headers: { a: "b" },
      deflate: true,
      retry: {},
      queue: {},
      timeout: 5000,
    });
    await world.story(2);
    const { options } = world.attempts[0]!;
    expect(options).toMatchObject({ headers: [["a", "b"]], deflate: true, timeout: 5000 });
    expect(Object.keys(options)).not.toContain("retry");
  });

  it("calls handlers as methods of the options they came in", async () => {
    class Options {
      readonly #heard = new Mailbox<Message>();
      message(_socket: unknown, data: Message): void {
        this.#heard.put(data);
      }
      take(): Promise<Message> {
        return this.#heard.take();
      }
    }
    const world = new World();
    const options = new Options();
    world.start(URL_TEXT, options);
    (await world.opened.take()).send("hello");
    expect(await options.take()).toBe("hello");
  });
});

describe("reconnecting, sending", () => {
  it("keeps messages until there is a connection, and sends them in order", async () => {
    const world = new World();
    world.outcomes.push(new Error("no way"));
    const socket = world.start(URL_TEXT);
    expect(socket.send("one")).toBe("queued");
    await world.story(2);
    expect(socket.send(Uint8Array.of(2))).toBe("queued");
    expect(socket.bufferedAmount).toBe(4);
    world.pass(1000);
    await world.story(4);
    expect(socket.send("three")).toBe("sent");
    const server = await world.opened.take();
    const heard: Message[] = [];
    for await (const message of server) if (heard.push(message) === 3) break;
    expect(heard).toEqual(["one", Uint8Array.of(2), "three"]);
    await until(() => socket.bufferedAmount === 0, "all had left");
  });

  it("sends what `open` sends first, and waits for it when it waits itself", async () => {
    const world = new World();
    let letIn = (): void => {};
    const socket = world.start(URL_TEXT, {
      open: async (opened) => {
        opened.send("login");
        await new Promise<void>((resolve) => letIn = resolve);
        opened.send("logged in");
      },
    });
    socket.send("waiting");
    const server = await world.opened.take();
    const heard: Message[] = [];
    const reading = (async () => {
      for await (const message of server) if (heard.push(message) === 3) break;
    })();
    await until(() => heard.length === 1, "the first came");
    expect([socket.state, socket.send("later")]).toEqual(["connecting", "queued"]);
    letIn();
    await reading;
    expect(heard).toEqual(["login", "logged in", "waiting"]);
  });

  it("tries again when `open` fails", async () => {
    const world = new World();
    const failure = new Error("not logged in");
    const errors: unknown[] = [];
    world.start(URL_TEXT, {
      open: () => Promise.reject(failure),
      error: (error) => errors.push(error),
    });
    expect(await world.story(2)).toEqual(["connecting 1", "waiting 1000"]);
    expect(errors).toEqual([failure]);
    expect(world.changes[1]).toMatchObject({ end: { closed: { code: 1011 } } });
  });

  it("refuses or drops what does not fit into the queue", async () => {
    const world = new World();
    world.outcomes.push(new Promise(() => {}));
    const socket = world.start(URL_TEXT, { queue: { maxMessages: 2 } });
    expect(["a", "b", "c"].map((message) => socket.send(message))).toEqual([
      "queued",
      "queued",
      "dropped",
    ]);
    expect(() => socket.send({} as string)).toThrow(UsageError);
    socket.close();
    expect(socket.send("d")).toBe("dropped");
    await socket.closed;
    expect([socket.send("e"), socket.bufferedAmount]).toEqual(["dropped", 0]);
  });

  it("keeps what is sent while the socket is closing for the next one", async () => {
    const world = new World();
    const socket = world.start(URL_TEXT);
    await world.story(2);
    socket.socket!.close(4000);
    expect(socket.send("next time")).toBe("queued");
    await world.story(3);
    world.pass(1000);
    await world.opened.take();
    const next = await world.opened.take();
    for await (const message of next) {
      expect(message).toBe("next time");
      break;
    }
  });

  it("sends a long queue no faster than the peer takes it, and in order", async () => {
    const world = new World();
    const socket = world.start(URL_TEXT, { queue: { maxSize: Infinity } });
    for (let i = 0; i < 20; i++) socket.send(String.fromCharCode(65 + i).repeat(50_000));
    const server = await world.opened.take();
    server.pause();
    await world.story(2);
    expect(socket.send("z")).toBe("queued");
    server.resume();
    let heard = "";
    for await (const message of server) {
      heard += String(message)[0];
      if (heard.length === 21) break;
    }
    expect(heard).toBe("ABCDEFGHIJKLMNOPQRSTz");
  });
});
