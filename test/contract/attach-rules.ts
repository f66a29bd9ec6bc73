// The program of attach-rules.node.test.ts: tries each rule of `attach`, and prints what came of it.

import assert from "node:assert/strict";
import { createServer, type Server as HttpServer } from "node:http";
import type { AddressInfo } from "node:net";
import process from "node:process";
import { Duplex } from "node:stream";
import { attach, connect } from "../../adapters/node.ts";
import { frame, readFrames, utf8 } from "../core/support.ts";

const KEY = "dGhlIHNhbXBsZSBub25jZQ==";
const REQUEST = {
  method: "GET",
  url: "/",
  headers: {
    host: "a",
    connection: "Upgrade",
    upgrade: "websocket",
    "sec-websocket-version": "13",
    "sec-websocket-key": KEY,
  },
};

/** A Duplex that keeps the very chunks it is given. */
class Keeping extends Duplex {
  readonly chunks: Uint8Array[] = [];
  readonly copies: Uint8Array[] = [];

  override _read(): void {}

  override _write(chunk: Uint8Array, _: unknown, done: () => void): void {
    this.chunks.push(chunk);
    this.copies.push(new Uint8Array(chunk));
    setTimeout(done, 1);
  }

  get output(): Uint8Array {
    return Buffer.concat(this.copies);
  }
}

async function listen(http: HttpServer): Promise<string> {
  await new Promise<void>((resolve) => http.listen(0, "127.0.0.1", resolve));
  return `ws://127.0.0.1:${(http.address() as AddressInfo).port}`;
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 2));
}

function framesOf(output: Uint8Array): string[] {
  const head = Buffer.from(output).indexOf("\r\n\r\n") + 4;
  if (head < 4) return [];
  return readFrames(new Uint8Array(output).slice(head)).map(({ payload }) =>
    new TextDecoder().decode(payload)
  );
}

const tries: Readonly<Record<string, () => Promise<void> | void>> = {
  async "any Duplex, both ways"() {
    const sockets = attach({ message: (socket, data) => socket.send(data) });
    const duplex = new Keeping();
    sockets.handleUpgrade(REQUEST, duplex, new Uint8Array(0));
    await until(() => sockets.sockets.size === 1);
    duplex.push(frame("client", 0x81, "hello"));
    await until(() => framesOf(duplex.output).includes("hello"));
    duplex.push(null);
    await until(() => sockets.sockets.size === 0);
  },
  async "a request without rawHeaders"() {
    const seen: unknown[] = [];
    const sockets = attach({ upgrade: ({ headers }) => void seen.push(headers.get("host")) });
    const head = frame("client", 0x88, utf8(""));
    sockets.handleUpgrade({ ...REQUEST, rawHeaders: undefined }, new Keeping(), head);
    await until(() => seen.length === 1);
    assert.deepEqual(seen, ["a"]);
  },
  async "two by path beside each other"() {
    const http = createServer();
    for (const path of ["/a", "/b"]) {
      const sockets = attach({ path, open: (socket) => socket.send(path) });
      http.on("upgrade", sockets.handleUpgrade);
    }
    const url = await listen(http);
    for (const path of ["/a", "/b"]) {
      const socket = await connect(`${url}${path}?query`);
      assert.deepEqual((await socket[Symbol.asyncIterator]().next()).value, path);
      socket.abort();
    }
    http.close();
  },
  "a socket that was taken is refused"() {
    const [first, second] = [attach({}), attach({})];
    const duplex = new Keeping();
    first.handleUpgrade(REQUEST, duplex, new Uint8Array(0));
    const again = (): void => second.handleUpgrade(REQUEST, duplex, new Uint8Array(0));
    assert.throws(again, { name: "UsageError", message: /taken already/ });
  },
  async "100 MB with a high-water mark of 1 MiB"() {
    const sockets = attach({
      async open(socket) {
        for (let i = 0; i < 1600; i++) {
          if (socket.send(new Uint8Array(65_536)) === "queued") await socket.ready();
        }
        socket.close();
      },
    });
    const http = createServer({ highWaterMark: 2 ** 20 } as object);
    http.on("upgrade", sockets.handleUpgrade);
    let received = 0;
    const socket = await connect(await listen(http), {
      message: (_, data) => void (received += data.length),
    });
    const { code } = await socket.closed;
    assert.deepEqual([code, received], [1000, 1600 * 65_536]);
    http.close();
  },
  async "chunks that are kept do not change"() {
    const sockets = attach({});
    const duplex = new Keeping();
    sockets.handleUpgrade(REQUEST, duplex, new Uint8Array(0));
    await until(() => sockets.sockets.size === 1);
    const [socket] = sockets.sockets;
    for (let i = 0; i < 300; i++) {
      if (socket!.send(`${i}`.padEnd(1000)) === "queued") await socket!.ready();
    }
    await until(() => framesOf(duplex.output).length >= 300);
    const changed = duplex.chunks.filter((chunk, i) =>
      Buffer.compare(chunk, duplex.copies[i]!) !== 0
    );
    assert.equal(changed.length, 0);
  },
};

const results: Record<string, string> = {};
for (const [name, attempt] of Object.entries(tries)) {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error("it stalled")), 20_000);
  });
  try {
    await Promise.race([attempt(), late]);
    results[name] = "kept";
  } catch (error) {
    results[name] = String(error);
  } finally {
    clearTimeout(timer);
  }
}
console.log(JSON.stringify(results));
process.exit();
