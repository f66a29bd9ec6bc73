// Requests that are no upgrades: GET and HEAD, a web Request in, a web Response out; by default 426.

import type { RequestHook, ServeOptions } from "sansws";
import type { RequestInfo } from "sansws/node";
import { describe, expect, it } from "vitest";
import { rawConnect, type RawPeer, request as upgrade } from "./raw.ts";
import { Mailbox, open, settled, sleep, start, text, until } from "./suite.ts";

const GET = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
const HEAD = "HEAD / HTTP/1.1\r\nHost: a\r\n\r\n";

function httpUrl(url: string): string {
  return url.replace("ws:", "http:");
}

/** The whole answer to these bytes, as text. */
async function answerTo(bytes: string, options: ServeOptions = {}): Promise<string> {
  const { url } = await start(options);
  return await ask(url, bytes);
}

async function ask(url: string, bytes: string): Promise<string> {
  const peer = await rawConnect(url);
  peer.write(bytes);
  const answer = await peer.takeAll();
  peer.end();
  return answer;
}

function statusOf(answer: string): number {
  return Number(/^HTTP\/1\.1 (\d{3}) /.exec(answer)?.[1]);
}

function bodyOf(answer: string): string {
  return answer.slice(answer.indexOf("\r\n\r\n") + 4);
}

function fieldsOf(answer: string, name: string): string[] {
  const head = answer.slice(0, answer.indexOf("\r\n\r\n"));
  return head.split("\r\n").slice(1).filter((line) => line.toLowerCase().startsWith(`${name}: `))
    .map((line) => line.slice(name.length + 2));
}

const page: RequestHook = () => new Response("page");

type Bytes = Uint8Array<ArrayBuffer>;

/** A stream of so many chunks of `size` bytes, each after a delay; then silent, or at its end. */
function stream(
  { count, size = 65_536, delay = 0, end = true, onCancel = () => {} }: {
    count: number;
    size?: number;
    delay?: number;
    end?: boolean;
    onCancel?: (reason: unknown) => void;
  },
): ReadableStream<Bytes> {
  let left = count;
  return new ReadableStream<Bytes>({
    pull: async (controller) => {
      if (left === 0 && end) return controller.close();
      if (left === 0) return await new Promise(() => {});
      if (delay > 0) await sleep(delay);
      left--;
      controller.enqueue(new Uint8Array(size).fill(120));
    },
    cancel: onCancel,
  });
}

const METHODS = [
  "GET",
  "HEAD",
  "POST",
  "PUT",
  "PATCH",
  "DELETE",
  "TRACE",
  "CONNECT",
  "PROPFIND",
  "get",
];

