// The WebSocket class by the text of the standard (WHATWG WebSockets §3): constructor, attributes, methods and events.

import { UsageError, WebSocket } from "sansws";
import { describe, expect, it } from "vitest";
import { nameOf, next, open, url, useServer } from "./support.ts";

useServer();

describe("WebSocket constructor", () => {
  it.each([
    ["not a url", "no URL"],
    ["", "an empty one"],
    ["/path", "a relative one"],
    ["ftp://127.0.0.1/", "another scheme"],
    ["mailto:a@example.com", "a scheme without a host"],
    ["ws://127.0.0.1/#fragment", "a fragment"],
    ["ws://127.0.0.1/#", "an empty fragment"],
    ["ws://127.0.0.1:99999/", "a port out of range"],
  ])("throws a SyntaxError for %j: %s", (input) => {
    expect(nameOf(() => new WebSocket(input))).toBe("SyntaxError");
  });

  it.each([
    [""],
    ["a b"],
    ["a,b"],
    ["ä"],
    ["a\r\nb"],
    [["one", "one"]],
    [["one", ""]],
    [["one", "tw\u0000o"]],
  ])("throws a SyntaxError for the subprotocols %j", (protocols) => {
    expect(nameOf(() => new WebSocket(url(), protocols))).toBe("SyntaxError");
  });

  it.each([["http", "ws"], ["ws", "ws"], ["HTTP", "ws"]])("takes %s: for %s:", (given, scheme) => {
    expect(open(url("/x?y=1", given)).url).toBe(url("/x?y=1", scheme));
  });

  it("takes a URL object, and normalizes", () => {
    expect(open(new URL(url("/a/../b"))).url).toBe(url("/b"));
  });

  it("needs new and a URL", () => {
    expect(() => (WebSocket as unknown as () => void)()).toThrow(TypeError);
    expect(nameOf(() => new (WebSocket as unknown as new() => WebSocket)())).toBe("SyntaxError");
  });

  it("begins as CONNECTING, with empty protocol and extensions, nothing buffered, and blobs", () => {
    const socket = open(url(), ["a"]);
    expect(socket).toMatchObject({
      readyState: 0,
      protocol: "",
      extensions: "",
      bufferedAmount: 0,
      binaryType: "blob",
    });
  });

  it("reports a wrong option as an error, and closes", async () => {
    const socket = open(url(), [], { limits: { maxMessage: 1 } } as object);
    const [error, close] = await Promise.all([next(socket, "error"), next(socket, "close")]);
    expect((error as unknown as { error: unknown; }).error).toBeInstanceOf(UsageError);
    expect(close.code).toBe(1006);
  });
});

describe("WebSocket interface", () => {
  it.each([["CONNECTING", 0], ["OPEN", 1], ["CLOSING", 2], ["CLOSED", 3]] as const)(
    "has the constant %s",
    (name, value) => {
      for (const target of [WebSocket, WebSocket.prototype]) {
        expect(Object.getOwnPropertyDescriptor(target, name)).toEqual({
          value,
          enumerable: true,
          writable: false,
          configurable: false,
        });
      }
    },
  );

  it("is an EventTarget by the name of WebSocket, whose constructor needs one argument", () => {
    expect(Object.getPrototypeOf(WebSocket)).toBe(EventTarget);
    expect(Object.prototype.toString.call(WebSocket.prototype)).toBe("[object WebSocket]");
    expect([WebSocket.name, WebSocket.length]).toEqual(["WebSocket", 1]);
  });

  it.each([
    "url",
    "readyState",
    "bufferedAmount",
    "onopen",
    "onerror",
    "onclose",
    "extensions",
    "protocol",
    "onmessage",
    "binaryType",
    "send",
    "close",
  ])("has %s as an enumerable property of its prototype", (name) => {
    expect(Object.getOwnPropertyDescriptor(WebSocket.prototype, name)).toMatchObject({
      enumerable: true,
      configurable: true,
    });
  });

  it("ignores writing an attribute that is read-only, in sloppy mode, and throws in strict mode", () => {
    const socket = open(url()) as { readyState: number; };
    expect(() => socket.readyState = 3).toThrow(TypeError);
    expect(socket.readyState).toBe(0);
  });
});

