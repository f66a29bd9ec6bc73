// How connect fails, and what it leaves behind: nothing.

import { connect, type ConnectOptions, type HandshakeError } from "sansws";
import { describe, expect, it } from "vitest";
import { frame } from "../core/support.ts";
import { acceptance, rawListen, type RawPeer } from "./raw.ts";
import { ending, Mailbox, open, sleep, start, startEcho, until } from "./suite.ts";

/** How connecting to a server that answers so fails. */
async function failure(
  answer: string | ((peer: RawPeer) => void),
  options?: ConnectOptions,
): Promise<HandshakeError> {
  const url = await rawListen(async (peer) => {
    await peer.takeHead();
    if (typeof answer === "string") peer.end(answer);
    else answer(peer);
  });
  const error: unknown = await connect(url, options).catch((error: unknown) => error);
  expect(error).toMatchObject({ name: "HandshakeError" });
  return error as HandshakeError;
}

describe("connect sends", () => {
  it("a request that follows RFC 6455 §4.1, with the application's fields", async () => {
    const heads = new Mailbox<string>();
    const url = await rawListen(async (peer) => {
      heads.put(await peer.takeHead());
      peer.end("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n");
    });
    const options = {
      protocols: ["a", "b"],
      headers: { Authorization: "Bearer x", Origin: "https://example.com" },
    };
    await expect(connect(`${url}path?query=1`, options)).rejects.toThrow();
    const lines = (await heads.take()).split("\r\n");
    expect(lines[0]).toBe("GET /path?query=1 HTTP/1.1");
    expect(lines).toEqual(expect.arrayContaining([
      `Host: ${new URL(url).host}`,
      "Upgrade: websocket",
      "Connection: Upgrade",
      "Sec-WebSocket-Version: 13",
      "Sec-WebSocket-Protocol: a, b",
      "Authorization: Bearer x",
      "Origin: https://example.com",
    ]));
    expect(lines.find((line) => line.startsWith("Sec-WebSocket-Key: "))).toMatch(
      /: [A-Za-z0-9+/]{22}==$/,
    );
  });

  it.each([
    [{ headers: { "X-Y": "a\r\nb" } }],
    [{ headers: { "X Y": "a" } }],
    [{ headers: { "Sec-WebSocket-Key": "x" } }],
    [{ protocols: ["a b"] }],
    [{ protocols: ["a", "a"] }],
  ])("nothing for %o, which is refused", async (options) => {
    const { url } = await start();
    await expect(connect(url, options as ConnectOptions)).rejects.toMatchObject({
      name: "UsageError",
    });
  });
});

describe("connect rejects", () => {
  it("a status other than 101, with the answer", async () => {
    const error = await failure(
      "HTTP/1.1 403 No Way\r\nX-Why: because\r\nContent-Length: 7\r\n\r\nsorry!\n",
    );
    expect(error.fault).toBe("status-not-101");
    expect(error.answer).toMatchObject({ status: 403, statusText: "No Way" });
    expect(error.answer?.headers).toContainEqual(["X-Why", "because"]);
    expect(new TextDecoder().decode(error.answer?.body)).toBe("sorry!\n");
  });

  it("such an answer although its body never ends", async () => {
    const answer = "HTTP/1.1 500 Oops\r\nContent-Length: 1000\r\n\r\nbegin";
    const error = await failure((peer) => peer.write(answer), { timeouts: { handshake: 200 } });
    expect(error).toMatchObject({ fault: "status-not-101", answer: { status: 500 } });
    expect(new TextDecoder().decode(error.answer?.body)).toBe("begin");
  });

  it.each([
    [
      "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n",
      "accept-missing",
    ],
    [acceptance("Sec-WebSocket-Key: other"), "accept-wrong"],
    ["SSH-2.0-OpenSSH_9.2\r\n\r\n", "status-line-malformed"],
    ["HTTP/1.1 101 Switch", "answer-incomplete"],
    ["", "answer-incomplete"],
  ])("the answer %j", async (answer, fault) => {
    expect((await failure(answer)).fault).toBe(fault);
  });

  it("an answer that does not come in time", async () => {
    expect((await failure(() => {}, { timeouts: { handshake: 200 } })).fault).toBe(
      "answer-overdue",
    );
  });

  it("a connection that is reset before the answer", async () => {
    const url = await rawListen((peer) => void peer.socket.destroy());
    await expect(connect(url)).rejects.toThrow();
  });

  it("and ends the connection", async () => {
    const peers = new Mailbox<RawPeer>();
    await failure((peer) => {
      peers.put(peer);
      peer.write("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n");
    });
    const peer = await peers.take();
    await until(() => peer.ended || peer.closed, "the connection was dropped");
  });
});

