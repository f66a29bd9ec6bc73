// connect() over byte streams of the caller's.

import { connect as netConnect } from "node:net";
import { connect, UsageError } from "sansws";
import type { ByteStream, StreamTarget } from "sansws/node";
import { describe, expect, it, onTestFinished } from "vitest";
import {
  bytes,
  ending,
  Mailbox,
  open,
  same,
  settled,
  sleep,
  startEcho,
} from "../contract/suite.ts";
import { frame } from "../core/support.ts";
import { accept, ends } from "./streams.ts";

/** A TCP connection as web streams, as an application might have made them. */
async function streamTo(port: number): Promise<ByteStream> {
  const socket = netConnect({ port, host: "127.0.0.1", allowHalfOpen: true });
  onTestFinished(() => void socket.destroy());
  socket.on("error", () => {});
  await new Promise((resolve) => socket.once("connect", resolve));
  return {
    readable: new ReadableStream({
      start(controller) {
        socket.on("data", (chunk) => controller.enqueue(chunk)).on("end", () => controller.close());
      },
      cancel: () => void socket.removeAllListeners("end").destroy(),
    }),
    writable: new WritableStream({
      write: (chunk) => new Promise((resolve) => void socket.write(chunk, () => resolve())),
      close: () => void socket.end(),
      abort: () => void socket.destroy(),
    }),
  };
}

async function drain(reader: ReadableStreamDefaultReader<Uint8Array>): Promise<void> {
  while (!(await reader.read()).done);
}

describe("connect over a stream", () => {
  it("carries messages, and closes cleanly", async () => {
    const { server, url } = await startEcho();
    const stream = await streamTo(server.address.port!);
    const socket = await open(url, { stream });
    const message = bytes(1_000_000);
    socket.send(message.slice());
    for await (const answer of socket) {
      expect(same(answer, message)).toBe(true);
      break;
    }
    socket.close(3000, "done");
    expect(ending(await socket.closed)).toBe("3000 \"done\" clean local");
  });

  it("asks a function for it, with the target", async () => {
    const { server, url } = await startEcho();
    const asked: StreamTarget[] = [];
    const stream = (target: StreamTarget): Promise<ByteStream> => {
      asked.push(target);
      return streamTo(server.address.port!);
    };
    await open(url.replace("127.0.0.1", "somewhere.test"), { stream });
    expect(asked).toMatchObject([{
      hostname: "somewhere.test",
      port: server.address.port,
      secure: false,
    }]);
    expect(asked[0]!.signal).toBeInstanceOf(AbortSignal);
  });

  it("adds no TLS for wss:, which it must have already", async () => {
    const both = ends();
    const opened = open("wss://example.com/", { stream: both.stream });
    const reader = await accept(both);
    const socket = await opened;
    socket.send("hi");
    expect((await reader.read()).value?.[0]).toBe(0x81);
  });

  it("receives what came in one chunk with the answer", async () => {
    const both = ends();
    const opened = open("ws://example.com/", { stream: both.stream });
    await accept(both, frame("server", 0x81, "early"));
    for await (const message of await opened) {
      expect(message).toBe("early");
      break;
    }
  });

  it.each<[string, Uint8Array | ArrayBuffer | DataView]>([
    ["a Buffer", Buffer.from(frame("server", 0x82, Uint8Array.of(1, 2, 3)))],
    ["an ArrayBuffer", frame("server", 0x82, Uint8Array.of(1, 2, 3)).slice().buffer],
    ["a DataView", new DataView(frame("server", 0x82, Uint8Array.of(1, 2, 3)).slice().buffer)],
  ])("takes %s for bytes, and gives a plain Uint8Array", async (_kind, chunk) => {
    const both = ends();
    const opened = open("ws://example.com/", { stream: both.stream });
    await accept(both);
    const socket = await opened;
    both.input.write(chunk as Uint8Array).catch(() => {});
    for await (const message of socket) {
      expect(Object.getPrototypeOf(message)).toBe(Uint8Array.prototype);
      expect([...message as Uint8Array]).toEqual([1, 2, 3]);
      break;
    }
  });

  it("fails the socket for a chunk that is not bytes", async () => {
    const both = ends();
    const opened = open("ws://example.com/", { stream: both.stream });
    await accept(both);
    const socket = await opened;
    both.input.write("text" as unknown as Uint8Array).catch(() => {});
    expect(ending(await socket.closed)).toBe("1006 \"\" unclean lost");
  });

  it("does not read what nobody takes, and says when the stream takes no more", async () => {
    const both = ends();
    const opened = open("ws://example.com/", { stream: both.stream });
    const reader = await accept(both);
    const socket = await opened;
    let written = 0;
    const flood = async (): Promise<void> => {
      for (;;) {
        await both.input.write(frame("server", 0x82, bytes(10_000)));
        written++;
      }
    };
    flood().catch(() => {});
    expect(await settled(() => written)).toBeLessThan(50);
    expect(socket.send(bytes(100_000))).toBe("sent");
    await sleep(10);
    expect(socket.bufferedAmount).toBeGreaterThan(99_999);
    expect(socket.send("more")).toBe("queued");
    drain(reader).catch(() => {});
    await socket.ready();
    expect(socket.send("and more")).toBe("sent");
  });
});