describe.each<[string, RequestHook | undefined, number]>([
  ["without a request hook", undefined, 426],
  ["with a request hook", page, 200],
])("%s", (_, request, status) => {
  it.each(METHODS.slice(0, 2))("%s is answered", async (method) => {
    const answer = await answerTo(`${method} /any/path HTTP/1.1\r\nHost: a\r\n\r\n`, { request });
    expect(statusOf(answer)).toBe(status);
    expect(bodyOf(answer) === "").toBe(method === "HEAD");
  });

  it.each(["OPTIONS /", "OPTIONS *"])("%s is answered by 204 and the methods", async (line) => {
    const answer = await answerTo(`${line} HTTP/1.1\r\nHost: a\r\n\r\n`, { request });
    expect(statusOf(answer)).toBe(204);
    expect(fieldsOf(answer, "allow")).toEqual(["GET, HEAD, OPTIONS"]);
  });

  it.each(METHODS.slice(2))("%s is answered by 405 and the methods there are", async (method) => {
    let asked = 0;
    const answer = await answerTo(`${method} / HTTP/1.1\r\nHost: a\r\n\r\n`, {
      request: request && ((...args) => {
        asked++;
        return request(...args);
      }),
    });
    expect(statusOf(answer)).toBe(405);
    expect(fieldsOf(answer, "allow")).toEqual(["GET, HEAD, OPTIONS"]);
    expect(bodyOf(answer)).toMatch(/only GET, HEAD and OPTIONS/);
    expect(asked).toBe(0);
  });

  it.each([
    ["HTTP/1.0", "", status],
    ["HTTP/1.0", "Host: a\r\n", status],
    ["HTTP/1.1", "", 400],
    ["HTTP/1.2", "Host: a\r\n", status],
    ["HTTP/1.9", "Host: a\r\n", status],
    ["HTTP/2.0", "Host: a\r\n", 505],
    ["HTTP/3.0", "Host: a\r\n", 505],
    ["HTTP/0.9", "Host: a\r\n", 505],
    ["HTTP/11.1", "Host: a\r\n", 400],
  ])("a request of %s with %j is answered by %i", async (version, fields, expected) => {
    expect(statusOf(await answerTo(`GET / ${version}\r\n${fields}\r\n`, { request }))).toBe(
      expected,
    );
  });

  it("an upgrade over HTTP/1.0 is answered by 426", async () => {
    const answer = await answerTo(upgrade().replace("HTTP/1.1", "HTTP/1.0"), { request });
    expect(statusOf(answer)).toBe(426);
    expect(fieldsOf(answer, "upgrade")).toEqual(["websocket"]);
  });

  // The bytes of a body must never pass for a request of their own.
  const hidden = "GET /hidden HTTP/1.1\r\nHost: a\r\n\r\n";
  const chunked = `${hidden.length.toString(16)}\r\n${hidden}\r\n0\r\n\r\n`;

  it.each([
    ["a second request", "GET", `\r\n${hidden}`],
    ["a body", "GET", `Content-Length: ${hidden.length}\r\n\r\n${hidden}`],
    ["a body in chunks", "GET", `Transfer-Encoding: chunked\r\n\r\n${chunked}`],
    ["a body and a request", "GET", `Content-Length: 5\r\n\r\nfive!${hidden}`],
    ["a body of HEAD", "HEAD", `Content-Length: ${hidden.length}\r\n\r\n${hidden}`],
    ["a body of POST", "POST", `Content-Length: ${hidden.length}\r\n\r\n${hidden}`],
    ["a body in chunks of POST", "POST", `Transfer-Encoding: chunked\r\n\r\n${chunked}`],
    ["a body that is not whole", "POST", `Content-Length: 99999\r\n\r\n${hidden}`],
  ])("%s is not read: one answer, at once or in pieces", async (_what, method, rest) => {
    const paths: string[] = [];
    const bodies: unknown[] = [];
    const { url } = await start({
      request: request && ((asked, info) => {
        paths.push(new URL(asked.url).pathname);
        bodies.push(asked.body);
        return request(asked, info);
      }),
    });
    const bytes = `${method} /asked HTTP/1.1\r\nHost: a\r\n${rest}`;
    const answers = [await ask(url, bytes)];
    const peer = await rawConnect(url);
    for (const piece of bytes.match(/[^]{1,20}/g)!) {
      peer.write(piece);
      await sleep(1);
    }
    answers.push(await peer.takeAll());
    peer.end();
    for (const answer of answers) {
      expect(statusOf(answer)).toBe(method === "POST" ? 405 : status);
      expect(answer.match(/HTTP\/1\.1 \d{3}/g)).toHaveLength(1);
    }
    const isAsked = request !== undefined && method !== "POST";
    expect(paths).toEqual(isAsked ? ["/asked", "/asked"] : []);
    expect(bodies.every((body) => body === null || body === undefined)).toBe(true);
  });

  it.each(["GET", "POST"])(
    "the answer to %s arrives although a large body follows",
    async (method) => {
      const { url } = await start({ request });
      const peer = await rawConnect(url);
      peer.write(`${method} / HTTP/1.1\r\nHost: a\r\nContent-Length: 3000000\r\n\r\n`);
      peer.write(new Uint8Array(3_000_000));
      const answer = await peer.takeAll();
      expect(statusOf(answer)).toBe(method === "POST" ? 405 : status);
      expect(bodyOf(answer)).not.toBe("");
      expect(peer.reset).toBe(false);
      peer.end();
    },
  );

  it.each([
    ["two lengths", "Content-Length: 1\r\nContent-Length: 2\r\n\r\nab"],
    ["a length that is none", "Content-Length: 0x1\r\n\r\na"],
    ["length and chunks", "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"],
    ["another coding", "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n"],
  ])("a request with %s is wrong, whatever its method", async (_what, rest) => {
    for (const method of ["GET", "POST"]) {
      const answer = await answerTo(`${method} / HTTP/1.1\r\nHost: a\r\n${rest}`, { request });
      expect([400, 501]).toContain(statusOf(answer));
    }
  });
});

