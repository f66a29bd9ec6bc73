// A client in a process of its own, on each runtime: whatever happens to its connection, it hears
// of it, complains about nothing, and then its process ends by itself, soon.

import type { ConnectOptions } from "sansws";
import { describe, expect, it } from "vitest";
import { frame } from "../core/support.ts";
import { type Program, type RuntimeName, RUNTIMES } from "../processes.ts";
import { startProgram, startTool } from "../programs.ts";
import { hasOpenssl, makeCertificates } from "./certificates.ts";
import type { Outcome } from "./client.ts";
import { acceptance, rawConnect, rawListen, type RawPeer } from "./raw.ts";
import { sleep, start, startEcho } from "./suite.ts";

/**
 * Below all timeouts that could end a connection which nothing else ends, above what starting a
 * process takes.
 */
const SOON = 8000;

type RunOptions = [runtime: RuntimeName, scenario: string, url: string, options?: ConnectOptions];

function startClient(...[runtime, SCENARIO, URL, options = {}]: RunOptions): Program {
  return startProgram(runtime, "test/contract/client.ts", [], {
    SCENARIO,
    URL,
    CLIENT_OPTIONS: JSON.stringify(options),
  });
}

/** What comes of it in a process that then ends by itself. */
async function run(...options: RunOptions): Promise<Outcome> {
  const program = startClient(...options);
  const outcome = await program.takeJson<Outcome>();
  const begun = Date.now();
  expect(await program.exited).toBe(0);
  expect(Date.now() - begun).toBeLessThan(SOON);
  expect(program.complaints).toBe("");
  return outcome;
}

/** A raw server that opens each connection, and then does something. */
function rawServer(then: (peer: RawPeer) => unknown): Promise<string> {
  return rawListen(async (peer) => {
    peer.write(acceptance(await peer.takeHead()));
    await then(peer);
  });
}

/** A port whose connections nobody takes: the system answers the first few, and then no more. */
async function blackHole(): Promise<string> {
  const script =
    `const server = require("net").createServer().listen({ port: 0, host: "127.0.0.1", backlog: 1 }, () => {
    process.stdout.write(server.address().port + "\\n", () => {
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
    });
  });`;
  const port = await startTool([process.execPath, "-e", script]).takeJson<number>();
  for (let i = 0; i < 4; i++) void rawConnect(port);
  await sleep(200);
  return `ws://127.0.0.1:${port}/`;
}

describe.each(RUNTIMES)("a client on %s", (runtime) => {
  it("ends after it closed its socket", async () => {
    const { url } = await startEcho();
    expect(await run(runtime, "close", url)).toEqual({ closed: { code: 1000, cause: "local" } });
  });

  it("ends after it aborted its socket", async () => {
    const { url } = await startEcho();
    expect(await run(runtime, "abort", url)).toEqual({ closed: { code: 1006, cause: "lost" } });
  });

  it("ends after it aborted a socket with more to send than the peer takes", async () => {
    const url = await rawServer((peer) => peer.socket.pause());
    expect(await run(runtime, "abort-full", url)).toEqual({
      closed: { code: 1006, cause: "lost" },
    });
  });

  it("ends after the server closed, aborted, or was reset", async () => {
    const { url } = await start({ open: (socket) => socket.close(4000) });
    expect(await run(runtime, "wait", url)).toEqual({ closed: { code: 4000, cause: "peer" } });
    const aborting = await rawServer((peer) => setTimeout(() => peer.socket.destroy(), 50));
    expect(await run(runtime, "wait", aborting)).toEqual({ closed: { code: 1006, cause: "lost" } });
    const resetting = await rawServer((peer) =>
      setTimeout(() => peer.socket.resetAndDestroy(), 50)
    );
    expect(await run(runtime, "wait", resetting)).toEqual({
      closed: { code: 1006, cause: "lost" },
    });
  });

  it("ends after the server closed, and then did not end the connection", async () => {
    const url = await rawServer((peer) => peer.write(frame("server", 0x88, Uint8Array.of(3, 232))));
    const outcome = await run(runtime, "wait", url, { timeouts: { close: 300 } });
    expect(outcome).toEqual({ closed: { code: 1000, cause: "peer" } });
  });

  it("ends after it was refused: by nobody, by a status, by nonsense", async () => {
    const { server, url } = await start();
    await server.close();
    expect(await run(runtime, "wait", url)).toMatchObject({
      error: { message: expect.stringMatching(/refused|reset/i) },
    });
    const forbidding = await start({ upgrade: () => ({ status: 403 }) });
    expect(await run(runtime, "wait", forbidding.url)).toMatchObject({
      error: { name: "HandshakeError", status: 403 },
    });
    const babbling = await rawListen((peer) => peer.write("220 mail.example.com ESMTP\r\n\r\n"));
    expect(await run(runtime, "wait", babbling)).toMatchObject({
      error: { name: "HandshakeError" },
    });
  });

  it("ends after it gave up waiting for the answer", async () => {
    const url = await rawListen(() => {});
    expect(await run(runtime, "give-up", url)).toMatchObject({ error: { name: "TimeoutError" } });
    const outcome = await run(runtime, "wait", url, { timeouts: { handshake: 300 } });
    expect(outcome).toMatchObject({ error: { name: "HandshakeError" } });
  });

  it("gives up waiting for a connection", async () => {
    const url = await blackHole();
    expect(await startClient(runtime, "give-up", url).takeJson()).toMatchObject({
      error: { name: "TimeoutError" },
    });
    const outcome = await startClient(runtime, "wait", url, { timeout: 300 }).takeJson();
    expect(outcome).toMatchObject({ error: { name: "ConnectError" } });
  });

  // Bun has no way to take an attempt to connect back: its process goes on until the system gives
  // it up.
  it.skipIf(runtime === "Bun")("ends after it gave up waiting for a connection", async () => {
    const url = await blackHole();
    expect(await run(runtime, "give-up", url)).toMatchObject({ error: { name: "TimeoutError" } });
    const outcome = await run(runtime, "wait", url, { timeout: 300 });
    expect(outcome).toMatchObject({ error: { name: "ConnectError" } });
  });
});

describe.runIf(hasOpenssl).each(RUNTIMES)("a TLS client on %s", (runtime) => {
  const certificates = hasOpenssl ? makeCertificates() : undefined;

  it("ends after it closed or aborted its socket", async () => {
    const { ca, server } = certificates!;
    const { url } = await startEcho({ tls: server });
    expect(await run(runtime, "close", url, { tls: { ca } })).toEqual({
      closed: { code: 1000, cause: "local" },
    });
    expect(await run(runtime, "abort", url, { tls: { ca } })).toEqual({
      closed: { code: 1006, cause: "lost" },
    });
  });

  it("ends after it refused the server's certificate", async () => {
    const { url } = await startEcho({ tls: certificates!.stranger });
    expect(await run(runtime, "wait", url)).toMatchObject({
      error: { message: expect.stringMatching(/certificate/i) },
    });
  });

  it("ends after it gave up waiting for the server's part of the TLS handshake", async () => {
    const url = (await rawListen(() => {})).replace("ws:", "wss:");
    expect(await run(runtime, "give-up", url)).toMatchObject({ error: { name: "TimeoutError" } });
    const outcome = await run(runtime, "wait", url, { timeout: 300 });
    expect(outcome).toMatchObject({ error: { name: "ConnectError" } });
  });
});
