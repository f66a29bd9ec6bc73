// The events of WebSocket by the text of the standard (WHATWG WebSockets §4, "Feedback from the
// protocol"). The comments name the step of the standard, and the web-platform-test that asks for
// the same.

import { describe, expect, it } from "vitest";
import { sleep } from "../contract/waiting.ts";
import { FLOOD, next, open, url, useServer } from "./support.ts";

useServer();

describe("WebSocket opening", () => {
  it("tells protocol and extensions with the open event", async () => {
    const socket = open(url(), ["a", "b"], { deflate: true });
    const event = await next(socket, "open");
    expect(event.constructor).toBe(Event);
    expect(socket).toMatchObject({ readyState: 1, protocol: "b" });
    expect(socket.extensions).toMatch(/^permessage-deflate/);
  });

  // "Establish a WebSocket connection", the step after RFC 6455 §4.1, which would not mind.
  it("fails when the server chooses none of the subprotocols", async () => {
    const socket = open(url("/no-protocol"), ["a"]);
    const events: string[] = [];
    for (const type of ["open", "error", "close"] as const) {
      socket.addEventListener(type, () => events.push(type));
    }
    const close = await next(socket, "close");
    await sleep(50);
    expect(close).toMatchObject({ code: 1006, wasClean: false });
    expect(events).toEqual(["error", "close"]);
    expect(socket.protocol).toBe("");
  });

  it.each([["/refuse", "a refusal"]])(
    "fires error, then close with 1006, for %s: %s",
    async (path) => {
      const socket = open(url(path));
      const events: string[] = [];
      socket.onopen = () => events.push("open");
      socket.onerror = () => events.push(`error in state ${socket.readyState}`);
      const close = await next(socket, "close");
      expect(events).toEqual(["error in state 3"]);
      expect(close).toMatchObject({ code: 1006, reason: "", wasClean: false });
    },
  );

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

describe("WebSocket messages", () => {
  it("are events of their kind, from the origin of the URL", async () => {
    const socket = open(url("/greet"));
    const event = await next(socket, "message");
    expect(event).toBeInstanceOf(MessageEvent);
    expect(event).toMatchObject({
      data: "one",
      origin: new URL(url()).origin,
      lastEventId: "",
      source: null,
      bubbles: false,
      cancelable: false,
    });
    expect(event.ports).toEqual([]);
  });

  // Close-server-initiated-close, and "when the WebSocket closing handshake is started, queue a
  // task".
  it("come while the socket is open, though a Close frame came behind them in the same chunk", async () => {
    const socket = open(url("/greet-close"));
    const seen: string[] = [];
    socket.onmessage = ({ data }) => seen.push(`${data} in state ${socket.readyState}`);
    socket.onerror = () => seen.push("error");
    const close = await next(socket, "close");
    expect(seen).toEqual(["one in state 1", "two in state 1", "three in state 1"]);
    expect(close).toMatchObject({
      code: 3000,
      reason: "enough",
      wasClean: true,
      bubbles: false,
      cancelable: false,
    });
    expect(socket.readyState).toBe(3);
  });

  it("all come in order, however many there are", async () => {
    const socket = open(url("/flood"));
    let count = 0;
    let ordered = true;
    await new Promise<void>((resolve) => {
      socket.onmessage = ({ data }) => {
        ordered &&= data === String(count++);
        if (count === FLOOD) resolve();
      };
    });
    expect(ordered).toBe(true);
  });

  it("stop at a listener that stops them", async () => {
    const socket = open(url("/greet"));
    const seen: string[] = [];
    socket.addEventListener(
      "message",
      (event) => event.data === "one" && event.stopImmediatePropagation(),
    );
    socket.addEventListener("message", ({ data }) => seen.push(data));
    await new Promise((resolve) =>
      socket.addEventListener("message", ({ data }) => data === "three" && resolve(0))
    );
    expect(seen).toEqual(["two", "three"]);
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

  // HTML §8.1.8.1: null deactivates a handler, which takes its listener away.
  it("lose their place when they are set to null", async () => {
    const socket = open(url());
    const order: string[] = [];
    socket.onopen = () => order.push("first");
    socket.addEventListener("open", () => order.push("listener"));
    socket.onopen = null;
    socket.onopen = () => order.push("second");
    await next(socket, "open");
    expect(order).toEqual(["listener", "second"]);
  });

  it("that are objects without a call are kept and not called, handleEvent or not", async () => {
    const socket = open(url());
    let called = false;
    const handler = { handleEvent: () => called = true };
    (socket as { onopen: unknown; }).onopen = handler;
    await next(socket, "open");
    expect(socket.onopen).toBe(handler);
    expect(called).toBe(false);
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
