// What hooks and handlers may return, over every hook and kind of value. The upgrade hook fails
// closed: what is no decision opens no WebSocket. Promises, Responses and objects are judged by what
// they can do, not by their class or realm.

import { runInNewContext } from "node:vm";
import { connect, type Handlers, type ServeOptions, type Socket } from "sansws";
import { Response as UndiciResponse } from "undici";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { HANDLERS } from "../../adapters/host/options.ts";
import { rawConnect, request } from "./raw.ts";
import { Mailbox, open, openPair, start, until } from "./suite.ts";
import { Unhandled } from "./unhandled.ts";

type ErrorHandler = NonNullable<Handlers["error"]>;

const failure = new Error("the application failed");
const unhandled = new Unhandled();
beforeAll(() => unhandled.listen());
afterAll(() => unhandled.expectNone());

/** The value as other classes and realms would give it: a promise, and things like one. */
const WRAPPINGS: readonly (readonly [name: string, wrap: (value: unknown) => unknown])[] = [
  ["itself", (value) => value],
  ["a promise", (value) => Promise.resolve(value)],
  ["a promise of another realm", (value) => {
    return runInNewContext("Promise.resolve(value)", { value });
  }],
  ["a thenable", (value) => ({ then: (resolve: (value: unknown) => void) => resolve(value) })],
  ["a callable thenable that is late", (value) => {
    const then = (resolve: (value: unknown) => void): void => void setTimeout(resolve, 1, value);
    return Object.assign(() => {}, { then });
  }],
];

/** Ways to fail, of which `error` hears the failure. */
const FAILURES: readonly (readonly [name: string, fail: () => unknown])[] = [
  ["throws", () => {
    throw failure;
  }],
  ["rejects", () => Promise.reject(failure)],
  ["returns a rejected promise of another realm", () => {
    return runInNewContext("Promise.reject(failure)", { failure });
  }],
  [
    "returns a rejected promise of a subclass",
    () => class extends Promise<never> {}.reject(failure),
  ],
  ["returns a thenable that rejects", () => ({
    then: (_: unknown, reject: (error: unknown) => void) => reject(failure),
  })],
  ["returns a thenable that throws", () => ({
    then: () => {
      throw failure;
    },
  })],
  ["returns an object whose `then` throws", () => ({
    get then() {
      throw failure;
    },
  })],
];

const foreign = (code: string): unknown => runInNewContext(code);

