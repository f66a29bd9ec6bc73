// Requests that are no upgrades: a web Request in, a web Response out; by default 426.

import { Buffer } from "node:buffer";
import type { RequestInfo, ServeOptions } from "sansws";
import { describe, expect, it } from "vitest";
import { rawConnect } from "./raw.ts";
import { bytes, Mailbox, open, same, settled, sleep, start, text, until } from "./suite.ts";

function httpUrl(url: string): string {
  return url.replace("ws:", "http:");
}

async function fetchFrom(
  options: ServeOptions,
  path = "",
  init: RequestInit = {},
): Promise<Response> {
  const { url } = await start(options);
  return await fetch(`${httpUrl(url)}${path}`, init);
}

/** A body of `count` chunks of 64 KiB. */
function stream(
  count: number,
  onCancel: () => void = () => {},
): ReadableStream<Uint8Array<ArrayBuffer>> {
  let left = count;
  return new ReadableStream({
    pull: (controller) =>
      left-- > 0 ? controller.enqueue(new Uint8Array(65536).fill(left)) : controller.close(),
    cancel: onCancel,
  });
}

describe("without a request hook", () => {
  it.each(["GET", "POST", "HEAD", "DELETE"])(
    "%s is answered by 426 and what would have been served",
    async (method) => {
      const response = await fetchFrom({}, "any/path", { method });
      expect(response.status).toBe(426);
      expect(response.headers.get("upgrade")).toBe("websocket");
      expect(response.headers.get("sec-websocket-version")).toBe("13");
      expect(await response.text()).toBe(
        method === "HEAD" ? "" : "this server speaks WebSocket only\n",
      );
    },
  );
});

