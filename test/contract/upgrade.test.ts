// The upgrade hook: asked once before the 101, and whatever it answers is what the client gets.

import type { HandshakeError, IncomingUpgrade, ServeOptions, UpgradeDecision } from "sansws";
import { allowOrigins, connect } from "sansws";
import { describe, expect, it } from "vitest";
import { frame } from "../core/support.ts";
import { rawConnect, rawOpen, request } from "./raw.ts";
import { ending, Mailbox, open, openPair, sleep, start, startEcho, until } from "./suite.ts";

/** How connecting to a server with these options fails. */
async function refusal(options: ServeOptions, url?: string): Promise<HandshakeError> {
  const server = await start(options);
  const error: unknown = await connect(url ?? server.url).catch((error: unknown) => error);
  expect(error).toMatchObject({ name: "HandshakeError", fault: "status-not-101" });
  return error as HandshakeError;
}

describe("the upgrade hook", () => {
  it("sees the request: target, headers, origin, subprotocols, peer", async () => {
    const requests = new Mailbox<IncomingUpgrade>();
    const { url } = await start({ upgrade: (request) => void requests.put(request) });
    await open(`${url}chat?room=1`, {
      protocols: ["a", "b"],
      headers: { Origin: "https://example.com", Cookie: "id=7", "X-Long": "y".repeat(4000) },
    });
    const seen = await requests.take();
    expect(seen).toMatchObject({
      origin: "https://example.com",
      protocols: ["a", "b"],
      secure: false,
    });
    expect(seen.target).toBe("/chat?room=1");
    expect(seen.headers.get("cookie")).toBe("id=7");
    expect(seen.headers.get("X-Long")).toHaveLength(4000);
    expect(seen.peer.hostname).toBe("127.0.0.1");
  });

  it("gives the socket its data, the 101 its headers, and chooses the subprotocol", async () => {
    const { near, far } = await openPair({
      upgrade: () => ({ data: { user: "ann" }, protocol: "v2", headers: { "Set-Cookie": "id=1" } }),
    }, { protocols: ["v1", "v2"], data: 42 });
    expect(far.data).toEqual({ user: "ann" });
    expect(near.data).toBe(42);
    expect([near.protocol, far.protocol]).toEqual(["v2", "v2"]);
  });

  it("puts its headers into the 101", async () => {
    const { url } = await start({
      upgrade: () => ({ headers: [["Set-Cookie", "a=1"], ["Set-Cookie", "b=2"]] }),
    });
    const peer = await rawConnect(url);
    peer.write(request());
    const head = await peer.takeHead();
    expect(head).toMatch(/^HTTP\/1\.1 101 /);
    expect(head.match(/^set-cookie: .*$/gim)).toEqual(["Set-Cookie: a=1", "Set-Cookie: b=2"]);
  });

  it("may take its time, is asked once, and before the 101", async () => {
    let asked = 0;
    let decide = (): void => {};
    const { url } = await start({
      upgrade: () => {
        asked++;
        return new Promise<undefined>((resolve) => decide = () => resolve(undefined));
      },
    });
    const peer = await rawConnect(url);
    peer.write(request());
    await sleep(100);
    expect(peer.take()).toHaveLength(0);
    decide();
    expect(await peer.takeHead()).toMatch(/^HTTP\/1\.1 101 /);
    expect(asked).toBe(1);
  });

  it("loses no frame that the client sends before it has decided", async () => {
    const { url } = await startEcho({ upgrade: () => sleep(50) as Promise<undefined> });
    const peer = await rawConnect(url);
    peer.write(request(), frame("client", 0x81, "same segment"));
    await sleep(20);
    peer.write(frame("client", 0x81, "while deciding"));
    await peer.takeHead();
    peer.write(frame("client", 0x81, "after"));
    const frames = await peer.takeFrames(3);
    expect(frames.map(({ payload }) => new TextDecoder().decode(payload))).toEqual([
      "same segment",
      "while deciding",
      "after",
    ]);
  });

  it("is not heard any more by a client that is gone", async () => {
    let decide = (): void => {};
    const { server, url } = await start({
      upgrade: () => new Promise<undefined>((resolve) => decide = () => resolve(undefined)),
    });
    const peer = await rawConnect(url);
    peer.write(request());
    await sleep(50);
    peer.socket.destroy();
    await sleep(50);
    decide();
    await sleep(50);
    expect(server.sockets.size).toBe(0);
    await open(url, { signal: AbortSignal.timeout(500) }).catch(() => {});
  });

  it("that takes longer than the handshake timeout is answered by 503", async () => {
    const { url } = await start({
      timeouts: { handshake: 200 },
      upgrade: () => sleep(1500) as Promise<undefined>,
    });
    const peer = await rawConnect(url);
    peer.write(request());
    expect(await peer.takeAll()).toMatch(/^HTTP\/1\.1 503 /);
    peer.end();
    await until(() => peer.closed, "the connection was gone");
  });
});