describe("without a request hook", () => {
  it.each([GET, HEAD])("%j hears what would have been served", async (asked) => {
    const answer = await answerTo(asked);
    expect(fieldsOf(answer, "upgrade")).toEqual(["websocket"]);
    expect(fieldsOf(answer, "connection")).toEqual(["close, Upgrade"]);
    expect(fieldsOf(answer, "sec-websocket-version")).toEqual(["13"]);
    const body = "this server speaks WebSocket only\n";
    expect(fieldsOf(answer, "content-length")).toEqual([`${body.length}`]);
    expect(bodyOf(answer)).toBe(asked === HEAD ? "" : body);
  });
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
    await fetch(`${httpUrl(url)}a/b?c=d%20e`, { method: "HEAD", headers: { "X-One": "1" } });
    const [request, info] = await asked.take();
    expect(request.method).toBe("HEAD");
    expect(request.url).toBe(`${httpUrl(url)}a/b?c=d%20e`);
    expect(request.headers.get("x-one")).toBe("1");
    expect(info).toMatchObject({ secure: false, peer: { hostname: "127.0.0.1" } });
  });

  it.each([
    ["/a?b=c", "Host: a.test:81\r\n", "HTTP/1.1", "http://a.test:81/a?b=c"],
    ["//evil.test/x", "Host: a.test\r\n", "HTTP/1.1", "http://a.test//evil.test/x"],
    ["http://b.test/x", "Host: a.test\r\n", "HTTP/1.1", "http://b.test/x"],
    ["http://b.test?x", "Host: a.test\r\n", "HTTP/1.1", "http://b.test/?x"],
    ["/old", "", "HTTP/1.0", "http://localhost/old"],
  ])("gets for the target %s with %j the URL", async (target, host, version, expected) => {
    let url = "";
    await answerTo(`GET ${target} ${version}\r\n${host}\r\n`, {
      request: (request) => {
        ({ url } = request);
        return new Response();
      },
    });
    expect(url).toBe(expected);
  });

  it("is not asked when host and target make no URL", async () => {
    for (const method of ["GET", "HEAD"]) {
      const answer = await answerTo(`${method} / HTTP/1.1\r\nHost: a:99999\r\n\r\n`, {
        request: page,
      });
      expect(statusOf(answer)).toBe(400);
      expect(bodyOf(answer)).toBe(method === "HEAD" ? "" : "host and target make no URL\n");
    }
  });

  it("answers with status, reason, headers and more than one cookie", async () => {
    const headers: [string, string][] = [["Set-Cookie", "a=1"], ["Set-Cookie", "b=2"], [
      "X-Y",
      "z",
    ]];
    const answer = await answerTo(GET, {
      request: () => new Response("made", { status: 201, statusText: "Made", headers }),
    });
    expect(answer).toMatch(/^HTTP\/1\.1 201 Made\r\n/);
    expect(fieldsOf(answer, "set-cookie")).toEqual(["a=1", "b=2"]);
    expect(fieldsOf(answer, "x-y")).toEqual(["z"]);
  });

  it("answers without the fields that belong to one transport", async () => {
    const headers = {
      Connection: "keep-alive, Upgrade",
      "Keep-Alive": "timeout=5",
      "Transfer-Encoding": "gzip",
      Upgrade: "h2c",
    };
    const answer = await answerTo(GET, { request: () => new Response("x", { headers }) });
    expect(fieldsOf(answer, "connection")).toEqual(["close"]);
    expect(fieldsOf(answer, "transfer-encoding")).toEqual(["chunked"]);
    expect([...fieldsOf(answer, "keep-alive"), ...fieldsOf(answer, "upgrade")]).toEqual([]);
  });

  it("answers with text, typed and whole", async () => {
    const body = new Blob([text(200_000)], { type: "text/html" });
    const { url } = await start({ request: () => new Response(body) });
    const response = await fetch(httpUrl(url));
    expect(response.headers.get("content-type")).toMatch(/^text\/html/);
    expect(await response.text()).toBe(text(200_000));
  });

  it("answers with a stream of 8 MiB", async () => {
    const { url } = await start({ request: () => new Response(stream({ count: 128 })) });
    expect((await (await fetch(httpUrl(url))).arrayBuffer()).byteLength).toBe(128 * 65_536);
  });

  it("writes chunks of HTTP: their sizes, and the last one", async () => {
    const request: RequestHook = () => new Response(stream({ count: 2, size: 20, delay: 5 }));
    const body = bodyOf(await answerTo(GET, { request }));
    const chunk = "x".repeat(20);
    expect(body).toBe(`14\r\n${chunk}\r\n14\r\n${chunk}\r\n0\r\n\r\n`);
  });

  it("answers HTTP/1.0 without chunks: the end of the transport ends the body", async () => {
    const request: RequestHook = () => new Response(stream({ count: 2, size: 20, delay: 5 }));
    const answer = await answerTo("GET / HTTP/1.0\r\n\r\n", { request });
    expect(statusOf(answer)).toBe(200);
    expect(fieldsOf(answer, "transfer-encoding")).toEqual([]);
    expect(fieldsOf(answer, "connection")).toEqual(["close"]);
    expect(bodyOf(answer)).toBe("x".repeat(40));
  });

  it.each(["1.0", "1.1"])(
    "answers HTTP/%s with the Content-Length that is given",
    async (version) => {
      const headers = { "Content-Length": "40" };
      const request: RequestHook = () => new Response(stream({ count: 2, size: 20 }), { headers });
      const answer = await answerTo(`GET / HTTP/${version}\r\nHost: a\r\n\r\n`, { request });
      expect(fieldsOf(answer, "content-length")).toEqual(["40"]);
      expect(fieldsOf(answer, "transfer-encoding")).toEqual([]);
      expect(bodyOf(answer)).toBe("x".repeat(40));
    },
  );

  it("answers with a stream no faster than it is read", async () => {
    let pulled = 0;
    let cancelled = false;
    const endless = new ReadableStream<Bytes>({
      pull: (controller) => {
        pulled++;
        controller.enqueue(new Uint8Array(65_536));
      },
      cancel: () => void (cancelled = true),
    });
    const { url } = await start({ request: () => new Response(endless) });
    const peer = await rawConnect(url);
    peer.socket.pause();
    peer.write(GET);
    expect(await settled(() => pulled)).toBeLessThan(1000);
    peer.socket.destroy();
    await until(() => cancelled, "the stream was cancelled");
  });

  it("drops a client that takes nothing for as long as a pong may take", async () => {
    let cancelled = false;
    const endless = stream({ count: Infinity, onCancel: () => void (cancelled = true) });
    const { url } = await start({
      request: () => new Response(endless),
      timeouts: { pingInterval: 200, pongTimeout: 200 },
    });
    const peer = await rawConnect(url);
    peer.socket.pause();
    peer.write(GET);
    await until(() => cancelled, "the stream was cancelled");
    peer.socket.resume();
    await until(() => peer.ended || peer.closed, "the connection was dropped");
  });

  it("answers HEAD with the fields and without the body", async () => {
    let cancelled = false;
    const body = stream({ count: 2, onCancel: () => void (cancelled = true) });
    const headers = { "Content-Length": "131072", "X-Y": "z" };
    const answer = await answerTo(HEAD, { request: () => new Response(body, { headers }) });
    expect(statusOf(answer)).toBe(200);
    expect(fieldsOf(answer, "content-length")).toEqual(["131072"]);
    expect(fieldsOf(answer, "x-y")).toEqual(["z"]);
    expect(bodyOf(answer)).toBe("");
    expect(cancelled).toBe(true);
  });

  it.each([204, 304])("answers with %i, which has no body", async (status) => {
    const answer = await answerTo(GET, { request: () => new Response(null, { status }) });
    expect(statusOf(answer)).toBe(status);
    expect(bodyOf(answer)).toBe("");
    expect(fieldsOf(answer, "transfer-encoding")).toEqual([]);
    expect(fieldsOf(answer, "content-length")).toEqual([]);
  });

  it("answers with an empty body, and says so", async () => {
    const answer = await answerTo(GET, { request: () => new Response(null) });
    expect(fieldsOf(answer, "content-length")).toEqual(["0"]);
    expect(fieldsOf(answer, "transfer-encoding")).toEqual([]);
    expect(bodyOf(answer)).toBe("");
  });

  it("closes the connection after the answer, and says so", async () => {
    const { url } = await start({ request: page });
    const peer = await rawConnect(url);
    peer.write(GET);
    expect(fieldsOf(await peer.takeAll(), "connection")).toEqual(["close"]);
    peer.end();
    await until(() => peer.closed, "the connection was gone");
  });

  it("serves while sockets are open on the same port", async () => {
    const { url } = await start({
      request: page,
      message: (socket, data) => void socket.send(data),
    });
    const messages = new Mailbox<unknown>();
    const socket = await open(url, { message: (_, data) => messages.put(data) });
    expect(await (await fetch(httpUrl(url))).text()).toBe("page");
    socket.send("still");
    expect(await messages.take()).toBe("still");
  });

  it("may be asked over many connections at once, and take its time", async () => {
    const { url } = await start({
      request: async (request) => {
        await sleep(Math.random() * 20);
        return new Response(`${new URL(request.url).pathname}!`);
      },
    });
    const paths = Array.from({ length: 30 }, (_, i) => `${i}`);
    const answers = await Promise.all(
      paths.map(async (path) => (await fetch(`${httpUrl(url)}${path}`)).text()),
    );
    expect(answers).toEqual(paths.map((path) => `/${path}!`));
  });
});

