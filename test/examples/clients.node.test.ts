// examples/proxied.ts, reconnecting.ts and stream.ts as processes, on each runtime, against an echo
// server that runs on Node.

import { serve, type Server } from "sansws/node";
import { describe, expect, it, onTestFinished } from "vitest";
import { startHttpProxy, startSocksProxy } from "../client/proxy-servers.ts";
import { hasSignals, RUNTIMES } from "../processes.ts";
import { startProgram } from "../programs.ts";

async function startEcho(port = 0): Promise<[server: Server, url: string]> {
  const server = await serve({
    port,
    hostname: "127.0.0.1",
    upgrade: ({ headers }) =>
      headers.get("authorization") === undefined ? { status: 401 } : undefined,
    message: (socket, data) => socket.send(data),
  });
  onTestFinished(() => server.close({ deadline: 0 }));
  return [server, `ws://you:pass@127.0.0.1:${server.address.port}`];
}

describe.each(RUNTIMES)("examples/proxied.ts on %s", (runtime) => {
  it("goes through an HTTP proxy and a SOCKS proxy, each with a password", async () => {
    const [, url] = await startEcho();
    const http = await startHttpProxy({ credentials: "me:word" });
    const socks = await startSocksProxy({ credentials: "me:word" });
    for (
      const proxy of [
        `http://me:word@127.0.0.1:${http.port}`,
        `socks5://me:word@127.0.0.1:${socks.port}`,
      ]
    ) {
      const program = startProgram(runtime, "examples/proxied.ts", [url], { PROXY: proxy });
      expect(await program.exited, program.output).toBe(0);
      expect(program.output).toBe("received hello\n");
    }
    expect([http.asked.length, socks.asked.length]).toEqual([1, 1]);
  });

  it("says why there is no way, and what the server refuses with", async () => {
    const [, url] = await startEcho();
    const proxy = await startHttpProxy({ credentials: "me:word" });
    const lost = startProgram(runtime, "examples/proxied.ts", [url], {
      PROXY: `http://127.0.0.1:${proxy.port}`,
    });
    expect(await lost.exited).toBe(1);
    expect(lost.output).toContain(
      "no way to the server (proxy): the proxy answered CONNECT with 407",
    );
    const refused = startProgram(runtime, "examples/proxied.ts", [url.replace("you:pass@", "")], {
      NO_PROXY: "*",
    });
    expect(await refused.exited).toBe(1);
    expect(refused.output).toContain("the server answered 401");
  });
});

describe.runIf(hasSignals).each(RUNTIMES)("examples/reconnecting.ts on %s", (runtime) => {
  it("outlives its server, and ends when it is told to", async () => {
    const [first, url] = await startEcho();
    const program = startProgram(runtime, "examples/reconnecting.ts", [
      url.replace("you:pass@", ""),
    ]);
    await program.line(/^received \d{4}-/m);
    const { port } = first.address;
    await first.close();
    await program.line(/^waiting for \d+ ms\n(?:.+\n)*?connecting/m);
    await startEcho(port);
    await program.line(/^waiting [^]*open\nreceived \d{4}-/m);
    expect(await program.stop("SIGTERM")).toBe(0);
    expect(program.output).toMatch(/^connecting\nopen\nreceived [^]*closed\n$/);
  });
});

describe.each(RUNTIMES)("examples/stream.ts on %s", (runtime) => {
  it("pipes every line there and back, in order", async () => {
    const [, url] = await startEcho();
    const program = startProgram(runtime, "examples/stream.ts", [url, "5000"]);
    expect(await program.exited, program.output).toBe(0);
    const lines = Array.from({ length: 5000 }, (_, i) => `LINE ${i + 1}\n`);
    expect(program.output === `${lines.join("")}closed with 1000\n`).toBe(true);
  });
});
