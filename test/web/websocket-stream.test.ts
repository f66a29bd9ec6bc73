// WebSocketStream by the text of its proposal (WHATWG WebSockets, "The WebSocketStream interface"):
// connecting, closing and errors.

import { UsageError, WebSocketError, WebSocketStream } from "sansws";
import { describe, expect, it, onTestFinished } from "vitest";
import { nameOf, url, useServer } from "./support.ts";

useServer();

type Options = ConstructorParameters<typeof WebSocketStream>[1];

/** A stream that is closed after the test. */
function stream(path = "/", options: Options = {}): WebSocketStream {
  const made = new WebSocketStream(url(path), options);
  onTestFinished(() => made.close());
  return made;
}

/** What the promise is rejected with. */
function rejection(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(() => "fulfilled", (error: unknown) => error);
}

/** What both promises are rejected with. */
async function failureOf({ opened, closed }: WebSocketStream): Promise<unknown> {
  const [first, second] = await Promise.all([rejection(opened), rejection(closed)]);
  expect(second).toBe(first);
  return first;
}

describe("WebSocketStream constructor", () => {
  it.each([["not a url"], ["ftp://127.0.0.1/"], ["ws://127.0.0.1/#"]])(
    "throws a SyntaxError for %j",
    (given) => {
      expect(nameOf(() => new WebSocketStream(given))).toBe("SyntaxError");
    },
  );

  it.each([[["a", "a"]], [["a", "A"]], [["a b"]], [[""]]])(
    "throws a SyntaxError for the subprotocols %j",
    (protocols) => {
      expect(nameOf(() => new WebSocketStream(url(), { protocols }))).toBe("SyntaxError");
    },
  );

  // Web IDL: a dictionary, a sequence and an interface are no other types. It comes before what the
  // standard's steps throw.
  it.each<[unknown]>([
    [true],
    [3],
    ["text"],
    [{ protocols: "hi" }],
    [{ protocols: null }],
    [{ signal: null }],
    [{ signal: { aborted: false } }],
  ])("throws a TypeError for the options %j", (options) => {
    expect(() => new WebSocketStream("not a url", options as Options)).toThrow(TypeError);
  });

  it("takes null for no options, and any object", async () => {
    for (const options of [null, undefined, () => {}]) {
      const made = new WebSocketStream(url(), options as unknown as Options);
      await made.opened;
      made.close();
    }
  });

  it("fails for a port that Fetch blocks, and throws for a wrong option", async () => {
    const blocked = new WebSocketStream("ws://127.0.0.1:25/");
    expect(await failureOf(blocked)).toMatchObject({
      name: "WebSocketError",
      message: expect.stringContaining("port 25 blocked"),
    });
    expect(() => stream("/", { limits: { maxMessage: 1 } } as object)).toThrow(UsageError);
  });

  it("needs a URL", () => {
    expect(() => new (WebSocketStream as unknown as new() => unknown)()).toThrow(TypeError);
  });

  it("serializes the URL, whose scheme becomes one of WebSocket's", () => {
    expect(stream("/a/../b").url).toBe(url("/b"));
    const secure = new WebSocketStream("https://127.0.0.1:443/", { signal: AbortSignal.abort() });
    expect(secure.url).toBe("wss://127.0.0.1/");
  });

  it("makes an object whose members are those of its prototype", () => {
    expect(Object.prototype.toString.call(stream())).toBe("[object WebSocketStream]");
    expect(Object.keys(stream())).toEqual([]);
    const members: string[] = [];
    for (const name in stream()) members.push(name);
    expect(members.sort()).toEqual(["close", "closed", "opened", "url"]);
  });
});

describe("WebSocketStream opened", () => {
  it("gives the streams and what was agreed on", async () => {
    const { readable, writable, protocol, extensions } = await stream("/", {
      protocols: ["a", "b"],
      deflate: true,
    }).opened;
    expect(readable).toBeInstanceOf(ReadableStream);
    expect(writable).toBeInstanceOf(WritableStream);
    expect(protocol).toBe("b");
    expect(extensions).toMatch(/^permessage-deflate/);
  });

  it("is the same promise each time, and so is closed", () => {
    const made = stream();
    expect(made.opened).toBe(made.opened);
    expect(made.closed).toBe(made.closed);
  });

  it.each([["/refuse", {}, /403/], ["/no-protocol", { protocols: ["a"] }, /subprotocol/]])(
    "is rejected with a WebSocketError, as closed is, for %s",
    async (path, options, message) => {
      const error = await failureOf(stream(path, options));
      expect(error).toBeInstanceOf(WebSocketError);
      expect(error).toMatchObject({
        closeCode: null,
        reason: "",
        message: expect.stringMatching(message),
      });
    },
  );
});

describe("WebSocketStream signal", () => {
  it("that is aborted already makes no connection, and both promises are rejected with its reason", async () => {
    const reason = new Error("too late");
    let dialled = false;
    const made = stream("/", {
      signal: AbortSignal.abort(reason),
      stream: () => {
        dialled = true;
        return new Promise<never>(() => {});
      },
    });
    expect(await failureOf(made)).toBe(reason);
    expect(dialled).toBe(false);
  });

  it("gives up connecting with its reason", async () => {
    const controller = new AbortController();
    const made = stream("/", {
      signal: controller.signal,
      stream: ({ signal }) =>
        new Promise((_, reject) => {
          signal.addEventListener("abort", () => reject(signal.reason));
          controller.abort("changed my mind");
        }),
    });
    expect(await failureOf(made)).toBe("changed my mind");
  });

  it("has no effect on a connection that is open", async () => {
    const controller = new AbortController();
    const { readable, writable } = await stream("/", { signal: controller.signal }).opened;
    controller.abort();
    await writable.getWriter().write("still here");
    expect(await readable.getReader().read()).toEqual({ done: false, value: "still here" });
  });
});

