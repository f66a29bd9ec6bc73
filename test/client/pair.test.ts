// pair(): two sockets in memory behave like two over a network.

import type { Message, ServerOptions, Socket } from "sansws";
import { HandshakeError, pair, ProtocolError, UsageError } from "sansws";
import { describe, expect, it } from "vitest";
import type { Transport } from "../../adapters/host/transport.ts";
import { memoryTransports } from "../../adapters/memory/transport.ts";
import { bytes, ending, Mailbox, same, settled, sleep, text, until } from "../contract/suite.ts";

async function collect(socket: Socket): Promise<Message[]> {
  const messages: Message[] = [];
  for await (const message of socket) messages.push(message);
  return messages;
}

describe("pair", () => {
  it("opens two sockets that hear each other", async () => {
    const { client, server } = await pair();
    expect([client.state, server.state]).toEqual(["open", "open"]);
    client.send("from the client");
    server.send("from the server");
    client.close();
    expect(await collect(server)).toEqual(["from the client"]);
    expect(await collect(client)).toEqual(["from the server"]);
    expect(ending(await server.closed)).toBe("1000 \"\" clean peer");
    expect(ending(await client.closed)).toBe("1000 \"\" clean local");
  });

  it.each([0, 125, 65_536, 3_000_000])(
    "carries messages of %i bytes, compressed or not",
    async (size) => {
      for (const deflate of [false, true]) {
        const { client, server } = await pair({ client: { deflate }, server: { deflate } });
        expect(server.extensions).toBe(
          deflate ? "permessage-deflate; server_max_window_bits=12" : "",
        );
        client.send(text(size));
        server.send(bytes(size));
        client.close();
        expect((await collect(server)).every((message) => same(message, text(size)))).toBe(true);
        expect((await collect(client)).every((message) => same(message, bytes(size)))).toBe(true);
      }
    },
  );

  it("asks the server's hook, with the client's request", async () => {
    const server: ServerOptions<string> = {
      protocols: ["b"],
      upgrade: ({ target, headers }) => ({
        data: `${target} ${headers.get("host")} ${headers.get("x-name")}`,
      }),
    };
    const client = { protocols: ["a", "b"], headers: { "X-Name": "me" }, data: 5 };
    const both = await pair({ server, client, url: "ws://example.com/chat?x=1" });
    expect(both.server.data).toBe("/chat?x=1 example.com me");
    expect([both.server.protocol, both.client.protocol, both.client.data]).toEqual(["b", "b", 5]);
  });

  it("tells the hook whether the URL is one of wss:", async () => {
    const secure: boolean[] = [];
    const server: ServerOptions = { upgrade: (request) => void secure.push(request.secure) };
    await pair({ server });
    await pair({ server, url: "wss://example.com/" });
    expect(secure).toEqual([false, true]);
  });

  it("rejects with the server's refusal", async () => {
    const failed = pair({ server: { upgrade: () => ({ status: 401, body: "who?" }) } });
    await expect(failed).rejects.toBeInstanceOf(HandshakeError);
    await expect(failed).rejects.toMatchObject({
      answer: { status: 401, body: new TextEncoder().encode("who?") },
    });
  });

  it("calls the handlers of both ends, `open` with the socket it gives", async () => {
    const heard = new Mailbox<string>();
    const opened: unknown[] = [];
    const both = await pair({
      server: {
        open: (socket) => void opened.push(socket),
        message: (_, data) => heard.put(`server ${String(data)}`),
        close: () => heard.put("server close"),
      },
      client: {
        open: (socket) => void opened.push(socket),
        message: (_, data) => heard.put(`client ${String(data)}`),
      },
    });
    expect(opened).toEqual([both.server, both.client]);
    both.client.send("a");
    both.server.send("b");
    expect((await heard.takeAll(2)).sort()).toEqual(["client b", "server a"]);
    both.client.close();
    expect(await heard.take()).toBe("server close");
  });

  it("keeps to the limits", async () => {
    const { client, server } = await pair({ server: { limits: { maxMessageSize: 10 } } });
    client.send("more than ten bytes");
    const closed = await server.closed;
    expect(closed).toMatchObject({
      code: 1009,
      cause: "violation",
      error: expect.any(ProtocolError),
    });
    expect(ending(await client.closed)).toContain("1009");
  });

  it("is lost for both when one aborts", async () => {
    const { client, server } = await pair();
    client.abort();
    expect(ending(await client.closed)).toBe("1006 \"\" unclean lost");
    expect(ending(await server.closed)).toBe("1006 \"\" unclean lost");
  });

  it("makes a sender wait for a receiver that pauses", async () => {
    const { client, server } = await pair();
    server.pause();
    expect(client.send(bytes(200_000))).toBe("sent");
    await until(() => client.send("x") === "queued", "there was too much");
    expect(client.bufferedAmount).toBeGreaterThan(200_000);
    let ready = false;
    void client.ready().then(() => ready = true);
    expect(await settled(() => Number(ready), 50)).toBe(0);
    server.resume();
    await client.ready();
    expect(client.bufferedAmount).toBe(0);
  });

  it("gives each end its own bytes", async () => {
    const { client, server } = await pair();
    const sent = Uint8Array.of(1, 2, 3);
    server.send(sent);
    server.close();
    const [received] = await collect(client) as Uint8Array[];
    received!.fill(0);
    expect(sent).toEqual(Uint8Array.of(1, 2, 3));
  });

  it.each<[string, object]>([
    ["an unknown option", { host: "a" }],
    ["an unknown option of the server", { server: { port: 5 } }],
    ["an unknown option of the client", { client: { retry: {} } }],
    ["a way to another server", { client: { path: "/tmp/other.sock" } }],
    ["what is no URL", { url: "nonsense" }],
  ])("refuses %s", async (_what, options) => {
    await expect(pair(options)).rejects.toThrow(UsageError);
  });
});