describe("WebSocket handlers", () => {
  it.each(["onopen", "onmessage", "onerror", "onclose"] as const)(
    "%s takes functions and null, and makes null of the rest",
    (name) => {
      const socket = open(url());
      expect(socket[name]).toBeNull();
      const handler = (): void => {};
      socket[name] = handler;
      expect(socket[name]).toBe(handler);
      (socket as unknown as Record<string, unknown>)[name] = 3;
      expect(socket[name]).toBeNull();
    },
  );

  it("keep their place among the listeners when they are replaced", async () => {
    const socket = open(url());
    const order: string[] = [];
    socket.onopen = () => order.push("first");
    socket.addEventListener("open", () => order.push("listener"));
    socket.onopen = () => order.push("second");
    await next(socket, "open");
    expect(order).toEqual(["second", "listener"]);
  });

  it("are called with the socket as this", async () => {
    const socket = open(url());
    const seen = new Promise((resolve) => {
      socket.onopen = function() {
        resolve(this);
      };
    });
    expect(await seen).toBe(socket);
  });
});

describe("WebSocket opening", () => {
  it("tells protocol and extensions with the open event", async () => {
    const socket = open(url(), ["a", "b"], { deflate: true });
    const event = await next(socket, "open");
    expect(event.constructor).toBe(Event);
    expect(socket).toMatchObject({ readyState: 1, protocol: "b" });
    expect(socket.extensions).toMatch(/^permessage-deflate/);
  });

  it("fails when the server chooses none of the subprotocols", async () => {
    const socket = open(url("/no-protocol"), ["a"]);
    const close = await next(socket, "close");
    expect(close).toMatchObject({ code: 1006, wasClean: false });
  });

  it.each([["/refuse", "a refusal"]])("fires error, then close with 1006, for %s: %s", async (path) => {
    const socket = open(url(path));
    const events: string[] = [];
    socket.onopen = () => events.push("open");
    socket.onerror = () => events.push(`error in state ${socket.readyState}`);
    const close = await next(socket, "close");
    expect(events).toEqual(["error in state 3"]);
    expect(close).toMatchObject({ code: 1006, reason: "", wasClean: false });
  });

  it("fires error and close for a server that is not there", async () => {
    const socket = open("ws://127.0.0.1:1/");
    const [, close] = await Promise.all([next(socket, "error"), next(socket, "close")]);
    expect(close.code).toBe(1006);
  });

  it("loses no message that comes with the handshake, and fires one event a task", async () => {
    const socket = open(url("/greet"));
    const seen: string[] = [];
    socket.onmessage = ({ data }) => {
      seen.push(data);
      queueMicrotask(() => seen.push(`after ${data}`));
    };
    await new Promise((resolve) =>
      socket.addEventListener("message", ({ data }) => data === "three" && setTimeout(resolve))
    );
    expect(seen).toEqual(["one", "after one", "two", "after two", "three", "after three"]);
  });
});

describe("WebSocket send", () => {
  it("throws an InvalidStateError while connecting", () => {
    expect(nameOf(() => open(url()).send("x"))).toBe("InvalidStateError");
  });

  it.each([
    ["text", "héllo \u{1f600}", "héllo \u{1f600}"],
    ["an empty text", "", ""],
    ["a lone surrogate", "a\ud800b", "a\ufffdb"],
    ["a number", 42, "42"],
    ["null", null, "null"],
  ])("sends %s", async (_, data, expected) => {
    const socket = open(url());
    await next(socket, "open");
    socket.send(data as string);
    expect((await next(socket, "message")).data).toBe(expected);
  });

  it.each([
    ["an ArrayBuffer", () => Uint8Array.of(1, 2, 3).buffer],
    ["a view", () => new Uint8Array([0, 1, 2, 3, 4]).subarray(1, 4)],
    ["a DataView", () => new DataView(Uint8Array.of(9, 1, 2, 3).buffer, 1)],
    ["a Blob", () => new Blob([Uint8Array.of(1, 2, 3)])],
  ])("sends %s", async (_, data) => {
    const socket = open(url());
    socket.binaryType = "arraybuffer";
    await next(socket, "open");
    socket.send(data());
    const event = await next(socket, "message");
    expect(event.data).toBeInstanceOf(ArrayBuffer);
    expect([...new Uint8Array(event.data)]).toEqual([1, 2, 3]);
  });

  it("copies a buffer, which may change right after", async () => {
    const socket = open(url());
    socket.binaryType = "arraybuffer";
    await next(socket, "open");
    const bytes = new Uint8Array(100_000).fill(7);
    socket.send(bytes);
    bytes.fill(8);
    const { data } = await next(socket, "message");
    expect(new Uint8Array(data).every((byte) => byte === 7)).toBe(true);
  });

  it("keeps the order of blobs and other messages, and closes behind them", async () => {
    const socket = open(url());
    await next(socket, "open");
    const seen: unknown[] = [];
    socket.onmessage = ({ data }) => seen.push(typeof data === "string" ? data : data.size);
    socket.send(new Blob(["x".repeat(50_000)]));
    socket.send("behind");
    socket.send(new Blob([]));
    await new Promise((resolve) => socket.addEventListener("message", () => seen.length === 3 && resolve(undefined)));
    expect(seen).toEqual([50_000, "behind", 0]);
  });

  it("counts bytes into bufferedAmount until the event loop has gone on", async () => {
    const socket = open(url());
    await next(socket, "open");
    socket.send("héllo");
    socket.send(new Uint8Array(10));
    socket.send(new Blob(["abc"]));
    expect(socket.bufferedAmount).toBe(6 + 10 + 3);
    for (let i = 0; i < 3; i++) await next(socket, "message");
    expect(socket.bufferedAmount).toBe(0);
  });

  it("only counts after close", async () => {
    const socket = open(url());
    await next(socket, "open");
    socket.close();
    socket.send("12345");
    expect(socket.bufferedAmount).toBe(5);
    await next(socket, "close");
    socket.send(new Uint8Array(7));
    expect(socket.bufferedAmount).toBe(12);
  });
});

