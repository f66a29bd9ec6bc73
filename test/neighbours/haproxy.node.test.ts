// HAProxy's health checks of a server. The default check is `OPTIONS / HTTP/1.0` and nothing else:
// HAProxy takes a server out of service for any status but 2xx and 3xx (its manual, "option
// httpchk"). RFC 9110 §9.3.7 has OPTIONS tell what the server can do.

import { describe, expect, it } from "vitest";
import { rawConnect, rawListen } from "../contract/raw.ts";
import { until } from "../contract/suite.ts";
import { freePort, RUNTIMES } from "../processes.ts";
import { findTool, type Haproxy, startHaproxy, startTarget } from "./programs.ts";

const haproxy = findTool("haproxy");

/** The configuration of a check, and every byte that HAProxy sends for it. */
const CHECKS: [name: string, backend: string[], bytes: string][] = [
  ["option httpchk", ["option httpchk"], "OPTIONS / HTTP/1.0\r\n\r\n"],
  [
    "option httpchk GET /health",
    ["option httpchk GET /health"],
    "GET /health HTTP/1.0\r\n\r\n",
  ],
  [
    "http-check send meth GET uri /health",
    ["option httpchk", "http-check send meth GET uri /health"],
    "GET /health HTTP/1.0\r\n\r\n",
  ],
  [
    "http-check send meth HEAD uri /health",
    ["option httpchk", "http-check send meth HEAD uri /health"],
    "HEAD /health HTTP/1.0\r\n\r\n",
  ],
  [
    "http-check send meth GET uri /health ver HTTP/1.1 hdr Host example",
    ["option httpchk", "http-check send meth GET uri /health ver HTTP/1.1 hdr Host example"],
    "GET /health HTTP/1.1\r\nhost: example\r\nconnection: close\r\n\r\n",
  ],
];

/** Waits until HAProxy says that of the server. */
async function untilStatus({ status }: Haproxy, expected: RegExp): Promise<void> {
  let last = "";
  const reached = async (): Promise<boolean> => expected.test(last = await status());
  await until(reached, `the server is ${expected}`).catch((error: unknown) => {
    throw new Error(`HAProxy says ${last}`, { cause: error });
  });
}

/** The status after a check; before the first one HAProxy takes every server to be up. */
const checked = /^(UP|DOWN) L\d/;

describe.runIf(haproxy !== undefined)("HAProxy", () => {
  it.each(CHECKS)(
    "sends for `%s` the bytes that servers are tested with",
    async (_, lines, bytes) => {
      const received: string[] = [];
      const url = await rawListen((peer) => {
        void peer.takeHead().then((head) => {
          received.push(`${head}\r\n\r\n${new TextDecoder().decode(peer.take())}`);
          peer.end("HTTP/1.1 405 Method Not Allowed\r\nAllow: GET\r\nContent-Length: 0\r\n\r\n");
        }, () => {});
      });
      const neighbour = await startHaproxy(haproxy!, Number(new URL(url).port), lines);
      await until(() => received.length > 0, "a check came");
      expect(received[0]).toBe(bytes);
      // What 405 means to it, by whatever method it asked
      await untilStatus(neighbour, /^DOWN L7STS 405$/);
    },
  );
});

describe.runIf(haproxy !== undefined).each(RUNTIMES)("a server on %s", (runtime) => {
  it.each(CHECKS)("is up for HAProxy's check `%s`", async (_, lines, bytes) => {
    const target = await startTarget(runtime);
    const neighbour = await startHaproxy(haproxy!, target.port, lines);
    await untilStatus(neighbour, checked);
    expect(await neighbour.status(), JSON.stringify(bytes)).toMatch(/^UP L7OK 20[04]$/);
    await target.expectQuiet();
    expect((await target.heard()).filter((line) => line.startsWith("refused "))).toEqual([]);
  });

  it("is up for HAProxy's check of the connection alone, which no hook hears of", async () => {
    const target = await startTarget(runtime);
    await untilStatus(await startHaproxy(haproxy!, target.port), /^UP L4OK$/);
    await target.expectQuiet();
    expect(await target.heard()).toEqual([]);
  });

  it.each([
    ["OPTIONS / HTTP/1.0", ""],
    ["OPTIONS / HTTP/1.1", "Host: a\r\n"],
    ["OPTIONS * HTTP/1.1", "Host: a\r\n"],
  ])("answers %s with the methods that it allows (RFC 9110 §9.3.7)", async (line, fields) => {
    const target = await startTarget(runtime);
    const peer = await rawConnect(target.port);
    peer.write(`${line}\r\n${fields}\r\n`);
    const answer = await peer.takeAll();
    expect(answer).toMatch(/^HTTP\/1\.1 20[04] /);
    expect(answer).toMatch(/\r\nAllow: GET, HEAD, OPTIONS\r\n/i);
    expect(answer).toMatch(/\r\n\r\n$/);
    await target.expectQuiet();
  });

  it("is up for a check that opens a WebSocket and expects 101", async () => {
    const target = await startTarget(runtime);
    const fields = "hdr Host a hdr Connection Upgrade hdr Upgrade websocket "
      + "hdr Sec-WebSocket-Version 13 hdr Sec-WebSocket-Key dGhlIHNhbXBsZSBub25jZQ==";
    const neighbour = await startHaproxy(haproxy!, target.port, [
      "option httpchk",
      `http-check send meth GET uri /chat ver HTTP/1.1 ${fields}`,
      "http-check expect status 101",
    ]);
    await untilStatus(neighbour, /^UP L7OK 101$/);
    await neighbour.program.kill();
    await until(async () => (await target.state()).sockets === 0, "the check's sockets ended");
    expect((await target.heard()).slice(0, 2)).toEqual(["upgrade /chat", "open"]);
    await target.expectQuiet();
  });

  it("goes down when its program ends, and comes up again with it", async () => {
    const port = await freePort();
    const first = await startTarget(runtime, { port });
    const check = ["option httpchk GET /health"];
    const neighbour = await startHaproxy(haproxy!, port, check);
    const page = (): Promise<Response> => fetch(`http://127.0.0.1:${neighbour.port}/health`);
    await untilStatus(neighbour, /^UP L7OK 200$/);
    await first.program.kill();
    await untilStatus(neighbour, /^DOWN L4CON$/);
    expect((await page()).status).toBe(503);
    const second = await startTarget(runtime, { port });
    await untilStatus(neighbour, /^UP L7OK 200$/);
    expect(await (await page()).text()).toBe("ok\n");
    await second.expectQuiet();
  });
});