describe("WebSocketStream close", () => {
  it.each([
    [undefined, 1005, ""],
    [{}, 1005, ""],
    [{ reason: "" }, 1005, ""],
    [{ reason: "why" }, 1000, "why"],
    [{ closeCode: 1000 }, 1000, ""],
    [{ closeCode: 3456, reason: "pizza" }, 3456, "pizza"],
    [{ closeCode: 4999.9, reason: "a\ud800" }, 4999, "a\ufffd"],
  ])("with %j ends with %i %j", async (info, closeCode, reason) => {
    const made = stream();
    await made.opened;
    made.close(info);
    expect(await made.closed).toEqual({ closeCode, reason });
  });

  it.each([[999], [1001], [1005], [1006], [2999], [5000]])(
    "throws an InvalidAccessError for %d",
    async (closeCode) => {
      const made = stream();
      expect(nameOf(() => made.close({ closeCode }))).toBe("InvalidAccessError");
      await made.opened;
      expect(nameOf(() => made.close({ closeCode }))).toBe("InvalidAccessError");
    },
  );

  it("throws a SyntaxError for a reason over 123 bytes", () => {
    expect(nameOf(() => stream().close({ reason: "é".repeat(62) }))).toBe("SyntaxError");
  });

  // Web IDL: a dictionary, and [EnforceRange] unsigned short.
  it.each<[unknown]>([
    [true],
    ["1000"],
    [{ closeCode: -1 }],
    [{ closeCode: 65_536 }],
    [{ closeCode: NaN }],
    [{ closeCode: Infinity }],
    [{ closeCode: "x" }],
    [{ reason: Symbol("a") }],
  ])("throws a TypeError for %o", (info) => {
    expect(() => stream().close(info as object)).toThrow(TypeError);
  });

  it("gives up connecting with a WebSocketError", async () => {
    const made = stream();
    made.close({ closeCode: 4000, reason: "no" });
    expect(await failureOf(made)).toBeInstanceOf(WebSocketError);
  });

  it("opens or gives up, whenever it is called", async () => {
    const outcomes = await Promise.all(Array.from({ length: 40 }, async (_, turns) => {
      const made = stream();
      for (let turn = 0; turn < turns; turn++) {
        await new Promise((resolve) => setImmediate(resolve));
      }
      if (turns === 39) await made.opened;
      made.close();
      const [opened, closed] = await Promise.allSettled([made.opened, made.closed]);
      return `${opened.status} ${closed.status}`;
    }));
    expect(new Set(outcomes)).toEqual(new Set(["rejected rejected", "fulfilled fulfilled"]));
  });

  it("ends readable once what came before has been read, and errors writable", async () => {
    const made = stream("/greet");
    const { readable, writable } = await made.opened;
    const reader = readable.getReader();
    expect((await reader.read()).value).toBe("one");
    expect((await reader.read()).value).toBe("two");
    expect((await reader.read()).value).toBe("three");
    made.close();
    await made.closed;
    await reader.closed;
    expect(await reader.read()).toEqual({ done: true, value: undefined });
    const writer = writable.getWriter();
    expect(await rejection(writer.write("x"))).toMatchObject({ name: "InvalidStateError" });
    expect(await rejection(writer.closed)).toMatchObject({ name: "InvalidStateError" });
  });
});

describe("WebSocketStream closed", () => {
  it.each([["/close-4000", 4000, "because"], ["/close-empty", 1005, ""]])(
    "tells what the server closed with on %s",
    async (path, closeCode, reason) => {
      const made = stream(path);
      const { readable } = await made.opened;
      expect(await made.closed).toEqual({ closeCode, reason });
      expect(await readable.getReader().read()).toEqual({ done: true, value: undefined });
    },
  );

  it("is rejected when there was no Close frame, and so are readable and writable", async () => {
    const made = stream("/abort");
    const { readable, writable } = await made.opened;
    const error = await rejection(made.closed);
    expect(error).toBeInstanceOf(WebSocketError);
    expect(error).toMatchObject({ closeCode: 1006, reason: "" });
    expect(await rejection(readable.getReader().read())).toBe(error);
    expect(await rejection(writable.getWriter().closed)).toBe(error);
  });
});

describe("WebSocketError", () => {
  it("is a DOMException with a close code and a reason", () => {
    const error = new WebSocketError("message", { closeCode: 3000, reason: "why" });
    expect(error).toBeInstanceOf(DOMException);
    expect(error).toBeInstanceOf(Error);
    expect(error).toMatchObject({
      name: "WebSocketError",
      message: "message",
      code: 0,
      closeCode: 3000,
      reason: "why",
    });
  });

  it("has a reason without lone surrogates", () => {
    expect(new WebSocketError("", { reason: "\ufeffa\ud800b" }).reason).toBe("\ufeffa\ufffdb");
  });

  it("has read-only attributes", () => {
    const error = new WebSocketError() as { closeCode: number | null; };
    expect(() => error.closeCode = 1006).toThrow(TypeError);
  });

  it("has neither by default, and 1000 for a reason alone", () => {
    expect(new WebSocketError()).toMatchObject({ message: "", closeCode: null, reason: "" });
    expect(new WebSocketError("", { reason: "why" })).toMatchObject({
      closeCode: 1000,
      reason: "why",
    });
  });

  it.each([[{ closeCode: 1001 }, "InvalidAccessError"], [
    { reason: "x".repeat(124) },
    "SyntaxError",
  ]])(
    "throws for %j a %s",
    (info, name) => {
      expect(nameOf(() => new WebSocketError("", info))).toBe(name);
    },
  );
});