describe("the request hook", () => {
  it("gets method, URL, headers and who asks", async () => {
    const asked = new Mailbox<[Request, RequestInfo]>();
    const { url } = await start({
      request: (request, info) => {
        asked.put([request, info]);
        return new Response();
      },
    });
    await fetch(`${httpUrl(url)}a/b?c=d%20e`, {
      method: "PUT",
      headers: { "X-One": "1" },
      body: "x",
    });
    const [request, info] = await asked.take();
    expect(request.method).toBe("PUT");
    expect(request.url).toBe(`${httpUrl(url)}a/b?c=d%20e`);
    expect(request.headers.get("x-one")).toBe("1");
    expect(info).toMatchObject({ secure: false, peer: { hostname: "127.0.0.1" } });
  });

  it.each([0, 1, 65536, 2 ** 20])(
    "gets a body of %i bytes, and its answer comes back",
    async (size) => {
      const request: ServeOptions["request"] = async (request) =>
        new Response(await request.arrayBuffer());
      const response = await fetchFrom({ request }, "", {
        method: "POST",
        body: bytes(size) as Uint8Array<ArrayBuffer>,
      });
      expect(response.status).toBe(200);
      expect(same(new Uint8Array(await response.arrayBuffer()), bytes(size))).toBe(true);
    },
  );

  it("gets a body that comes in chunks of HTTP, in any segments", async () => {
    const { url } = await start({ request: async (request) => new Response(await request.text()) });
    const peer = await rawConnect(url);
    const body = "5\r\nHallo\r\n1;ext=1\r\n \r\na\r\nmein Jesus\r\n0\r\nTrailer: x\r\n\r\n";
    for (
      const part of `POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n${body}`.match(
        /[^]{1,7}/g,
      )!
    ) {
      peer.write(part);
      await sleep(1);
    }
    expect(await peer.takeAll()).toMatch(/\r\n\r\n10\r\nHallo mein Jesus\r\n0\r\n\r\n$/);
    peer.end();
  });

  it("answers with status, reason, headers and more than one cookie", async () => {
    const headers: [string, string][] = [["Set-Cookie", "a=1"], ["Set-Cookie", "b=2"], [
      "X-Y",
      "z",
    ]];
    const { url } = await start({
      request: () => new Response("made", { status: 201, statusText: "Made", headers }),
    });
    const peer = await rawConnect(url);
    peer.end("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    const answer = await peer.takeAll();
    expect(answer).toMatch(/^HTTP\/1\.1 201 Made\r\n/);
    expect(answer.match(/^set-cookie: .*$/gim)).toEqual(["set-cookie: a=1", "set-cookie: b=2"]);
    expect(answer).toMatch(/^x-y: z\r$/im);
  });

  it("answers with text, typed and whole", async () => {
    const body = new Blob([text(200_000)], { type: "text/html" });
    const response = await fetchFrom({ request: () => new Response(body) });
    expect(response.headers.get("content-type")).toMatch(/^text\/html/);
    expect(await response.text()).toBe(text(200_000));
  });

  it("answers with a stream of 8 MiB", async () => {
    const response = await fetchFrom({ request: () => new Response(stream(128)) });
    expect((await response.arrayBuffer()).byteLength).toBe(128 * 65536);
  });

  it("answers with a stream no faster than it is read", async () => {
    let pulled = 0;
    let cancelled = false;
    const endless = new ReadableStream<Uint8Array>({
      pull: (controller) => {
        pulled++;
        controller.enqueue(new Uint8Array(65536));
      },
      cancel: () => void (cancelled = true),
    });
    const { url } = await start({
      request: () => new Response(endless as ReadableStream<Uint8Array<ArrayBuffer>>),
    });
    const peer = await rawConnect(url);
    peer.socket.pause();
    peer.write("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    expect(await settled(() => pulled)).toBeLessThan(1000);
    peer.socket.destroy();
    await until(() => cancelled, "the stream was cancelled");
  });

  it("answers an HTTP/1.1 request with Content-Length where the application gives it", async () => {
    const request = (): Response =>
      new Response(stream(2), { headers: { "Content-Length": "131072" } });
    const response = await fetchFrom({ request });
    expect(response.headers.get("content-length")).toBe("131072");
    expect((await response.arrayBuffer()).byteLength).toBe(131_072);
  });

  it("answers HEAD with the fields and without the body", async () => {
    let cancelled = false;
    const request = (): Response =>
      new Response(stream(2, () => void (cancelled = true)), {
        headers: { "Content-Length": "131072" },
      });
    const { url } = await start({ request });
    const peer = await rawConnect(url);
    peer.write("HEAD / HTTP/1.1\r\nHost: a\r\n\r\n");
    const answer = await peer.takeAll();
    expect(answer).toMatch(/^HTTP\/1\.1 200 [^]*content-length: 131072\r\n[^]*\r\n\r\n$/i);
    expect(cancelled).toBe(true);
    peer.end();
  });

  it.each([204, 304])("answers with %i, which has no body", async (status) => {
    const { url } = await start({ request: () => new Response(null, { status }) });
    const peer = await rawConnect(url);
    peer.write("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    const answer = await peer.takeAll();
    expect(answer).toMatch(new RegExp(`^HTTP/1\\.1 ${status} [^]*\r\n\r\n$`));
    expect(answer).not.toMatch(/transfer-encoding|content-length: [^0]/i);
    peer.end();
  });

  it("closes the connection after the answer, and says so", async () => {
    const { url } = await start({ request: () => new Response("once") });
    const peer = await rawConnect(url);
    peer.write("GET / HTTP/1.1\r\nHost: a\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n");
    const answer = await peer.takeAll();
    expect(answer).toMatch(/\r\nconnection: close\r\n/i);
    expect(answer.match(/HTTP\/1\.1 200/g)).toHaveLength(1);
    peer.end();
    await until(() => peer.closed, "the connection was gone");
  });

  it("serves while sockets are open on the same port", async () => {
    const { url } = await start({
      request: () => new Response("page"),
      message: (socket, data) => void socket.send(data),
    });
    const messages = new Mailbox<unknown>();
    const socket = await open(url, { message: (_, data) => messages.put(data) });
    expect(await (await fetch(httpUrl(url))).text()).toBe("page");
    socket.send("still");
    expect(await messages.take()).toBe("still");
  });

  it("may look at the body and be asked over many connections at once", async () => {
    const { url } = await start({
      request: async (request) => new Response(`${await request.text()}!`),
    });
    const bodies = Array.from({ length: 30 }, (_, i) => `body ${i}`);
    const answers = await Promise.all(
      bodies.map(async (body) => (await fetch(httpUrl(url), { method: "POST", body })).text()),
    );
    expect(answers).toEqual(bodies.map((body) => `${body}!`));
  });
});

describe("a request hook that fails", () => {
  it.each<[string, () => unknown]>([
    ["throws", () => {
      throw new Error("broken hook");
    }],
    ["rejects", () => Promise.reject(new Error("broken hook"))],
    ["returns no Response", () => "page"],
  ])("%s: 500, the error to `error`, and the server lives on", async (_, hook) => {
    const errors: unknown[] = [];
    const { url } = await start({
      request: hook as () => Response,
      error: (error) => void errors.push(error),
    });
    const response = await fetch(httpUrl(url));
    expect(response.status).toBe(500);
    expect(await response.text()).not.toContain("broken hook");
    expect(errors).toEqual([expect.any(Error)]);
    await open(url);
  });

  it("in the middle of its body: the connection is dropped, so that the client can tell", async () => {
    const errors: unknown[] = [];
    const failing = new ReadableStream<Uint8Array<ArrayBuffer>>({
      async pull(controller) {
        controller.enqueue(new Uint8Array(10));
        await sleep(20);
        controller.error(new Error("broken body"));
      },
    });
    const { url } = await start({
      request: () => new Response(failing),
      error: (error) => void errors.push(error),
    });
    const peer = await rawConnect(url);
    peer.write("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    await until(() => peer.closed || peer.ended, "the connection was dropped");
    const answer = await peer.takeAll();
    expect(answer).toMatch(/transfer-encoding: chunked/i);
    expect(answer).not.toMatch(/\r\n0\r\n\r\n$/);
    expect(errors).toEqual([expect.objectContaining({ message: "broken body" })]);
  });
});

describe("a request that is wrong", () => {
  it.each([
    [
      "a body that is too large",
      `Content-Length: ${2 ** 20 + 1}\r\n\r\n${Buffer.alloc(2 ** 20 + 1, "x")}`,
      413,
    ],
    ["a chunk that is malformed", "Transfer-Encoding: chunked\r\n\r\nxyz\r\n", 400],
    ["two lengths", "Content-Length: 1\r\nContent-Length: 2\r\n\r\nab", 400],
    ["length and chunks", "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400],
  ])("for %s is answered at once", async (_, rest, status) => {
    const { url } = await start({ request: async (request) => new Response(await request.text()) });
    const peer = await rawConnect(url);
    peer.write(`POST / HTTP/1.1\r\nHost: a\r\n${rest}`);
    expect(await peer.takeAll()).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
    peer.end();
  });

  it("for a body that ends too early is answered by 400", async () => {
    const { url } = await start({ request: () => new Response() });
    const peer = await rawConnect(url);
    peer.end("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nshort");
    expect(await peer.takeAll()).toMatch(/^HTTP\/1\.1 400 /);
  });

  it("for a body that does not come in time is answered by 408", async () => {
    const { url } = await start({ timeouts: { handshake: 200 }, request: () => new Response() });
    const peer = await rawConnect(url);
    peer.write("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nslow");
    expect(await peer.takeAll()).toMatch(/^HTTP\/1\.1 408 /);
    peer.end();
  });
});