describe("Date", () => {
  const fail = (): never => {
    throw new Error("broken hook");
  };

  it.each<[string, string, number, ServeOptions]>([
    ["an answer of the hook's", GET, 200, { request: page }],
    ["an answer to HEAD", HEAD, 200, { request: page }],
    ["an answer in chunks", GET, 200, { request: () => new Response(stream({ count: 1 })) }],
    ["an answer to HTTP/1.0", "GET / HTTP/1.0\r\n\r\n", 200, { request: page }],
    ["a refusal without a hook", GET, 426, {}],
    ["a refusal of the method", GET.replace("GET", "PUT"), 405, {}],
    ["a refusal of the version", GET.replace("1.1", "2.0"), 505, {}],
    ["a malformed request", "GET /\r\n\r\n", 400, {}],
    ["a head that is too large", GET.replace("a", "a".repeat(20_000)), 431, {}],
    ["a request that is late", "GET / HTTP/1.1\r\n", 408, { timeouts: { handshake: 100 } }],
    ["a hook that throws", GET, 500, { request: fail, error: () => {} }],
    ["a rejected upgrade", upgrade(), 403, { upgrade: () => ({ status: 403 }) }],
    ["an upgrade hook that throws", upgrade(), 500, { upgrade: fail, error: () => {} }],
  ])("is in %s", async (_what, bytes, status, options) => {
    const answer = await answerTo(bytes, options);
    expect(statusOf(answer)).toBe(status);
    expectDate(answer);
  });

  function expectDate(answer: string): void {
    const dates = fieldsOf(answer, "date");
    expect(dates).toEqual([expect.stringMatching(/^\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT$/)]);
    expect(Math.abs(Date.parse(dates[0]!) - Date.now())).toBeLessThan(5000);
  }

  it("is in the answer that opens a WebSocket", async () => {
    const { url } = await start();
    const peer = await rawConnect(url);
    peer.write(upgrade());
    const head = await peer.takeHead();
    expect(statusOf(head)).toBe(101);
    expectDate(`${head}\r\n\r\n`);
  });

  it("is in what one connection too many hears", async () => {
    const { url } = await start({ connections: { max: 1 } });
    await open(url);
    const answer = await ask(url, "");
    expect(statusOf(answer)).toBe(503);
    expectDate(answer);
  });

  it("is the application's where it gives one", async () => {
    const headers = { Date: "Thu, 01 Jan 1970 00:00:00 GMT" };
    for (
      const [bytes, options] of [
        [GET, { request: () => new Response("x", { headers }) }],
        [upgrade(), { upgrade: () => ({ status: 403, headers }) }],
      ] as const
    ) {
      expect(fieldsOf(await answerTo(bytes, options), "date")).toEqual([headers.Date]);
    }
  });
});

