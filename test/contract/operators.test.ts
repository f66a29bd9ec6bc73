// What operators ask of a listener: a new certificate, a shared port, an inherited socket, and the
// permissions of a unix socket.

import { spawn } from "node:child_process";
import { renameSync, statSync } from "node:fs";
import { createServer } from "node:net";
import process from "node:process";
import { connect as connectTls } from "node:tls";
import { serve, type ServeOptions } from "sansws";
import { describe, expect, it, onTestFinished } from "vitest";
import { COMMANDS, root } from "../processes.ts";
import { hasOpenssl, makeCertificates } from "./certificates.ts";
import { Mailbox, open, RUNTIME, socketPath, start, startEcho } from "./suite.ts";

const windows = process.platform === "win32";
const linux = process.platform === "linux";

async function echoes(url: string): Promise<boolean> {
  const messages = new Mailbox<unknown>();
  const socket = await open(url, { message: (_, data) => messages.put(data) });
  socket.send("there and back");
  return await messages.take() === "there and back";
}

async function expectUsageError(options: object, message: RegExp): Promise<void> {
  await expect(serve(options as ServeOptions)).rejects.toMatchObject({
    name: "UsageError",
    message: expect.stringMatching(message),
  });
}

describe.runIf(hasOpenssl)("replaceCertificate", () => {
  const certificates = hasOpenssl ? makeCertificates() : undefined!;
  const { server: tls, stranger, encrypted } = certificates ?? {};

  it.runIf(RUNTIME === "Node")("serves the new one, and open sockets go on", async () => {
    const { server, url } = await startEcho({ tls });
    const messages = new Mailbox<unknown>();
    const message = (_: unknown, data: unknown): void => messages.put(data);
    const socket = await open(url, { tls: { ca: certificates.ca }, message });
    const before = await serialOf(url);
    expect(await serialOf(url)).toBe(before);
    server.replaceCertificate(stranger);
    const after = await serialOf(url);
    expect(after).not.toBe(before);
    await expect(open(url, { tls: { ca: certificates.ca } })).rejects.toThrow();
    socket.send("still here");
    expect(await messages.take()).toBe("still here");
    server.replaceCertificate({ ...encrypted, passphrase: "secret" });
    expect(await serialOf(url)).toBe(before);
    await open(url, { tls: { ca: certificates.ca } });
  });

  it.runIf(RUNTIME === "Node")("keeps what else tls says", async () => {
    const { server, url } = await startEcho({
      tls: { ...encrypted, passphrase: "secret", ca: certificates.ca, requestCert: true },
    });
    server.replaceCertificate(tls);
    await open(url, { tls: { ca: certificates.ca, ...certificates.client } });
    await expect(open(url, { tls: { ca: certificates.ca } })).rejects.toThrow();
  });

  it.runIf(RUNTIME === "Node")(
    "throws for a key that does not fit, and changes nothing",
    async () => {
      const { server, url } = await startEcho({ tls });
      const before = await serialOf(url);
      const { cert } = stranger;
      expect(() => server.replaceCertificate({ cert, key: tls.key })).toThrow(/key/i);
      expect(() => server.replaceCertificate({ cert, key: "no key" })).toThrow(
        /^certificate\.key is not text in PEM$/,
      );
      expect(() => server.replaceCertificate({ cert } as typeof tls)).toThrow(
        /^certificate\.key is missing/,
      );
      expect(await serialOf(url)).toBe(before);
      await open(url, { tls: { ca: certificates.ca } });
    },
  );

  it.skipIf(RUNTIME === "Node")("is refused by a runtime that cannot", async () => {
    const { server } = await startEcho({ tls });
    expect(() => server.replaceCertificate(stranger)).toThrow(
      `${RUNTIME} has no support for replaceCertificate`,
    );
  });

  it("is refused without tls", async () => {
    const { server } = await start();
    expect(() => server.replaceCertificate(tls)).toThrow(/^the server has no tls/);
  });
});

/** The serial number of the certificate that a new TLS handshake is shown. */
async function serialOf(url: string): Promise<string> {
  const socket = connectTls({ port: Number(new URL(url).port), rejectUnauthorized: false });
  onTestFinished(() => void socket.destroy());
  await new Promise((resolve, reject) => socket.on("secureConnect", resolve).on("error", reject));
  const { serialNumber } = socket.getPeerCertificate();
  socket.destroy();
  return serialNumber;
}

const { Deno } = globalThis as { Deno?: { listenDatagram?: unknown; }; };
const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
const canReuse = RUNTIME === "Node"
  ? major > 23 || (major === 23 && minor > 0) || (major === 22 && minor >= 12)
  : RUNTIME === "Bun" || Deno?.listenDatagram !== undefined;

