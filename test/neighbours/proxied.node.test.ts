// WebSockets and pages through HAProxy and nginx, as both are configured by default or by their
// documentation: a proxy in front must change nothing that an application sees.

import { connect, type Message, type Socket } from "sansws";
import { describe, expect, it, onTestFinished } from "vitest";
import { rawOpen } from "../contract/raw.ts";
import { bytes, same, text, until } from "../contract/suite.ts";
import { RUNTIMES } from "../processes.ts";
import { findTool, NGINX_UPGRADE, startHaproxy, startNginx, startTarget } from "./programs.ts";

type Start = (target: number) => Promise<number>;

const haproxy = findTool("haproxy");
const nginx = findTool("nginx");

const NEIGHBOURS: [name: string, tool: string | undefined, start: Start][] = [
  ["HAProxy", haproxy, async (target) => (await startHaproxy(haproxy!, target)).port],
  ["nginx", nginx, (target) => startNginx(nginx!, target, NGINX_UPGRADE)],
];

const MESSAGES: [name: string, message: Message][] = [
  ["text of 1 byte", text(1)],
  ["text of 64 KiB", text(2 ** 16)],
  ["text of 1 MiB", text(2 ** 20)],
  ["1 byte", bytes(1)],
  ["64 KiB", bytes(2 ** 16)],
  ["1 MiB", bytes(2 ** 20)],
];

async function open(port: number): Promise<Socket> {
  const socket = await connect(`ws://127.0.0.1:${port}/`);
  onTestFinished(() => socket.abort());
  return socket;
}

for (const [name, tool, start] of NEIGHBOURS) {
  describe.runIf(tool !== undefined).each(RUNTIMES)(`a server on %s behind ${name}`, (runtime) => {
    it("echoes messages of every size and kind", async () => {
      const target = await startTarget(runtime);
      const socket = await open(await start(target.port));
      const received = socket[Symbol.asyncIterator]();
      for (const [name, message] of MESSAGES) {
        socket.send(message);
        const { value } = await received.next();
        expect(same(value as Message, message), name).toBe(true);
      }
      await target.expectQuiet();
    });

    it("hears the code and reason of a client that closes", async () => {
      const target = await startTarget(runtime);
      const socket = await open(await start(target.port));
      socket.close(3001, "goodbye");
      expect(await socket.closed).toMatchObject({ code: 3001, clean: true });
      await until(async () => (await target.state()).sockets === 0, "the server's socket ended");
      expect(await target.heard()).toEqual(["upgrade /", "open", "close 3001 \"goodbye\" peer"]);
      await target.expectQuiet();
    });

    it("closes with a code and reason that the client hears", async () => {
      const target = await startTarget(runtime);
      const socket = await open(await start(target.port));
      socket.send("close");
      expect(await socket.closed)
        .toMatchObject({ code: 4002, reason: "as you asked", clean: true, cause: "peer" });
      await until(async () => (await target.state()).sockets === 0, "the server's socket ended");
      expect(await target.heard()).toEqual([
        "upgrade /",
        "open",
        "close 4002 \"as you asked\" local",
      ]);
      await target.expectQuiet();
    });

    it("ends the socket of a client that disconnects without a Close frame", async () => {
      const target = await startTarget(runtime);
      const peer = await rawOpen(await start(target.port));
      await until(async () => (await target.state()).sockets === 1, "the server's socket opened");
      peer.socket.destroy();
      await until(async () => (await target.state()).sockets === 0, "the server's socket ended");
      expect((await target.heard()).at(-1)).toMatch(/^close 1006 /);
      await target.expectQuiet();
    });

    it.each([
      ["/", "<h1>hello</h1>\n", "text/html"],
      ["/health", "ok\n", "text/plain"],
      // Without a Content-Length
      ["/stream", Array.from({ length: 10 }, (_, i) => `part ${i}\n`).join(""), "text/plain"],
    ])("serves the page %s", async (path, body, type) => {
      const target = await startTarget(runtime);
      const response = await fetch(`http://127.0.0.1:${await start(target.port)}${path}`);
      expect(response.status).toBe(200);
      expect(await response.text()).toBe(body);
      expect(response.headers.get("content-type")).toBe(type);
      expect(await target.heard()).toEqual([`request GET ${path}`]);
      await target.expectQuiet();
    });
  });
}