describe("a request hook that fails", () => {
  it.each<[string, () => unknown]>([
    ["throws", () => {
      throw new Error("broken hook");
    }],
    ["rejects", () => Promise.reject(new Error("broken hook"))],
    ["returns no Response", () => "page"],
    ["answers with 101", () => new Response(null, { status: 101 })],
  ])("%s: 500, the error to `error`, and the server lives on", async (_, hook) => {
    const errors: unknown[] = [];
    const { url } = await start({
      request: hook as () => Response,
      error: (error) => void errors.push(error),
    });
    const answer = await ask(url, GET);
    expect(statusOf(answer)).toBe(500);
    expect(bodyOf(answer)).toBe("the server failed to answer this request\n");
    expect(errors).toEqual([expect.any(Error)]);
    const head = await ask(url, HEAD);
    expect(statusOf(head)).toBe(500);
    expect(bodyOf(head)).toBe("");
    await open(url);
  });

  it("in the middle of its body: the connection is dropped, so that the client can tell", async () => {
    const errors: unknown[] = [];
    const failing = new ReadableStream<Bytes>({
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
    peer.write(GET);
    const answer = await peer.takeAll();
    expect(fieldsOf(answer, "transfer-encoding")).toEqual(["chunked"]);
    expect(answer).not.toMatch(/\r\n0\r\n\r\n$/);
    expect(errors).toEqual([expect.objectContaining({ message: "broken body" })]);
  });
});

describe("a client that leaves", () => {
  type Leave = "ends its side" | "resets";
  const LEAVES: readonly Leave[] = ["ends its side", "resets"];

  function leave(peer: RawPeer, how: Leave): void {
    if (how === "resets") peer.socket.resetAndDestroy();
    else peer.end();
  }

  /** A server with a place for one, and a hook for all paths but `/free`. */
  async function startOne(
    request: RequestHook,
  ): Promise<{ peer: RawPeer; errors: unknown[]; whenFree: (within: number) => Promise<void>; }> {
    const errors: unknown[] = [];
    const { url } = await start({
      connections: { max: 1 },
      request: (asked, info) =>
        asked.url.endsWith("/free") ? new Response("free") : request(asked, info),
      error: (error) => errors.push(error),
    });
    const peer = await rawConnect(url);
    return {
      peer,
      errors,
      async whenFree(within) {
        const begun = Date.now();
        const free = GET.replace("/", "/free");
        await until(async () => statusOf(await ask(url, free)) === 200, "the place was free");
        expect(Date.now() - begun).toBeLessThan(within);
      },
    };
  }

  /** Milliseconds until the condition holds. */
  async function timeUntil(condition: () => boolean, what: string): Promise<number> {
    const begun = performance.now();
    await until(condition, what);
    return performance.now() - begun;
  }

  it.each(LEAVES)("%s during the hook: the signal is aborted", async (how) => {
    let signal: AbortSignal | undefined;
    let answered = (_: Response): void => {};
    const { peer, errors, whenFree } = await startOne((request) => {
      ({ signal } = request);
      return new Promise((resolve) => answered = resolve);
    });
    peer.write(GET);
    await until(() => signal !== undefined, "the hook was asked");
    await sleep(50);
    expect(signal!.aborted).toBe(false);
    leave(peer, how);
    expect(await timeUntil(() => signal!.aborted, "the signal was aborted")).toBeLessThan(1000);
    expect(signal!.reason).toMatchObject({ name: "AbortError", message: "the client has left" });
    // Who has only ended its side may still read.
    let cancelled: unknown;
    answered(
      new Response(
        stream({
          count: how === "resets" ? Infinity : 2,
          size: 5,
          onCancel: (it) => cancelled = it,
        }),
      ),
    );
    if (how === "resets") {
      await until(() => cancelled !== undefined, "the stream was cancelled");
      expect(cancelled).toBe(signal!.reason);
    } else {
      expect(bodyOf(await peer.takeAll())).toBe("5\r\nxxxxx\r\n5\r\nxxxxx\r\n0\r\n\r\n");
      expect(cancelled).toBeUndefined();
    }
    await whenFree(1000);
    expect(errors).toEqual([]);
  });

  it("ends its side during a hook that never answers: it is dropped after five seconds", async () => {
    let asked = false;
    const { peer, errors, whenFree } = await startOne(() => {
      asked = true;
      return new Promise(() => {});
    });
    peer.write(GET);
    await until(() => asked, "the hook was asked");
    peer.end();
    const time = await timeUntil(() => peer.closed, "the connection was dropped");
    expect(time).toBeGreaterThan(4500);
    expect(time).toBeLessThan(7000);
    expect(peer.take()).toHaveLength(0);
    await whenFree(1000);
    expect(errors).toEqual([]);
  });

  it("resets during a hook that never answers: its place is free at once", async () => {
    let asked = false;
    const { peer, whenFree } = await startOne(() => {
      asked = true;
      return new Promise(() => {});
    });
    peer.write(GET);
    await until(() => asked, "the hook was asked");
    peer.socket.resetAndDestroy();
    await whenFree(1000);
  });

  it.each(LEAVES)("%s during a stream that is silent: it is cancelled, once", async (how) => {
    const reasons: unknown[] = [];
    let signal: AbortSignal | undefined;
    const { peer, errors, whenFree } = await startOne((request) => {
      ({ signal } = request);
      const onCancel = (reason: unknown): void => void reasons.push(reason);
      return new Response(stream({ count: 1, size: 5, end: false, onCancel }));
    });
    peer.write(GET);
    await peer.takeHead();
    await sleep(300);
    expect([reasons.length, signal!.aborted]).toEqual([0, false]);
    leave(peer, how);
    expect(await timeUntil(() => reasons.length > 0, "the stream was cancelled")).toBeLessThan(
      1000,
    );
    expect(reasons).toEqual([signal!.reason]);
    expect(signal!.reason).toMatchObject({ name: "AbortError" });
    await whenFree(1000);
    await sleep(200);
    expect(reasons).toHaveLength(1);
    expect(errors).toEqual([]);
  });

  it("ends its side during a stream that goes on: it hears all of it", async () => {
    let cancelled = false;
    const { peer, errors, whenFree } = await startOne(() => {
      const onCancel = (): void => void (cancelled = true);
      return new Response(stream({ count: 20, size: 5, delay: 30, onCancel }));
    });
    peer.write(GET);
    await peer.takeHead();
    peer.end();
    expect((await peer.takeAll()).match(/xxxxx/g)).toHaveLength(20);
    expect(cancelled).toBe(false);
    await whenFree(1000);
    expect(errors).toEqual([]);
  });

  it("ends its side before the hook answers with a stream that goes on: it hears all of it", async () => {
    const { peer, errors } = await startOne(async () => {
      await sleep(70);
      return new Response(stream({ count: 20, size: 5, delay: 30 }));
    });
    peer.end(GET);
    const answer = await peer.takeAll();
    expect(answer.match(/xxxxx/g)).toHaveLength(20);
    expect(answer).toMatch(/\r\n0\r\n\r\n$/);
    expect(errors).toEqual([]);
  });

  it("resets during a stream that goes on: it is cancelled", async () => {
    const reasons: unknown[] = [];
    const { peer, errors, whenFree } = await startOne(() => {
      const onCancel = (reason: unknown): void => void reasons.push(reason);
      return new Response(stream({ count: Infinity, size: 5, delay: 10, onCancel }));
    });
    peer.write(GET);
    await peer.takeHead();
    peer.socket.resetAndDestroy();
    await until(() => reasons.length > 0, "the stream was cancelled");
    expect(reasons).toEqual([expect.objectContaining({ name: "AbortError" })]);
    await whenFree(1000);
    expect(errors).toEqual([]);
  });

  it.each<[string, (signal: AbortSignal) => void]>([
    ["throws", () => {
      throw new Error("broken cancel");
    }],
    ["rejects", () => Promise.reject(new Error("broken cancel"))],
  ])("a stream whose cancel %s: told to `error`, and nothing ends of it", async (_, onCancel) => {
    const cancel = onCancel as () => void;
    const { peer, errors, whenFree } = await startOne(() =>
      new Response(stream({ count: 1, size: 5, end: false, onCancel: cancel }))
    );
    peer.write(GET);
    await peer.takeHead();
    peer.end();
    await until(() => errors.length > 0, "the error was told");
    await whenFree(1000);
    expect(errors).toEqual([expect.objectContaining({ message: "broken cancel" })]);
  });

  it("HEAD, and a stream whose cancel throws: told to `error`, and the answer is whole", async () => {
    const { peer, errors, whenFree } = await startOne(() =>
      new Response(
        stream({
          count: 1,
          onCancel: () => {
            throw new Error("broken cancel");
          },
        }),
        { headers: { "X-Y": "z" } },
      )
    );
    peer.write(HEAD);
    const answer = await peer.takeAll();
    expect(statusOf(answer)).toBe(200);
    expect(fieldsOf(answer, "x-y")).toEqual(["z"]);
    expect(bodyOf(answer)).toBe("");
    await until(() => errors.length > 0, "the error was told");
    expect(errors).toEqual([expect.objectContaining({ message: "broken cancel" })]);
    peer.end();
    await whenFree(1000);
  });

  it("after the answer: its place is free once it has ended its side", async () => {
    const { peer, errors, whenFree } = await startOne(page);
    peer.write(GET);
    expect(statusOf(await peer.takeAll())).toBe(200);
    peer.end();
    await whenFree(1000);
    expect(errors).toEqual([]);
  });

  it("never, after the answer: it is dropped after five seconds", async () => {
    const { peer, whenFree } = await startOne(page);
    peer.write(GET);
    expect(statusOf(await peer.takeAll())).toBe(200);
    const begun = performance.now();
    await whenFree(8000);
    expect(performance.now() - begun).toBeGreaterThan(4000);
  });
});