describe("memoryTransports", () => {
  class Ears {
    readonly heard: string[] = [];
    received(chunk: Uint8Array): void {
      this.heard.push(`received ${chunk.join()}`);
    }
    ended(): void {
      this.heard.push("ended");
    }
    drained(): void {
      this.heard.push("drained");
    }
    closed(error?: Error): void {
      this.heard.push(error === undefined ? "closed" : `closed: ${error.message}`);
    }
  }

  function connected(): [near: Transport, far: Transport, nearEars: Ears, farEars: Ears] {
    const [near, far] = memoryTransports(false);
    const [nearEars, farEars] = [new Ears(), new Ears()];
    near.attach(nearEars);
    far.attach(farEars);
    return [near, far, nearEars, farEars];
  }

  it("reports nothing within a call", async () => {
    const [near, , nearEars, farEars] = connected();
    near.write([Uint8Array.of(1), Uint8Array.of(2)]);
    near.end();
    expect(farEars.heard).toEqual([]);
    await sleep(0);
    expect(farEars.heard).toEqual(["received 1", "received 2", "ended"]);
    expect(nearEars.heard).toEqual([]);
  });

  it("lets each end write on after the other has ended, and closes after both", async () => {
    const [near, far, nearEars, farEars] = connected();
    near.end();
    await sleep(0);
    far.write([Uint8Array.of(1)]);
    far.end();
    await sleep(0);
    expect(nearEars.heard).toEqual(["received 1", "ended", "closed"]);
    expect(farEars.heard).toEqual(["ended", "closed"]);
  });

  it("keeps what comes before somebody listens", async () => {
    const [near, far] = memoryTransports(false);
    far.write([Uint8Array.of(1)]);
    far.end();
    await sleep(0);
    const ears = new Ears();
    near.attach(ears);
    await sleep(0);
    expect(ears.heard).toEqual(["received 1", "ended"]);
  });

  it("tells who comes after the end that it is closed", async () => {
    const [near, far] = memoryTransports(false);
    far.abort();
    await sleep(0);
    const ears = new Ears();
    near.attach(ears);
    expect(ears.heard).toEqual([]);
    await sleep(0);
    expect(ears.heard).toEqual(["closed: the other end was aborted"]);
    near.write([Uint8Array.of(1)]);
    expect(near.bufferedAmount).toBe(0);
  });

  it("drops what waits when an end is aborted, and reports that once", async () => {
    const [near, far, nearEars, farEars] = connected();
    far.pause();
    near.write([Uint8Array.of(1)]);
    near.abort();
    near.abort();
    far.resume();
    await sleep(0);
    expect(nearEars.heard).toEqual(["closed"]);
    expect(farEars.heard).toEqual(["closed: the other end was aborted"]);
  });

  it("says when there is too much, and when it has left", async () => {
    const [near, far, nearEars] = connected();
    far.pause();
    expect(near.write([new Uint8Array(1000)])).toBe(true);
    expect(near.write([new Uint8Array(100_000)])).toBe(false);
    expect(near.bufferedAmount).toBe(101_000);
    await sleep(0);
    expect(nearEars.heard).toEqual([]);
    far.resume();
    await sleep(0);
    expect(nearEars.heard).toEqual(["drained"]);
    expect(near.bufferedAmount).toBe(0);
  });
});