describe("connect takes", () => {
  it("an answer that comes byte by byte, behind informational ones", async () => {
    const url = await rawListen(async (peer) => {
      const head = await peer.takeHead();
      for (const byte of `HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n${acceptance(head)}`) {
        peer.write(byte);
        await sleep(0);
      }
      peer.write(frame("server", 0x81, "hello"));
    });
    const messages = new Mailbox<unknown>();
    await open(url, { message: (_, data) => messages.put(data) });
    expect(await messages.take()).toBe("hello");
  });
});

describe("connect with a signal", () => {
  const reason = new Error("changed my mind");

  it("that is aborted already rejects with its reason, and asks nobody", async () => {
    const peers: RawPeer[] = [];
    const url = await rawListen((peer) => void peers.push(peer));
    await expect(connect(url, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    await sleep(50);
    expect(peers).toEqual([]);
  });

  it.each([[reason], ["just a string"], [undefined]])(
    "aborted while it waits for the answer: %s",
    async (reason) => {
      const peers = new Mailbox<RawPeer>();
      const url = await rawListen((peer) => peers.put(peer));
      const controller = new AbortController();
      const connecting = connect(url, { signal: controller.signal });
      const peer = await peers.take();
      await peer.takeHead();
      controller.abort(reason);
      await expect(connecting).rejects.toBe(controller.signal.reason);
      await until(() => peer.ended || peer.closed, "the connection was dropped");
    },
  );

  it("aborted while the transport connects leaves no connection behind", async () => {
    const { server, url } = await start();
    const controller = new AbortController();
    const connecting = connect(url, { signal: controller.signal });
    controller.abort(reason);
    await expect(connecting).rejects.toBe(reason);
    await sleep(100);
    expect(server.sockets.size).toBe(0);
  });

  it("aborted in the turn after the call leaves no connection behind", async () => {
    const { server, url } = await start();
    for (let turns = 0; turns < 12; turns++) {
      const controller = new AbortController();
      const connecting = connect(url, { signal: controller.signal });
      const outcome = connecting.then(
        (socket) => void socket.abort(),
        (error: unknown) => expect(error).toBe(reason),
      );
      for (let i = 0; i < turns; i++) await Promise.resolve();
      if (turns > 8) await sleep(turns - 8);
      controller.abort(reason);
      await outcome;
    }
    await until(() => server.sockets.size === 0, "the server had none left");
  });

  it("aborted by the open handler has no effect", async () => {
    const { url } = await startEcho();
    const controller = new AbortController();
    const { signal } = controller;
    const socket = await open(url, { signal, open: () => controller.abort() });
    socket.send("still open");
    expect((await socket.messages().next()).value).toBe("still open");
  });

  it("aborted later has no effect", async () => {
    const { url } = await startEcho();
    const controller = new AbortController();
    const messages = new Mailbox<unknown>();
    const socket = await open(url, {
      signal: controller.signal,
      message: (_, data) => messages.put(data),
    });
    controller.abort(reason);
    socket.send("still here");
    expect(await messages.take()).toBe("still here");
    socket.close();
    expect(ending(await socket.closed)).toBe("1000 \"\" clean local");
  });
});
