// Attributes of WebSocket that a script may try to write. What the interface looks like is in
// interfaces.test.ts.

import { describe, expect, it } from "vitest";
import { next, open, url, useServer } from "./support.ts";

useServer();

describe("WebSocket attributes", () => {
  it("that are read-only throw when they are written, in strict mode", () => {
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

  // binaryType-wrong-value
  it("ignores what is no such type", () => {
    const socket = open(url());
    (socket as { binaryType: string; }).binaryType = "nodebuffer";
    expect(socket.binaryType).toBe("blob");
    socket.binaryType = "arraybuffer";
    expect(socket.binaryType).toBe("arraybuffer");
  });
});
