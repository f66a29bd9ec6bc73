// Why there is no connection: errors that tell, and that can be told apart.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect, ConnectError, HandshakeError, UsageError } from "sansws";
import { beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { type Certificates, hasOpenssl, makeCertificates } from "../contract/certificates.ts";
import { rawListen } from "../contract/raw.ts";
import { bytes, ending, open, RUNTIME, same, start, startEcho, until } from "../contract/suite.ts";

let certificates: Certificates;

beforeAll(() => {
  if (hasOpenssl) certificates = makeCertificates();
});

describe("a server that is not reached", () => {
  it("is an error with its address and the runtime's own as the cause", async () => {
    const { server, url } = await startEcho();
    await server.close();
    const failed = connect(url);
    await expect(failed).rejects.toBeInstanceOf(ConnectError);
    await expect(failed).rejects.toMatchObject({
      name: "ConnectError",
      failure: "unreachable",
      message: expect.stringMatching(
        new RegExp(`^no connection to ${new URL(url).host}: .*refused`, "i"),
      ),
      cause: expect.any(Error),
    });
  });

  it("is one for a name that does not exist, and for a unix socket that is not there", async () => {
    await expect(connect("ws://nowhere.invalid/")).rejects.toMatchObject({
      failure: "unreachable",
    });
    await expect(connect("ws+unix:/nowhere/at.sock:/chat")).rejects.toMatchObject({
      failure: "unreachable",
      message: expect.stringMatching(/^no connection to \/nowhere\/at\.sock: ./),
    });
  });
});

describe("ConnectError", () => {
  it.each<[string, unknown, string]>([
    ["a message", new Error("no route to host"), "no route to host"],
    [
      "a code besides",
      Object.assign(new Error("Failed to connect"), { code: "ECONNREFUSED" }),
      "Failed to connect (ECONNREFUSED)",
    ],
    [
      "a code in it",
      Object.assign(new Error("connect ECONNREFUSED ::1:80"), { code: "ECONNREFUSED" }),
      "connect ECONNREFUSED ::1:80",
    ],
    [
      "one error for each address",
      new AggregateError([new Error("not here"), new Error("nor there")], ""),
      "not here; nor there",
    ],
    ["no message", new RangeError(""), "RangeError"],
    ["no error at all", "a string", "a string"],
  ])("says what its cause says: %s", (_what, cause, said) => {
    const error = new ConnectError("unreachable", "no connection to a.test:80", cause);
    expect(error.message).toBe(`no connection to a.test:80: ${said}`);
    expect(error.cause).toBe(cause);
  });

  it("has neither cause nor answer where there is none", () => {
    const error = new ConnectError("timeout", "too slow");
    expect([error.message, error.cause, error.answer]).toEqual(["too slow", undefined, undefined]);
  });
});

describe.runIf(hasOpenssl)("a certificate that is not accepted", () => {
  // Each runtime has its own words
  it.each<[string, keyof Certificates & ("stranger" | "expired" | "server"), string, RegExp]>([
    [
      "because nobody vouches for it",
      "stranger",
      "127.0.0.1",
      /unable to verify|UnknownIssuer|unknown issuer|self.signed/i,
    ],
    ["because it has expired", "expired", "127.0.0.1", /expired/i],
    ["because it is for another name", "server", "127.0.0.2", /altname|not valid for name/i],
  ])("%s is an error that says so", async (_why, name, hostname, reason) => {
    const { server } = await start({ tls: certificates[name], hostname });
    const failed = connect(`wss://${hostname}:${server.address.port}/`, {
      tls: { ca: certificates.ca },
    });
    await expect(failed).rejects.toBeInstanceOf(ConnectError);
    await expect(failed).rejects.toMatchObject({
      failure: "tls",
      message: expect.stringMatching(reason),
    });
    await expect(failed).rejects.toThrow(`no TLS with ${hostname}`);
    expect(server.sockets.size).toBe(0);
  });

  it("is not what a server without TLS has: that is an error of TLS all the same", async () => {
    const { url } = await startEcho();
    await expect(connect(url.replace("ws:", "wss:"))).rejects.toMatchObject({ failure: "tls" });
  });

  it("is not what a server has that hangs up", async () => {
    const url = await rawListen((peer) => void peer.socket.destroy());
    await expect(connect(url.replace("ws:", "wss:"))).rejects.toMatchObject({ failure: "tls" });
  });
});

describe("errors before, at and after the connection", () => {
  it("are of different classes", async () => {
    const { url } = await startEcho({ upgrade: () => ({ status: 418 }) });
    await expect(connect("ws://a.test/#fragment")).rejects.toBeInstanceOf(UsageError);
    await expect(connect("ws://nowhere.invalid/")).rejects.toBeInstanceOf(ConnectError);
    await expect(connect(url)).rejects.toBeInstanceOf(HandshakeError);
  });

  it.each<[string, object]>([
    ["an option that is not known", { timeOut: 5 }],
    ["a timeout of nothing", { timeout: 0 }],
    ["a timeout that is no number", { timeout: NaN }],
    ["tls for ws:", { tls: {} }],
    ["a lifetime with a code that must not be sent", {
      lifetime: { signal: new AbortController().signal, code: 1006 },
    }],
    ["a lifetime with an unknown option", {
      lifetime: { signal: new AbortController().signal, status: 1000 },
    }],
    ["a redirect that makes no sense", { redirect: { max: -1 } }],
    ["a proxy that is none", { proxy: "mailto:proxy" }],
  ])("of the caller's come before anything is opened: %s", async (_what, options) => {
    let asked = 0;
    const url = await rawListen(() => asked++);
    await expect(connect(url, options)).rejects.toBeInstanceOf(UsageError);
    expect(asked).toBe(0);
  });
});

describe("ws+unix:", () => {
  it("leads to a unix socket, with a path for the request", async () => {
    const folder = mkdtempSync(join(tmpdir(), "sansws client "));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const path = join(folder, "a socket");
    const targets: string[] = [];
    await startEcho({
      path,
      upgrade: ({ target, headers }) => void targets.push(`${target} ${headers.get("host")}`),
    });
    const socket = await open(`ws+unix:${path}:/chat?x=1`);
    expect(targets).toEqual(["/chat?x=1 localhost"]);
    expect(socket.peer.path).toBeDefined();
    const message = bytes(100_000);
    socket.send(message.slice());
    for await (const answer of socket) {
      expect(same(answer, message)).toBe(true);
      break;
    }
  });

  it.runIf(hasOpenssl)("leads there over TLS with wss+unix: where the runtime can", async () => {
    const folder = mkdtempSync(join(tmpdir(), "sansws-"));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const url = `wss+unix:${join(folder, "tls.sock")}:/`;
    if (RUNTIME === "Deno") {
      return expect(connect(url)).rejects.toThrow(
        "Deno has no support for options.tls on a unix socket",
      );
    }
    const { server } = await startEcho({
      path: join(folder, "tls.sock"),
      tls: certificates.server,
    });
    const socket = await open(url, { tls: { ca: certificates.ca } });
    socket.close();
    expect(ending(await socket.closed)).toBe("1000 \"\" clean local");
    await expect(connect(url, { tls: { ca: certificates.ca, serverName: "other.test" } })).rejects
      .toMatchObject({
        failure: "tls",
      });
    await until(() => server.sockets.size === 0, "the server's socket was gone");
  });
});
