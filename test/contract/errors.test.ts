// What an application's handlers throw: it reaches `error`, that socket closes with 1011, and
// nobody else notices.

import { type Handlers, serve, type ServeOptions, type Socket } from "sansws";
import type { DeflateCodec } from "sansws/core";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { deflateCodec } from "../../adapters/deflate.ts";
import { ending, Mailbox, open, openPair, sleep, start, startEcho, until } from "./suite.ts";

const failure = new Error("a handler failed");

function fail(): never {
  throw failure;
}

async function failLater(): Promise<void> {
  await sleep(1);
  fail();
}

/** Each handler of a server, and what its peer does to have it called. */
const OCCASIONS: readonly (readonly [name: keyof Handlers, occasion: (near: Socket) => void])[] = [
  ["open", () => {}],
  ["message", (near) => near.send("x")],
  ["piece", (near) => near.send("x")],
  ["ping", (near) => near.ping()],
  ["pong", () => {}],
];

describe.each([["throws", fail], ["rejects", failLater]])("a handler that %s", (_, handler) => {
  it.each(OCCASIONS)(
    "%s: the error reaches `error` with the socket, which closes with 1011",
    async (name, occasion) => {
      const errors = new Mailbox<unknown>();
      const { near, far } = await openPair({
        open: name === "open" ? handler : (socket) => socket.ping(),
        ...name !== "open" && { [name]: handler },
        error: (error, socket) => errors.put([error, socket]),
      });
      occasion(near);
      expect(await errors.take()).toEqual([failure, far]);
      expect(ending(await near.closed)).toBe("1011 \"\" clean peer");
      expect(errors.all).toHaveLength(1);
    },
  );

  it("closing: the error reaches `error`, and the closing goes on", async () => {
    const errors = new Mailbox<unknown>();
    const { near } = await openPair({ closing: handler, error: (error) => errors.put(error) });
    near.close(3000);
    expect(await errors.take()).toBe(failure);
    expect(ending(await near.closed)).toBe("3000 \"\" clean local");
  });

  it("close: the error reaches `error`, and the server forgets the socket", async () => {
    const errors = new Mailbox<unknown>();
    const { server, near } = await openPair({
      close: handler,
      error: (error) => errors.put(error),
    });
    near.close();
    expect(await errors.take()).toBe(failure);
    await until(() => server.sockets.size === 0, "the server forgot it");
  });

  it("drain: the error reaches `error`", async () => {
    const errors = new Mailbox<unknown>();
    const { near, far } = await openPair({ drain: handler, error: (error) => errors.put(error) }, {
      message: () => {},
    });
    near.pause();
    while (far.send(new Uint8Array(65536)) === "sent") await sleep(0);
    near.resume();
    expect(await errors.take()).toBe(failure);
    expect((await near.closed).code).toBe(1011);
  });

  it("of a client: its socket closes with 1011", async () => {
    const errors = new Mailbox<unknown>();
    const { near, far } = await openPair({}, {
      message: handler,
      error: (error, socket) => errors.put([error, socket]),
    });
    far.send("x");
    expect(await errors.take()).toEqual([failure, near]);
    expect(ending(await far.closed)).toBe("1011 \"\" clean peer");
  });

  it("does not keep the other messages, nor other sockets, from being served", async () => {
    const errors = new Mailbox<unknown>();
    const { url } = await start({
      error: (error) => errors.put(error),
      message: (socket, data) => data === "bad" ? handler() : socket.send(data),
    });
    const heard = new Mailbox<unknown>();
    const good = await open(url, { message: (_, data) => heard.put(data) });
    const bad = await open(url, { message: (_, data) => heard.put(data) });
    bad.send("bad");
    await bad.closed;
    good.send("good");
    expect(await heard.take()).toBe("good");
    expect(good.state).toBe("open");
  });
});

describe("an error handler", () => {
  it("that is not there is replaced by the console", async () => {
    const log = vi.spyOn(console, "error").mockImplementation(() => {});
    try {
      const server = await serve({ port: 0, hostname: "127.0.0.1", message: fail });
      onTestFinished(() => server.close());
      const socket = await open(server.url);
      socket.send("x");
      expect((await socket.closed).code).toBe(1011);
      expect(log).toHaveBeenCalledWith(failure);
    } finally {
      log.mockRestore();
    }
  });

  it.each([["throws", fail], ["rejects", failLater]])(
    "that %s itself does no harm",
    async (_, error) => {
      const log = vi.spyOn(console, "error").mockImplementation(() => {});
      try {
        const { near, url } = await openPair({ message: fail, error });
        near.send("x");
        expect((await near.closed).code).toBe(1011);
        await until(() => log.mock.calls.length > 0, "the console had it");
        expect(log).toHaveBeenCalledWith(failure);
        await open(url);
      } finally {
        log.mockRestore();
      }
    },
  );
});

describe("a handler that throws what is no error", () => {
  it.each([["a string"], [undefined], [null], [{ code: 1 }]])(
    "%o reaches `error` as it is",
    async (thrown) => {
      const errors = new Mailbox<unknown>();
      const { near } = await openPair({
        message: () => {
          throw thrown;
        },
        error: (error) => errors.put(error),
      });
      near.send("x");
      expect(await errors.take()).toBe(thrown);
      expect((await near.closed).code).toBe(1011);
    },
  );
});

describe("handlers", () => {
  it("that send in open are heard before everything else", async () => {
    const { url } = await startEcho({ open: (socket) => void socket.send("welcome") });
    const heard = new Mailbox<unknown>();
    const socket = await open(url, { message: (_, data) => heard.put(data) });
    socket.send("echo");
    expect(await heard.takeAll(2)).toEqual(["welcome", "echo"]);
  });

  it("may close, abort or pause their own socket at any point", async () => {
    for (const end of ["close", "abort"] as const) {
      const closed = new Mailbox<string>();
      const { url } = await start({
        open: (socket) => end === "abort" ? socket.abort() : socket.close(),
        close: (_, event) => closed.put(event.cause),
      });
      await open(url).catch(() => {});
      expect(await closed.take()).toBe(end === "abort" ? "lost" : "local");
    }
  });

  it("may be methods of an object with a state of its own", async () => {
    const heard = new Mailbox<number>();
    class Counter implements ServeOptions {
      readonly port = 0;
      readonly hostname = "127.0.0.1";
      #count = 0;

      message(): void {
        heard.put(++this.#count);
      }
    }
    const server = await serve(new Counter());
    onTestFinished(() => server.close());
    const socket = await open(server.url);
    socket.send("a");
    socket.send("b");
    expect(await heard.takeAll(2)).toEqual([1, 2]);
  });
});

describe("a codec that breaks", () => {
  it("ends the connection it breaks on, is told to `error`, and touches no other", async () => {
    const errors = new Mailbox<unknown>();
    const codec: DeflateCodec = {
      createDeflater: (options) => deflateCodec.createDeflater(options),
      createInflater: fail,
    };
    const { url } = await startEcho({ deflate: { codec }, error: (error) => errors.put(error) });
    const [other, near] = [await open(url), await open(url, { deflate: true })];
    near.send("x".repeat(1000));
    expect(await errors.take()).toBe(failure);
    // The Close frame may be overtaken by the end of the transport.
    expect([1006, 1011]).toContain((await near.closed).code);
    other.send("still here");
    expect((await other[Symbol.asyncIterator]().next()).value).toBe("still here");
  });
});