describe.each(WRAPPINGS)("the upgrade hook returns a decision as %s", (_name, wrap) => {
  it.each<[string, () => unknown, number, string?]>([
    ["undefined", () => undefined, 101],
    ["{}", () => ({}), 101],
    ["an Accept", () => ({ data: 1, headers: [["X-A", "b"]] }), 101, "X-A: b"],
    ["an Accept without a prototype", () => Object.assign(Object.create(null), { data: 1 }), 101],
    ["an Accept of another realm", () => foreign("({ headers: { 'X-A': 'b' } })"), 101, "X-A: b"],
    ["a Reject", () => ({ status: 401, body: "who?\n" }), 401, "who?"],
    ["a Reject of another realm", () => foreign("({ status: 402, body: 'pay' })"), 402, "pay"],
    [
      "a Reject with bytes of another realm",
      () => {
        return foreign("({ status: 403, body: new Uint8Array([104, 105]) })");
      },
      403,
      "\r\n\r\nhi",
    ],
    ["an instance of a class that is a Reject", () => {
      return new class Denied extends Error {
        readonly status = 407;
      }();
    }, 407],
    ["a Response", () => new Response("no\n", { status: 404 }), 404, "Content-Length: 3"],
    ["a Response of undici", () => new UndiciResponse("no\n", { status: 410 }), 410, "\r\n\r\nno"],
    ["a Response of undici without a body", () => new UndiciResponse(null, { status: 403 }), 403],
  ])("%s: it is taken", async (_what, decision, status, part = "") => {
    const { url } = await start({ upgrade: (() => wrap(decision())) as ServeOptions["upgrade"] });
    const peer = await rawConnect(url);
    peer.write(request());
    const answer = status === 101 ? await peer.takeHead() : await peer.takeAll();
    expect(answer).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
    expect(answer.toLowerCase()).toContain(part.toLowerCase());
    if (status !== 101) expect(answer).toMatch(/\r\nContent-Length: \d+\r\n/i);
  });

  it.each<[string, unknown]>([
    ["false", false],
    ["true", true],
    ["0", 0],
    ["401", 401],
    ["a bigint", 401n],
    ["an empty string", ""],
    ["a string", "no"],
    ["null", null],
    ["a symbol", Symbol("no")],
    ["an array", []],
    ["an array with a decision", [{ status: 401 }]],
    ["an array of another realm", foreign("[]")],
    ["a function", () => ({})],
    ["a class", class {}],
    ["an Error", new Error("denied")],
    ["a Date", new Date()],
    ["a Map", new Map()],
    ["a Headers", new Headers()],
    [
      "an instance of a class",
      new class {
        readonly statusCode = 401;
      }(),
    ],
    ["an unknown name", { statusCode: 401 }],
    ["a misspelt name", { Status: 401 }],
    ["a status that is text", { status: "401" }],
    ["a status out of range", { status: 99 }],
    ["a status of 101", { status: 101 }],
    ["a status of 600", { status: 600 }],
    ["a status that is no integer", { status: 401.5 }],
    ["a status that is undefined", { status: undefined }],
    ["headers that are a number", { status: 200, headers: 3 }],
    ["headers that are null", { headers: null }],
    ["a body that is a number", { status: 401, body: 3 }],
    ["a protocol that is a number", { protocol: 3 }],
    ["a protocol that was not offered", { protocol: "chat" }],
    ["a Response with status 0", Response.error()],
  ])("%s: `error` hears, the client gets 500, never 101", async (_what, decision) => {
    const errors = new Mailbox<unknown>();
    const refused = new Mailbox<string>();
    const { url, server } = await start({
      upgrade: (() => wrap(decision)) as ServeOptions["upgrade"],
      error: (error) => errors.put(error),
      refused: ({ status, rule }) => refused.put(`${status} ${rule}`),
      open: () => errors.put("opened"),
    });
    const peer = await rawConnect(url);
    peer.write(request());
    expect(await peer.takeAll()).toMatch(/^HTTP\/1\.1 500 /);
    expect(await errors.take()).toBeInstanceOf(Error);
    expect(await refused.take()).toBe("500 hook-failed");
    expect([errors.all.length, refused.all.length, server.sockets.size]).toEqual([1, 1, 0]);
  });
});