describe("the end of a stream", () => {
  it("which the peer ends is the end of the socket", async () => {
    const both = ends();
    const opened = open("ws://example.com/", { stream: both.stream });
    await accept(both);
    const socket = await opened;
    both.input.close().catch(() => {});
    expect(ending(await socket.closed)).toBe("1006 \"\" unclean lost");
  });

  it.each([[new Error("broken")], [undefined]])(
    "which breaks with %s is the end of the socket",
    async (reason) => {
      const both = ends();
      const opened = open("ws://example.com/", { stream: both.stream });
      await accept(both);
      const socket = await opened;
      both.input.abort(reason).catch(() => {});
      expect(ending(await socket.closed)).toBe("1006 \"\" unclean lost");
    },
  );

  it("comes with that of an aborted socket, in both directions", async () => {
    const both = ends();
    const opened = open("ws://example.com/", { stream: both.stream });
    const reader = await accept(both);
    (await opened).abort();
    await expect(reader.read()).rejects.toBeUndefined();
    await expect(both.input.closed).rejects.toBeUndefined();
  });

  it("before the answer is a failed handshake", async () => {
    const both = ends();
    const opened = connect("ws://example.com/", { stream: both.stream });
    both.input.close().catch(() => {});
    await expect(opened).rejects.toMatchObject({
      name: "HandshakeError",
      fault: "answer-incomplete",
    });
  });

  it("comes when connecting is given up, and when it took too long", async () => {
    for (const options of [{ signal: AbortSignal.timeout(20) }, { timeout: 20 }]) {
      const both = ends();
      const failed = connect("ws://example.com/", { stream: both.stream, ...options });
      await expect(failed).rejects.toThrow();
      await expect(both.input.closed).rejects.toBeUndefined();
    }
  });

  it("comes for a stream that came too late", async () => {
    const both = ends();
    const controller = new AbortController();
    const asked = new Mailbox<(stream: ByteStream) => void>();
    const stream = (): Promise<ByteStream> => new Promise((resolve) => asked.put(resolve));
    const failed = connect("ws://example.com/", { stream, signal: controller.signal });
    const give = await asked.take();
    controller.abort(new Error("enough"));
    give(both.stream);
    await expect(failed).rejects.toThrow("enough");
    await expect(both.input.closed).rejects.toBeUndefined();
  });
});

describe("a stream option that makes no sense", () => {
  const { stream } = ends();

  it.each<[string, string, object]>([
    ["tls", "wss://a.test/", { stream, tls: {} }],
    ["a proxy", "ws://a.test/", { stream, proxy: "http://proxy" }],
    ["a proxy of the environment", "ws://a.test/", { stream, proxy: "env" }],
    ["a unix socket", "ws+unix:/a.sock", { stream }],
    ["something else", "ws://a.test/", { stream: { readable: stream.readable } }],
    ["nothing", "ws://a.test/", { stream: () => undefined }],
  ])("is refused: %s", async (_what, url, options) => {
    await expect(connect(url, options)).rejects.toThrow(UsageError);
  });

  it("is passed on when the function fails, as the cause", async () => {
    const stream = (): never => {
      throw new Error("no tunnel today");
    };
    await expect(connect("ws://a.test/", { stream })).rejects.toMatchObject({
      name: "ConnectError",
      failure: "unreachable",
      message: "no stream to a.test:80: no tunnel today",
      cause: { message: "no tunnel today" },
    });
  });
});
