// Through proxies as they are in the world, tinyproxy and microsocks, on each runtime: with and
// without TLS and passwords.

import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { serve, type Server } from "sansws/node";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { type Certificates, hasOpenssl, makeCertificates } from "../contract/certificates.ts";
import { sleep } from "../contract/waiting.ts";
import { freePort, type RuntimeName, RUNTIMES } from "../processes.ts";
import { startProgram, startTool } from "../programs.ts";

function isInstalled(program: string): boolean {
  const { error } = spawnSync(program, ["-h"], { stdio: "ignore", timeout: 5000 });
  if (error === undefined) return true;
  console.warn(`${program} is not installed: clients are not tested with it`);
  return false;
}

const hasTinyproxy = isInstalled("tinyproxy");
const hasMicrosocks = isInstalled("microsocks");

const WELL = "echoed 2, closed cleanly with 3000\n";

let certificates: Certificates;
let plain: Server;
let encrypted: Server;

beforeAll(async () => {
  certificates = makeCertificates();
  const options = { hostname: "127.0.0.1", port: 0, limits: { maxMessageSize: 2 ** 21 } };
  const message = (
    socket: { send(data: string | Uint8Array): unknown; },
    data: string | Uint8Array,
  ): unknown => socket.send(data);
  plain = await serve({ ...options, message });
  encrypted = await serve({ ...options, message, tls: certificates.server });
});

afterAll(async () => {
  await plain.close({ deadline: 0 });
  await encrypted.close({ deadline: 0 });
});

/** Starts a program that ends with the test, and waits until it listens on the port. */
async function startListening(port: number, ...command: readonly string[]): Promise<void> {
  const program = startTool(command);
  for (let attempt = 0; attempt < 200; attempt++) {
    if (await listens(port)) return;
    await sleep(50);
  }
  throw new Error(`${command[0]} does not listen:\n${program.output}`);
}

function listens(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1", () => resolve(true));
    socket.on("error", () => resolve(false)).on("connect", () => socket.destroy());
  });
}

async function startTinyproxy(login?: string): Promise<number> {
  const port = await freePort();
  const folder = mkdtempSync(join(tmpdir(), "sansws-tinyproxy-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const lines = [
    `Port ${port}`,
    "Listen 127.0.0.1",
    "Timeout 60",
    "MaxClients 20",
    "Allow 127.0.0.1",
    "LogLevel Critical",
  ];
  if (login !== undefined) lines.push(`BasicAuth ${login}`);
  writeFileSync(join(folder, "config"), `${lines.join("\n")}\n`);
  await startListening(port, "tinyproxy", "-d", "-c", join(folder, "config"));
  return port;
}

async function startMicrosocks(...login: string[]): Promise<number> {
  const port = await freePort();
  await startListening(port, "microsocks", "-i", "127.0.0.1", "-p", `${port}`, ...login);
  return port;
}

/** Runs the program on a runtime; returns what it printed. */
async function echoThrough(
  runtime: RuntimeName,
  url: string,
  options: object,
  env = {},
): Promise<string> {
  const program = startProgram(runtime, "test/client/echo-through.ts", [
    url,
    JSON.stringify(options),
  ], env);
  await program.exited;
  return program.output;
}

function urls(): [url: string, options: object][] {
  return [
    [`ws://localhost:${plain.address.port}/`, {}],
    [`wss://localhost:${encrypted.address.port}/`, { tls: { ca: certificates.ca } }],
  ];
}

describe.runIf(hasTinyproxy && hasOpenssl).each(RUNTIMES)(
  "tinyproxy and a client on %s",
  (runtime) => {
    it("carry ws: and wss:", async () => {
      const proxy = `http://127.0.0.1:${await startTinyproxy()}`;
      for (const [url, options] of urls()) {
        expect(
          await echoThrough(runtime, url, { ...options, proxy }),
        ).toBe(WELL);
      }
    });

    it("need the right password", async () => {
      const at = `127.0.0.1:${await startTinyproxy("me secret")}`;
      for (const [url, options] of urls()) {
        expect(await echoThrough(runtime, url, { ...options, proxy: `http://me:secret@${at}` }))
          .toBe(WELL);
      }
      const [url] = urls()[0]!;
      expect(await echoThrough(runtime, url, { proxy: `http://${at}` })).toMatch(/^proxy: .* 407 /);
      expect(await echoThrough(runtime, url, { proxy: `http://me:wrong@${at}` })).toMatch(
        /^proxy: .* 401 /,
      );
    });

    it("are found by the environment", async () => {
      const proxy = `http://127.0.0.1:${await startTinyproxy()}`;
      const [[ws], [wss, tls]] = urls() as [[string, object], [string, object]];
      const env = {
        HTTP_PROXY: proxy,
        HTTPS_PROXY: proxy,
        http_proxy: "",
        https_proxy: "",
        NO_PROXY: "",
        no_proxy: "",
      };
      expect(await echoThrough(runtime, ws, { proxy: "env" }, env)).toBe(WELL);
      expect(await echoThrough(runtime, wss, { ...tls, proxy: "env" }, env)).toBe(WELL);
      const nowhere = { ...env, HTTP_PROXY: "http://127.0.0.1:1" };
      expect(await echoThrough(runtime, ws, { proxy: "env" }, nowhere)).toMatch(
        /^unreachable: .*127\.0\.0\.1:1\b/,
      );
      expect(
        await echoThrough(runtime, ws, { proxy: "env" }, { ...nowhere, NO_PROXY: "localhost" }),
      ).toBe(WELL);
    });

    it("say that a server is not there", async () => {
      const proxy = `http://127.0.0.1:${await startTinyproxy()}`;
      expect(await echoThrough(runtime, "ws://127.0.0.1:1/", { proxy })).toMatch(
        /^proxy: .* 50\d /,
      );
    });
  },
);

describe.runIf(hasMicrosocks && hasOpenssl).each(RUNTIMES)(
  "microsocks and a client on %s",
  (runtime) => {
    it("carry ws: and wss:", async () => {
      const proxy = `socks5://127.0.0.1:${await startMicrosocks()}`;
      for (const [url, options] of urls()) {
        expect(
          await echoThrough(runtime, url, { ...options, proxy }),
        ).toBe(WELL);
      }
    });

    it("need the right password", async () => {
      const at = `127.0.0.1:${await startMicrosocks("-u", "me", "-P", "sec:ret")}`;
      for (const [url, options] of urls()) {
        expect(
          await echoThrough(runtime, url, { ...options, proxy: `socks5h://me:sec%3Aret@${at}` }),
        ).toBe(WELL);
      }
      const [url] = urls()[0]!;
      expect(await echoThrough(runtime, url, { proxy: `socks5://${at}` })).toMatch(
        /^proxy: .*does not serve without/,
      );
      expect(await echoThrough(runtime, url, { proxy: `socks5://me:wrong@${at}` })).toMatch(
        /^proxy: .*did not accept/,
      );
    });

    it("are found by the environment", async () => {
      const proxy = `socks5://127.0.0.1:${await startMicrosocks()}`;
      for (const [url, options] of urls()) {
        expect(await echoThrough(runtime, url, { ...options, proxy: "env" }, { ALL_PROXY: proxy }))
          .toBe(WELL);
      }
    });

    it("say that a server is not there", async () => {
      const proxy = `socks5://127.0.0.1:${await startMicrosocks()}`;
      const output = await echoThrough(runtime, "ws://127.0.0.1:1/", { proxy });
      expect(output).toMatch(/^proxy: the SOCKS proxy answered: connection refused/);
    });
  },
);