describe("the upgrade hook rejects", () => {
  it.each([200, 301, 401, 403, 404, 429, 500, 599])("with status %i", async (status) => {
    const error = await refusal({ upgrade: () => ({ status }) });
    expect(error.answer?.status).toBe(status);
    expect(error.message).toContain(String(status));
  });

  it("with headers and text", async () => {
    const error = await refusal({
      upgrade: () => ({
        status: 401,
        headers: { "WWW-Authenticate": "Basic" },
        body: "who are you? ü\n",
      }),
    });
    expect(error.answer!.headers.getAll("www-authenticate")).toEqual(["Basic"]);
    expect(error.answer!.headers.getAll("content-type")).toEqual(["text/plain; charset=utf-8"]);
    expect(error.answer!.text()).toBe("who are you? ü\n");
  });

  it("with bytes", async () => {
    const error = await refusal({
      upgrade: () => ({ status: 400, body: Uint8Array.of(104, 105) }),
    });
    expect(error.answer!.text()).toBe("hi");
  });

  it("with a Response", async () => {
    const error = await refusal({
      upgrade: () =>
        new Response("no", {
          status: 418,
          headers: [["Set-Cookie", "a=1"], ["Set-Cookie", "b=2"]],
        }),
    });
    expect(error.answer?.status).toBe(418);
    expect(error.answer!.text()).toBe("no");
    expect(error.answer!.headers.getAll("set-cookie")).toEqual(["a=1", "b=2"]);
  });

  it.each<[string, () => Response, number]>([
    ["a redirect", () => Response.redirect("http://127.0.0.1/there", 307), 307],
    ["JSON", () => Response.json({ error: "no" }, { status: 403 }), 403],
    ["a stream", () => new Response(new Blob(["no"]).stream(), { status: 403 }), 403],
    [
      "its length",
      () => new Response("no", { status: 403, headers: { "Content-Length": "2" } }),
      403,
    ],
    [
      "Connection",
      () => new Response("no", { status: 403, headers: { Connection: "keep-alive" } }),
      403,
    ],
    ["no content", () => new Response(null, { status: 204 }), 204],
  ])("with a Response that is, or has, %s", async (_, response, status) => {
    const error = await refusal({ upgrade: response });
    expect(error.answer?.status).toBe(status);
  });

  it("asynchronously", async () => {
    const error = await refusal({
      upgrade: async () => {
        await sleep(20);
        return { status: 403 };
      },
    });
    expect(error.answer?.status).toBe(403);
  });

  it("and the answer arrives although the client goes on sending", async () => {
    const { url } = await start({ upgrade: () => ({ status: 403, body: "no\n" }) });
    const peer = await rawConnect(url);
    peer.write(request(), new Uint8Array(500_000));
    expect(await peer.takeAll()).toMatch(/^HTTP\/1\.1 403 [^]*\r\n\r\nno\n$/);
    peer.end();
  });
});

describe("an upgrade hook that fails", () => {
  const cases: readonly [string, () => UpgradeDecision | Promise<UpgradeDecision>][] = [
    ["throws", () => {
      throw new Error("broken hook");
    }],
    ["rejects", () => Promise.reject(new Error("broken hook"))],
    ["chooses a subprotocol that was not offered", () => ({ protocol: "broken hook" })],
    ["gives a header that must not be sent", () => ({ headers: { "X-Y": "broken hook\r\n" } })],
    ["gives a status that is none", () => ({ status: 99, body: "broken hook" })],
    ["fails to connect elsewhere", async () => {
      const { server, url } = await start({ upgrade: () => ({ status: 418 }) });
      await open(url).finally(() => server.close());
      return {};
    }],
  ];

  it.each(cases)(
    "%s: 500 to the client, the error to `error`, and the server lives on",
    async (_, hook) => {
      const errors: unknown[] = [];
      let calls = 0;
      const options: ServeOptions = {
        error: (error, socket) => void errors.push(error, socket),
        upgrade: () => calls++ === 0 ? hook() : {},
      };
      const { url } = await start(options);
      const error = await connect(url).catch((error: unknown) => error) as HandshakeError;
      expect(error.answer?.status).toBe(500);
      expect(error.answer!.text()).not.toContain("broken hook");
      expect(errors).toEqual([expect.any(Error), undefined]);
      const socket = await open(url);
      socket.close();
      expect(ending(await socket.closed)).toBe("1000 \"\" clean local");
    },
  );
});