describe.runIf(linux)("reusePort", () => {
  it.runIf(canReuse)("lets two servers share a port, which both get connections", async () => {
    const opened = { first: 0, second: 0 };
    const one = await startEcho({
      port: 0,
      hostname: "127.0.0.1",
      reusePort: true,
      open: count("first"),
    });
    const { port, hostname } = one.server.address;
    const two = await startEcho({ port, hostname, reusePort: true, open: count("second") });
    function count(name: "first" | "second"): () => void {
      return () => void opened[name]++;
    }
    expect(two.server.address).toEqual(one.server.address);
    for (let i = 0; i < 100 && (opened.first === 0 || opened.second === 0); i++) {
      await open(one.url);
    }
    expect(opened.first).toBeGreaterThan(0);
    expect(opened.second).toBeGreaterThan(0);
    await one.server.close({ deadline: 0 });
    expect(await echoes(two.url)).toBe(true);
  });

  it.runIf(canReuse && hasOpenssl)("is for TLS, too", async () => {
    const { server: tls, ca } = makeCertificates();
    const one = await startEcho({ port: 0, hostname: "127.0.0.1", reusePort: true, tls });
    const two = await startEcho({ ...one.server.address, reusePort: true, tls });
    await open(two.url, { tls: { ca } });
  });

  it.runIf(canReuse)("does not share with a server that has it not", async () => {
    const { server } = await startEcho();
    await expect(serve({ ...server.address, reusePort: true })).rejects.toThrow();
  });

  it.skipIf(canReuse)("is refused where it would be ignored", async () => {
    await expectUsageError(
      { port: 0, reusePort: true },
      RUNTIME === "Node"
        ? /^Node has no support for options\.reusePort in v\d/
        : /^Deno has no support for options\.reusePort without --unstable-net$/,
    );
  });

  it("may be false", async () => {
    expect(await echoes((await startEcho({ port: 0, reusePort: false })).url)).toBe(true);
  });

  it("is for a port, and true or false", async () => {
    await expectUsageError({ path: "/tmp/x", reusePort: true }, /^reusePort is for a port/);
    await expectUsageError({ port: 0, reusePort: 1 }, /^reusePort is 1; it takes true or false$/);
  });
});

describe("fd", () => {
  const PROGRAM = "test/contract/inherited.ts";

  it.runIf(RUNTIME === "Node" && !windows)("is served: a port", async () => {
    const listener = createServer();
    await new Promise<void>((resolve) => listener.listen(0, "127.0.0.1", resolve));
    const { url, address } = await startInherited(listener);
    const { port } = listener.address() as { port: number; };
    expect(address).toEqual({ hostname: "127.0.0.1", port });
    // Only the program is to accept from now on.
    listener.close();
    for (let i = 0; i < 3; i++) expect(await echoes(url)).toBe(true);
  });

  it.runIf(RUNTIME === "Node" && !windows)("is served: a unix socket", async () => {
    const listener = createServer();
    const path = socketPath();
    await new Promise<void>((resolve) => listener.listen(path, resolve));
    const { address } = await startInherited(listener);
    expect(address).toEqual({ path: "" });
    // `close` would remove the file.
    renameSync(path, `${path}-kept`);
    listener.close();
    for (let i = 0; i < 3; i++) expect(await echoes(`ws+unix:${path}-kept:/`)).toBe(true);
  });

  it.runIf(RUNTIME === "Node" && !windows)("that is none is an error", async () => {
    await expect(serve({ fd: 987_654 })).rejects.toThrow();
  });

  it.skipIf(RUNTIME === "Node")("is refused by a runtime that cannot", async () => {
    await expectUsageError({ fd: 3 }, new RegExp(`^${RUNTIME} has no support for options\\.fd$`));
  });

  it.each([{ port: 0 }, { hostname: "127.0.0.1" }, { path: "/tmp/x" }])(
    "excludes %o",
    async (place) => {
      await expectUsageError({ fd: 3, ...place }, /^fd .* excludes port, hostname and path$/);
    },
  );

  it.each([-1, 1.5, Infinity, "3"])("refuses %o", async (fd) => {
    await expectUsageError({ fd }, /^fd is .*; it takes an integer from 0 to 2147483647$/);
  });

  /** Starts a server on the descriptor, as systemd would: it is the third. */
  async function startInherited(listener: object): Promise<{ url: string; address: object; }> {
    const { fd } = (listener as { _handle: { fd: number; }; })._handle;
    const [tool, ...args] = COMMANDS.Node;
    const env = { ...process.env, NODE_OPTIONS: "" };
    const stdio = ["ignore", "pipe", "inherit", fd] as const;
    const program = spawn(tool, [...args, PROGRAM], { cwd: root, env, stdio: [...stdio] });
    onTestFinished(() => void program.kill("SIGKILL"));
    const line = await new Promise<string>((resolve) => program.stdout!.once("data", resolve));
    return JSON.parse(String(line)) as { url: string; address: object; };
  }
});

describe.skipIf(windows)("mode", () => {
  it.each([0o600, 0o660, 0o777, 0])("is that of the socket's file: %i", async (mode) => {
    const path = socketPath();
    const { server, url } = await startEcho({ path, mode });
    expect(statSync(path).mode & 0o777).toBe(mode);
    if (mode !== 0) expect(await echoes(url)).toBe(true);
    await server.close();
    await startEcho({ path, mode });
  });

  it.runIf(linux)("that cannot be set is an error, and nothing listens", async () => {
    const path = `\0sansws-${process.pid}-${Date.now()}`;
    await expect(serve({ path, mode: 0o600 })).rejects.toThrow();
  });

  it("is for a path only", async () => {
    await expectUsageError({ port: 0, mode: 0o600 }, /^mode is for a unix socket: it needs path$/);
    await expectUsageError({ fd: 3, mode: 0o600 }, /^mode is for a unix socket: it needs path$/);
  });

  it.each([-1, 0o1000, 0.5, "600"])("refuses %o", async (mode) => {
    const options = { path: "/tmp/x", mode };
    await expectUsageError(options, /^mode is .*; it takes an integer from 0 to 511$/);
  });
});
