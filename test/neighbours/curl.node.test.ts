// curl as a client of the pages beside a WebSocket: what it prints, and how long it waits.

import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { until } from "../contract/suite.ts";
import { type Program, RUNTIMES } from "../processes.ts";
import { startTool } from "../programs.ts";
import { findTool, startTarget, type Target } from "./programs.ts";

const curl = findTool("curl");

const knowsHttp2 = curl !== undefined
  && / HTTP2( |$)/m.test(spawnSync(curl, ["-V"], { encoding: "utf8" }).stdout);
if (curl !== undefined && !knowsHttp2) {
  console.warn("curl is built without HTTP/2: its upgrade to h2c is not tested");
}

/**
 * Milliseconds for an answer that nothing delays: less than the second that curl waits for a
 * 100 (Continue).
 */
const AT_ONCE = 900;

let folder: string;
let large: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "sansws-curl-"));
  large = join(folder, "large");
  writeFileSync(large, new Uint8Array(2 * 2 ** 20));
});
afterAll(() => rmSync(folder, { recursive: true }));

/** Starts curl; -q and --noproxy keep the user's configuration out. */
function start(target: Target, path: string, args: readonly string[]): Program {
  const url = `http://127.0.0.1:${target.port}${path}`;
  return startTool([curl!, "-q", "--noproxy", "*", "-sS", ...args, url]);
}

/** Runs curl; returns its exit status with what it printed, and the milliseconds it took. */
async function run(
  target: Target,
  path: string,
  ...args: readonly string[]
): Promise<{ readonly printed: string; readonly time: number; }> {
  const format = "\nHTTP/%{http_version} %{http_code}";
  const started = performance.now();
  const program = start(target, path, ["--max-time", "8", "-w", format, ...args]);
  const status = await program.exited;
  return { printed: `${status} ${program.output}`, time: performance.now() - started };
}

describe.runIf(curl !== undefined).each(RUNTIMES)("curl and a server on %s", (runtime) => {
  it.each([["by default", []], ["--http1.1", ["--http1.1"]], ["--http1.0", ["--http1.0"]]])(
    "%s: get a page, whole",
    async (_, args) => {
      const target = await startTarget(runtime);
      expect((await run(target, "/", ...args)).printed)
        .toBe("0 <h1>hello</h1>\n\nHTTP/1.1 200");
      // Without a Content-Length: in chunks, or up to the end of the connection
      expect((await run(target, "/stream", ...args)).printed)
        .toMatch(/^0 part 0\n(part \d\n){8}part 9\n\nHTTP\/1\.1 200$/);
      await target.expectQuiet();
    },
  );

  it("-I: gets the head of a page alone", async () => {
    const target = await startTarget(runtime);
    const { printed, time } = await run(target, "/", "-I");
    expect(printed).toMatch(/^0 HTTP\/1\.1 200 OK\r\n/);
    expect(printed).toMatch(/\r\ncontent-type: text\/html\r\n/i);
    expect(printed).toMatch(/\r\n\r\n\nHTTP\/1\.1 200$/);
    expect(time).toBeLessThan(AT_ONCE);
    expect(await target.heard()).toEqual(["request HEAD /"]);
    await target.expectQuiet();
  });

  it.each([
    ["-d x", () => ["-d", "x"]],
    ["without a body", () => []],
    ["--data-binary of 2 MiB", () => ["--data-binary", `@${large}`]],
    ["-H Expect: of 2 MiB, not asking", () => ["-H", "Expect:", "--data-binary", `@${large}`]],
    [
      "-H 'Expect: 100-continue' of 2 MiB",
      () => ["-H", "Expect: 100-continue", "--data-binary", `@${large}`],
    ],
    [
      "-H 'Transfer-Encoding: chunked' of 2 MiB",
      () => ["-H", "Transfer-Encoding: chunked", "--data-binary", `@${large}`],
    ],
  ])("-X POST %s: gets 405 and the methods allowed, at once", async (_, args) => {
    const target = await startTarget(runtime);
    const { printed, time } = await run(target, "/", "-X", "POST", "-D", "-", ...args());
    expect(printed).toMatch(/^0 HTTP\/1\.1 405 Method Not Allowed\r\n/);
    expect(printed).toMatch(/\r\nAllow: GET, HEAD\b/i);
    expect(printed).toMatch(/\nHTTP\/1\.1 405$/);
    expect(time).toBeLessThan(AT_ONCE);
    expect(await target.heard()).toEqual(["refused 405 method-not-allowed"]);
    await target.expectQuiet();
  });

  // RFC 9110 §7.8: "A server MAY ignore a received Upgrade header field".
  it.runIf(knowsHttp2)("--http2: offers h2c, and gets the page by HTTP/1.1", async () => {
    const target = await startTarget(runtime);
    const { printed } = await run(target, "/", "--http2");
    expect(printed).toBe("0 <h1>hello</h1>\n\nHTTP/1.1 200");
    await target.expectQuiet();
  });

  it("-N: reads an event stream as it comes, which is cancelled when curl is killed", async () => {
    const target = await startTarget(runtime);
    const program = start(target, "/events", ["-N"]);
    await program.line(/(data: tick\n\n){3}/);
    await program.kill();
    await until(
      async () => (await target.heard()).includes("stream cancelled"),
      "it was cancelled",
    );
    expect(await target.heard()).toEqual([
      "request GET /events",
      "signal aborted",
      "stream cancelled",
    ]);
    await target.expectQuiet();
  });
});