describe("the protocols option", () => {
  it("chooses the server's first that the client offers", async () => {
    const { near, far } = await openPair({ protocols: ["v3", "v2", "v1"] }, {
      protocols: ["v1", "v2"],
    });
    expect([near.protocol, far.protocol]).toEqual(["v2", "v2"]);
  });

  it("chooses none when none fits, and none is offered", async () => {
    const server = { protocols: ["v3"] };
    expect((await openPair(server, { protocols: "v1" })).near.protocol).toBe("");
    expect((await openPair(server)).near.protocol).toBe("");
  });
});

describe("allowOrigins", () => {
  const upgrade = allowOrigins(["https://example.com", "http://localhost:8080"]);

  it.each(["https://example.com", "http://localhost:8080"])("lets %s in", async (Origin) => {
    const { url } = await start({ upgrade });
    await open(url, { headers: { Origin } });
  });

  it.each([
    "http://example.com",
    "https://example.com:8443",
    "https://sub.example.com",
    "https://example.com.evil.test",
    "https://example.org",
    "http://localhost",
    "null",
  ])("answers %s with 403", async (Origin) => {
    const { url } = await start({ upgrade });
    await expect(connect(url, { headers: { Origin } })).rejects.toMatchObject({
      answer: { status: 403 },
    });
  });

  it.each([
    ["chrome-extension://abcdef", "chrome-extension://abcdef"],
    ["https://EXAMPLE.com:443/", "https://example.com"],
    ["http://[::1]:8080", "http://[::1]:8080"],
  ])("%s lets in just that, and no sandboxed frame", (listed, origin) => {
    const check = allowOrigins([listed]);
    expect(check({ origin })).toBeUndefined();
    for (const other of ["null", "chrome-extension://other", `${origin}1`]) {
      expect(check({ origin: other }), other).toMatchObject({ status: 403 });
    }
  });

  it.each([
    ...["null", "", "example.com", "*", "https://*.example.com", "mailto:a@b.test", "file:///a"],
    ...["https://example.com/path", "https://user@example.com", "https://example.com/?", "data:,a"],
  ])("refuses %o, which no client sends", (origin) => {
    expect(() => allowOrigins(["https://example.com", origin])).toThrow(
      expect.objectContaining({ name: "UsageError" }),
    );
  });

  it("refuses a string in place of a list", () => {
    expect(() => allowOrigins("https://example.com")).toThrow("allowOrigins takes a list");
  });

  it("lets clients without an Origin in, unless told otherwise", async () => {
    await open((await start({ upgrade })).url);
    const strict = await start({
      upgrade: allowOrigins(["https://example.com"], { allowMissing: false }),
    });
    await expect(connect(strict.url)).rejects.toMatchObject({ answer: { status: 403 } });
  });
});

describe("the opening handshake", () => {
  it("takes a request that comes byte by byte", async () => {
    const { url } = await startEcho();
    const peer = await rawConnect(url);
    for (const byte of request()) {
      peer.write(byte);
      await sleep(0);
    }
    expect(await peer.takeHead()).toMatch(/^HTTP\/1\.1 101 /);
  });

  it.each([
    ["POST / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n", 405],
    [request().replace("Version: 13", "Version: 12"), 426],
    [request().replace("dGhlIHNhbXBsZSBub25jZQ==", "short"), 400],
    [request().replace("\r\n", "\n"), 400],
    [request("X: ".concat("y".repeat(20_000), "\r\n")), 431],
    ["\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", 400],
  ])("is refused for %j", async (bytes, status) => {
    const { server, url } = await start();
    const peer = await rawConnect(url);
    peer.write(bytes);
    expect(await peer.takeAll()).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
    peer.end();
    expect(server.sockets.size).toBe(0);
  });

  it("that is not complete in time is answered by 408", async () => {
    const { url } = await start({ timeouts: { handshake: 200 } });
    const peer = await rawConnect(url);
    peer.write(request().slice(0, 50));
    expect(await peer.takeAll()).toMatch(/^HTTP\/1\.1 408 /);
  });

  it("that a client abandons half way leaves nothing behind", async () => {
    const { server, url } = await start();
    const first = await rawOpen(url);
    const second = await rawConnect(url);
    second.end(request().slice(0, 50));
    expect(await second.takeAll()).toMatch(/^HTTP\/1\.1 400 /);
    (await rawConnect(url)).end();
    (await rawConnect(url)).socket.destroy();
    first.socket.destroy();
    await server.close();
  });
});
