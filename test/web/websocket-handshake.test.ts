// What a WebSocket says to a server, byte by byte, and what it makes of one that breaks the rules:
// "establish a WebSocket connection" and "feedback from the protocol" of the standard. The comments
// name the web-platform-test that asks for the same.

import { Buffer } from "node:buffer";
import { ProtocolError } from "sansws";
import { describe, expect, it } from "vitest";
import { acceptance, closing, rawListen, type RawPeer } from "../contract/raw.ts";
import { Mailbox, sleep } from "../contract/suite.ts";
import { frame } from "../core/support.ts";
import { next, open } from "./support.ts";

/** A server that waits to be told what to do. */
async function listen(): Promise<{ url: string; peers: Mailbox<RawPeer>; }> {
  const peers = new Mailbox<RawPeer>();
  const url = await rawListen((peer) => peers.put(peer));
  return { url, peers };
}

/** A WebSocket and its server's end, after a handshake to which the server has added `rest`. */
async function opened(
  rest: Uint8Array | string = "",
): Promise<{ socket: ReturnType<typeof open>; peer: RawPeer; }> {
  const { url, peers } = await listen();
  const socket = open(url);
  const peer = await peers.take();
  peer.write(acceptance(await peer.takeHead()), rest);
  await next(socket, "open");
  return { socket, peer };
}

/** The events of a socket, each with the state it came in, up to the last. */
async function story(socket: ReturnType<typeof open>): Promise<string[]> {
  const events: string[] = [];
  for (const type of ["open", "message", "error", "close"]) {
    socket.addEventListener(type, (event) => events.push(`${event.type} ${socket.readyState}`));
  }
  await next(socket, "close");
  await sleep(50);
  return events;
}

describe("WebSocket's request", () => {
  // basic-auth, referrer, opening-handshake/001
  it("has the credentials of the URL, and none of what a page would add", async () => {
    const { url, peers } = await listen();
    const socket = open(url.replace("//", "//foo:b%C3%A4r@"));
    const head = await (await peers.take()).takeHead();
    expect(head).toMatch(/^GET \/ HTTP\/1\.1\r\n/);
    expect(head).toContain(`\r\nAuthorization: Basic ${Buffer.from("foo:bär").toString("base64")}`);
    expect(head).not.toMatch(
      /^(?:referer|origin|cookie|user-agent|sec-websocket-protocol|sec-websocket-extensions):/im,
    );
    expect(socket.url).toContain("foo:b%C3%A4r@");
  });

  it("has what the third argument says, beside what the class does", async () => {
    const { url, peers } = await listen();
    open(url, ["a", "b"], {
      headers: { Origin: "https://example.com", Cookie: "a=b" },
      deflate: true,
    });
    const head = await (await peers.take()).takeHead();
    expect(head).toContain("\r\nOrigin: https://example.com");
    expect(head).toContain("\r\nCookie: a=b");
    expect(head).toContain("\r\nSec-WebSocket-Protocol: a, b");
    expect(head).toContain("\r\nSec-WebSocket-Extensions: permessage-deflate");
  });
});

describe("WebSocket fails the connection", () => {
  // opening-handshake/002, /003; "if the server chose a subprotocol that was not offered" is RFC
  // 6455 §4.1.
  it.each<[string, (head: string) => string]>([
    ["a wrong accept key", (head) => acceptance(head).replace(/Accept: ..../, "Accept: AAAA")],
    [
      "a subprotocol that was not offered",
      (head) => acceptance(head).replace("\r\n\r\n", "\r\nSec-WebSocket-Protocol: x\r\n\r\n"),
    ],
    [
      "an extension that was not offered",
      (head) => acceptance(head).replace("\r\n\r\n", "\r\nSec-WebSocket-Extensions: x\r\n\r\n"),
    ],
    ["another status", () => "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"],
    ["what is no HTTP", () => "hello\r\n\r\n"],
  ])("for %s", async (_, answer) => {
    const { url, peers } = await listen();
    const socket = open(url);
    const events = story(socket);
    const peer = await peers.take();
    peer.end(answer(await peer.takeHead()));
    expect(await events).toEqual(["error 3", "close 3"]);
  });

  // interfaces/WebSocket/events/018: a frame with the reserved opcode 3 behind a message.
  it("for a frame that is none, after the message before it", async () => {
    const { url, peers } = await listen();
    const socket = open(url);
    const events = story(socket);
    const closed = next(socket, "close");
    const error = next(socket, "error");
    const peer = await peers.take();
    peer.write(
      acceptance(await peer.takeHead()),
      frame("server", 0x81, "test"),
      frame("server", 0x83, "LOL"),
    );
    expect(closing((await peer.takeFrames(1))[0]!)).toMatch(/^1002 /);
    peer.end();
    expect(await closed).toMatchObject({ code: 1006, reason: "", wasClean: false });
    expect(await events).toEqual(["open 1", "message 1", "error 3", "close 3"]);
    expect((await error as unknown as { error: unknown; }).error).toBeInstanceOf(ProtocolError);
  });

  // Close-delayed, stream/tentative/close: nobody is told before the handshake is over.
  it("not before the server has answered, however long it takes", async () => {
    const { socket, peer } = await opened();
    socket.close(3000, "bye");
    expect(closing((await peer.takeFrames(1))[0]!)).toBe("3000 \"bye\"");
    let closed = false;
    socket.onclose = (): void => void (closed = true);
    await sleep(100);
    expect([closed, socket.readyState]).toEqual([false, 2]);
    const close = next(socket, "close");
    peer.end(frame("server", 0x88, Uint8Array.of(3000 >> 8, 3000 & 0xff)));
    expect(await close).toMatchObject({ code: 3000, reason: "", wasClean: true });
  });

  // "handshake_sleep_2": close while the server thinks.
  it("when it is closed before the server has answered, which then hears the end", async () => {
    const { url, peers } = await listen();
    const socket = open(url);
    const peer = await peers.take();
    await peer.takeHead();
    socket.close();
    expect(await next(socket, "close")).toMatchObject({ code: 1006, wasClean: false });
    await peer.takeAll();
  });
});

describe("WebSocket's frames", () => {
  // extended-payload-length
  it.each([0, 1, 125, 126, 127, 0xffff, 0x10000, 0x10001])(
    "are received with %i bytes",
    async (size) => {
      const { socket, peer } = await opened();
      socket.binaryType = "arraybuffer";
      const text = next(socket, "message");
      peer.write(frame("server", 0x81, "x".repeat(size)));
      expect((await text).data === "x".repeat(size)).toBe(true);
      const binary = next(socket, "message");
      peer.write(frame("server", 0x82, new Uint8Array(size)));
      expect((await binary).data.byteLength).toBe(size);
    },
  );

  it.each([0, 1, 125, 126, 127, 0xffff, 0x10000, 0x10001])(
    "are sent with %i bytes, in one frame",
    async (size) => {
      const { socket, peer } = await opened();
      socket.send("x".repeat(size));
      const [sent] = await peer.takeFrames(1);
      expect([sent!.first, sent!.payload.length]).toEqual([0x81, size]);
    },
  );
});