describe("WebSocket binaryType", () => {
  it("gives a Blob by default, and what it was set to when the event is fired", async () => {
    const socket = open(url());
    await next(socket, "open");
    socket.send(Uint8Array.of(5));
    const event = await next(socket, "message");
    expect(event.data).toBeInstanceOf(Blob);
    expect(event.data.size).toBe(1);
    expect(event.origin).toBe(new URL(url()).origin);
  });

  it("ignores what is no such type", () => {
    const socket = open(url());
    (socket as { binaryType: string; }).binaryType = "nodebuffer";
    expect(socket.binaryType).toBe("blob");
    socket.binaryType = "arraybuffer";
    expect(socket.binaryType).toBe("arraybuffer");
  });
});

describe("WebSocket close", () => {
  it.each([[0], [999], [1001], [1005], [1006], [1015], [2999], [5000], [65_536], [NaN], [-1]])(
    "throws an InvalidAccessError for code %d",
    (code) => {
      expect(nameOf(() => open(url()).close(code))).toBe("InvalidAccessError");
    },
  );

  it("reads its code as a clamped unsigned short, ties to even", async () => {
    const socket = open(url());
    await next(socket, "open");
    socket.close(3000.5);
    expect((await next(socket, "close")).code).toBe(3000);
  });

  it("throws a SyntaxError for a reason over 123 bytes, and takes one of 123", async () => {
    const socket = open(url());
    await next(socket, "open");
    expect(nameOf(() => socket.close(1000, "é".repeat(62)))).toBe("SyntaxError");
    expect(socket.readyState).toBe(1);
    socket.close(1000, "x".repeat(123));
    expect((await next(socket, "close")).reason).toBe("x".repeat(123));
  });

  it("sends U+FFFD for a lone surrogate in the reason", async () => {
    const socket = open(url());
    await next(socket, "open");
    socket.close(3000, "a\ud800");
    expect(await next(socket, "close")).toMatchObject({ code: 3000, reason: "a\ufffd", wasClean: true });
  });

  it.each([[[], 1005], [[1000], 1000], [[4999], 4999], [[undefined, "why"], 1000]] as const)(
    "with %j ends with code %i",
    async (args, code) => {
      const socket = open(url());
      await next(socket, "open");
      socket.close(...(args as readonly unknown[] as [number?, string?]));
      expect(socket.readyState).toBe(2);
      expect(await next(socket, "close")).toMatchObject({ code, wasClean: true });
      expect(socket.readyState).toBe(3);
    },
  );

  it("gives up connecting with error and close, and never opens", async () => {
    const socket = open(url());
    const events: string[] = [];
    for (const type of ["open", "error", "close"] as const) socket.addEventListener(type, () => events.push(type));
    socket.close();
    expect(socket.readyState).toBe(2);
    await next(socket, "close");
    expect(events).toEqual(["error", "close"]);
  });

  it("does nothing the second time", async () => {
    const socket = open(url());
    await next(socket, "open");
    socket.close(3000);
    socket.close(3001);
    expect((await next(socket, "close")).code).toBe(3000);
    socket.close(3002);
    expect(socket.readyState).toBe(3);
  });

  it.each([
    ["/close-4000", { code: 4000, reason: "because", wasClean: true }],
    ["/close-empty", { code: 1005, reason: "", wasClean: true }],
    ["/abort", { code: 1006, reason: "", wasClean: false }],
  ])("of the server on %s is reported", async (path, expected) => {
    expect(await next(open(url(path)), "close")).toMatchObject(expected);
  });

  it("fires no message afterwards", async () => {
    const socket = open(url());
    await next(socket, "open");
    let messages = 0;
    socket.onmessage = () => messages++;
    socket.send("x");
    socket.close();
    await next(socket, "close");
    expect(messages).toBe(0);
  });
});
