// The members of WebSocket as Web IDL has them: constants, attributes and methods, and binaryType.
// The comments name the step of the standard, and the web-platform-test that asks for the same.

import { WebSocket } from "sansws";
import { describe, expect, it } from "vitest";
import { next, open, url, useServer } from "./support.ts";

useServer();

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

  it.each([["send", 1], ["close", 0]] as const)(
    "has the method %s with %i argument that is not optional",
    (name, length) => {
      expect(WebSocket.prototype[name]).toHaveLength(length);
    },
  );

  it("throws a TypeError for members of another object", () => {
    const { get } = Object.getOwnPropertyDescriptor(WebSocket.prototype, "url")!;
    expect(() => get!.call({})).toThrow(TypeError);
    expect(() => WebSocket.prototype.close.call({} as WebSocket)).toThrow(TypeError);
  });

  it("ignores writing an attribute that is read-only, in sloppy mode, and throws in strict mode", () => {
    const socket = open(url()) as { readyState: number; };
    expect(() => socket.readyState = 3).toThrow(TypeError);
    expect(socket.readyState).toBe(0);
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
