// examples/bare.ts as a process: what its few lines must do without the host's help.

import { once } from "node:events";
import { connect } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { RUNTIMES } from "../processes.ts";
import { Client } from "./client.ts";
import { listen, type Listening } from "./programs.ts";

describe.each(RUNTIMES)("examples/bare.ts on %s", (runtime) => {
  let bare: Listening;

  beforeAll(async () => {
    bare = await listen(runtime, "examples/bare.ts");
  });

  afterAll(() => bare.program.kill());

  const connectClient = (): Promise<Client> => Client.connect(`ws://${bare.host}`);

  it("answers text and bytes up to a megabyte", async () => {
    const client = await connectClient();
    const large = Buffer.alloc(1_048_576, "large ");
    client.send("héllo");
    client.send(large);
    client.send("");
    expect(await client.next()).toBe("héllo");
    expect(large.equals(await client.next() as Buffer)).toBe(true);
    expect(await client.next()).toBe("");
    client.socket.close(4000, "bye");
    expect(await client.closed()).toEqual({ code: 4000, reason: "bye" });
  });

  it("answers a ping", async () => {
    const client = await connectClient();
    client.socket.ping("are you there?");
    const [data] = await once(client.socket, "pong") as [Buffer];
    expect(data.toString()).toBe("are you there?");
    client.socket.terminate();
  });

  it("closes with 1002 on a reserved opcode", async () => {
    const tcp = await open(bare.host);
    tcp.write(
      `GET / HTTP/1.1\r\nHost: ${bare.host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n`
        + "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
    );
    // Behind the head in the same segment or not, it is the connection's first frame.
    tcp.write(Buffer.from([0x83, 0x80, 0, 0, 0, 0]));
    const answer = await readAll(tcp);
    const frame = answer.subarray(answer.indexOf("\r\n\r\n") + 4);
    expect(answer.toString("latin1")).toMatch(
      /^HTTP\/1\.1 101 [^]*\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK\+xOo=\r\n/,
    );
    expect(frame[0]).toBe(0x88);
    expect(frame.readUInt16BE(2)).toBe(1002);
  });

  it.each([
    [
      "a request that is no upgrade",
      "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
      /^HTTP\/1\.1 426 [^]*\r\nUpgrade: websocket\r\n/,
    ],
    ["what is no request", "hello\r\n\r\n", /^HTTP\/1\.1 400 /],
  ])("refuses %s", async (_what, request, expected) => {
    const tcp = await open(bare.host);
    tcp.write(request);
    expect((await readAll(tcp)).toString("latin1")).toMatch(expected);
  });

  // Once is enough: it takes 5 seconds.
  it.runIf(runtime === RUNTIMES[0])(
    "drops a client that does not leave after its answer",
    async () => {
      const { hostname, port } = new URL(`tcp://${bare.host}`);
      const tcp = connect({ host: hostname, port: Number(port), allowHalfOpen: true });
      tcp.write("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
      await once(tcp.resume(), "end");
      const start = performance.now();
      const probe = setInterval(() => tcp.write("still here"), 100);
      tcp.on("error", () => {});
      await new Promise((resolve) => tcp.once("close", resolve));
      clearInterval(probe);
      expect(performance.now() - start).toBeGreaterThan(4000);
      expect(performance.now() - start).toBeLessThan(15_000);
    },
  );

  it("goes on after a client that resets its connection", async () => {
    const client = await connectClient();
    client.send("going");
    client.socket.terminate();
    const tcp = await open(bare.host);
    tcp.resetAndDestroy();
    const next = await connectClient();
    next.send("still here");
    expect(await next.next()).toBe("still here");
    next.socket.terminate();
  });
});

type Tcp = ReturnType<typeof connect>;

async function open(host: string): Promise<Tcp> {
  const { hostname, port } = new URL(`tcp://${host}`);
  const tcp = connect(Number(port), hostname);
  await once(tcp, "connect");
  return tcp;
}

/** All bytes until the server ends its side. */
async function readAll(tcp: Tcp): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of tcp) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}