describe.each(FAILURES)("a hook that %s", (_name, fail) => {
  it.each(["upgrade", "request"])("%s: `error` hears, the client gets 500", async (hook) => {
    const errors = new Mailbox<unknown>();
    const { url } = await start({ [hook]: fail, error: (error) => errors.put(error) });
    const peer = await rawConnect(url);
    peer.write(hook === "upgrade" ? request() : "GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    expect(await peer.takeAll()).toMatch(/^HTTP\/1\.1 500 /);
    expect(await errors.take()).toBe(failure);
    expect(errors.all).toHaveLength(1);
  });

  it("`refused`: `error` hears, and the client is answered", async () => {
    const errors = new Mailbox<unknown>();
    const refused = fail as ServeOptions["refused"];
    const { url } = await start({ refused, error: (error) => errors.put(error) });
    await expect(connect(url, { protocols: "a", headers: { Origin: "b" } })).resolves.toBeDefined()
      .then(() => fetch(url.replace("ws:", "http:")));
    expect(await errors.take()).toBe(failure);
  });
});

describe.each(WRAPPINGS)("the request hook returns as %s", (_name, wrap) => {
  const stream = (): ReadableStream<Uint8Array<ArrayBuffer>> =>
    new ReadableStream({
      start(controller) {
        for (const text of ["str", "eam"]) controller.enqueue(new TextEncoder().encode(text));
        controller.close();
      },
    });

  it.each<[string, () => unknown, string, number | null]>([
    ["a Response with text", () => new Response("text"), "text", null],
    ["a Response with a stream", () => new Response(stream()), "stream", null],
    ["a Response without a body", () => new Response(null), "", 0],
    ["undici's with text", () => new UndiciResponse("text"), "text", null],
    ["undici's with a stream", () => new UndiciResponse(stream() as never), "stream", null],
    ["undici's without a body", () => new UndiciResponse(null), "", 0],
    [
      "undici's with a length",
      () => {
        return new UndiciResponse("text", { headers: { "Content-Length": "4" } });
      },
      "text",
      4,
    ],
  ])("%s: it is served", async (_what, response, body, length) => {
    const { url } = await start({ request: (() => wrap(response())) as ServeOptions["request"] });
    const answer = await fetch(url.replace("ws:", "http:"));
    expect(await answer.text()).toBe(body);
    const stated = answer.headers.get("content-length");
    expect(stated === null ? null : Number(stated)).toBe(length);
  });

  it.each<[string, unknown]>([
    ["undefined", undefined],
    ["null", null],
    ["false", false],
    ["a string", "page"],
    ["an object", {}],
    ["a Reject", { status: 404, body: "no" }],
    ["a Response with status 0", Response.error()],
    ["a function", () => new Response("page")],
  ])("%s: `error` hears, the client gets 500", async (_what, given) => {
    const errors = new Mailbox<unknown>();
    const request = (() => wrap(given)) as ServeOptions["request"];
    const { url } = await start({ request, error: (error) => errors.put(error) });
    expect((await fetch(url.replace("ws:", "http:"))).status).toBe(500);
    expect(await errors.take()).toBeInstanceOf(TypeError);
  });
});

/** What a peer does to have a handler called. A new handler without a row fails here. */
const OCCASIONS: Readonly<Record<string, (near: Socket, far: Socket) => void>> = {
  open: () => {},
  message: (near) => void near.send("x"),
  piece: (near) => void near.send("x"),
  drain: (near, far) => {
    near.pause();
    while (far.send(new Uint8Array(2 ** 20)) === "sent");
    near.resume();
  },
  ping: (near) => near.ping(),
  pong: (_, far) => far.ping(),
  closing: (near) => near.close(),
  close: (near) => near.close(),
};

describe.each(Object.keys(HANDLERS).filter((name) => name !== "error"))(
  "the handler %s",
  (name) => {
    it.each(FAILURES)("%s: `error` hears it with the socket, which closes", async (_, fail) => {
      const errors = new Mailbox<unknown[]>();
      const { near, far } = await openPair({
        [name]: fail,
        backpressure: { maxBufferedAmount: Infinity },
        error: (...given) => errors.put(given),
      }, { message: () => {} });
      OCCASIONS[name]!(near, far);
      expect(await errors.take()).toEqual([failure, far]);
      const { code } = await near.closed;
      expect(code).toBe(["closing", "close"].includes(name) ? 1000 : 1011);
      expect(errors.all).toHaveLength(1);
    });
  },
);

describe.each(FAILURES)("an `error` handler that %s", (_name, fail) => {
  it.each<[string, Handlers, string | undefined]>([
    ["a handler", { message: () => Promise.reject(new Error("first")) }, "x"],
    ["another handler", { open: () => Promise.reject(new Error("first")) }, undefined],
  ])("of %s: the console has it, the socket closes with 1011", async (_what, handlers, message) => {
    const log = vi.spyOn(console, "error").mockImplementation(() => {});
    try {
      const { near, url } = await openPair({ ...handlers, error: fail as ErrorHandler });
      if (message !== undefined) near.send(message);
      expect((await near.closed).code).toBe(1011);
      await until(() => log.mock.calls.some(([error]) => error === failure), "the console had it");
      await open(url);
    } finally {
      log.mockRestore();
    }
  });

  it("of a hook: the console has it, the client gets 500", async () => {
    const log = vi.spyOn(console, "error").mockImplementation(() => {});
    try {
      const error = fail as ErrorHandler;
      const { url } = await start({ upgrade: () => Promise.reject(new Error("first")), error });
      await expect(connect(url)).rejects.toMatchObject({ answer: { status: 500 } });
      await until(() => log.mock.calls.some(([given]) => given === failure), "the console had it");
    } finally {
      log.mockRestore();
    }
  });
});
