// nginx in front of a server: what its defaults send (HTTP/1.0 and no Upgrade), and how long it
// lets a connection be silent.

import { connect } from "sansws";
import { describe, expect, it, onTestFinished } from "vitest";
import { rawConnect, request } from "../contract/raw.ts";
import { sleep, until } from "../contract/suite.ts";
import { RUNTIMES } from "../processes.ts";
import { findTool, NGINX_UPGRADE, startNginx, startTarget } from "./programs.ts";

const nginx = findTool("nginx");

const STREAM = Array.from({ length: 10 }, (_, i) => `part ${i}\n`).join("");

/** Without pings of its own: their pongs would keep nginx from its timeout. */
const SILENT = { timeouts: { pingInterval: 3_600_000 } };

describe.runIf(nginx !== undefined).each(RUNTIMES)("a server on %s behind nginx", (runtime) => {
  it.each([["/", "<h1>hello</h1>\n"], ["/health", "ok\n"], ["/stream", STREAM]])(
    "serves %s by HTTP/1.0, which nginx speaks by default",
    async (path, body) => {
      const target = await startTarget(runtime);
      const port = await startNginx(nginx!, target.port);
      const response = await fetch(`http://127.0.0.1:${port}${path}`);
      expect(response.status).toBe(200);
      expect(await response.text()).toBe(body);
      expect(await target.heard()).toEqual([`request GET ${path}`]);
      await target.expectQuiet();
    },
  );

  it.each([
    ["by default: HTTP/1.0 without Upgrade", [], "upgrade-http-version"],
    ["with HTTP/1.1 but without Upgrade", NGINX_UPGRADE.slice(0, 1), "upgrade-missing"],
    ["with HTTP/1.0 and Upgrade", NGINX_UPGRADE.slice(1), "upgrade-http-version"],
  ])("answers a client that nginx forwards %s with 426", async (_, lines, rule) => {
    const target = await startTarget(runtime);
    const port = await startNginx(nginx!, target.port, lines);
    await expect(connect(`ws://127.0.0.1:${port}/`)).rejects.toMatchObject({
      name: "HandshakeError",
      answer: { status: 426 },
    });
    const peer = await rawConnect(port);
    peer.write(request("Connection: close\r\n"));
    expect(await peer.takeAll()).toMatch(/^HTTP\/1\.1 426 .*\(RFC 6455 §4\.2\.1\)\n/s);
    expect(await target.heard()).toEqual(Array(2).fill(`refused 426 ${rule}`));
    await target.expectQuiet();
  });

  const impatient = [...NGINX_UPGRADE, "proxy_read_timeout 2s;"];

  it("keeps a silent connection open with pings inside proxy_read_timeout", async () => {
    const target = await startTarget(runtime, { timeouts: { pingInterval: 500 } });
    const port = await startNginx(nginx!, target.port, impatient);
    const socket = await connect(`ws://127.0.0.1:${port}/`, SILENT);
    onTestFinished(() => socket.abort());
    await sleep(3500);
    socket.send("still here");
    for await (const message of socket) {
      expect(message).toBe("still here");
      break;
    }
    socket.close();
    expect(await socket.closed).toMatchObject({ code: 1000, clean: true });
    await target.expectQuiet();
  });

  it("hears the end of a connection that was silent for proxy_read_timeout", async () => {
    const target = await startTarget(runtime, SILENT);
    const port = await startNginx(nginx!, target.port, impatient);
    const socket = await connect(`ws://127.0.0.1:${port}/`, SILENT);
    onTestFinished(() => socket.abort());
    expect(await socket.closed).toMatchObject({ code: 1006, clean: false });
    await until(async () => (await target.state()).sockets === 0, "the server's socket ended");
    expect((await target.heard()).at(-1)).toMatch(/^close 1006 /);
    await target.expectQuiet();
  });
});
