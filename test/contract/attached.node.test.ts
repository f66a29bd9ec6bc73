// WebSockets on an HTTP server of Node's that is there already, alone and behind a framework's way
// of handing requests over.

import { createServer, get, type IncomingMessage, type RequestListener } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo, Server as NetServer } from "node:net";
import type { Duplex } from "node:stream";
import { connect } from "sansws";
import { attach, type ServerOptions } from "sansws/node";
import { describe, expect, it, onTestFinished } from "vitest";
import { WebSocketServer } from "ws";
import { frame } from "../core/support.ts";
import { hasOpenssl, makeCertificates } from "./certificates.ts";
import { rawConnect, request } from "./raw.ts";
import { bytes, ending, Mailbox, open, same, until } from "./suite.ts";

async function listen(server: NetServer): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void server.close());
  return (server.address() as AddressInfo).port;
}

function fetchText(port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    get({ port, host: "127.0.0.1", agent: false }, (response) => {
      response.setEncoding("utf8").once("data", resolve);
    }).once("error", reject);
  });
}

type Handler = (
  request: IncomingMessage,
  response: Parameters<RequestListener>[1],
  next: () => void,
) => void;

/**
 * As much of a framework as matters: an application is a function that a server calls with each
 * request.
 */
function framework(): RequestListener & { use(handler: Handler): void; } {
  const handlers: Handler[] = [];
  const app: RequestListener = (request, response) => {
    const run = (index: number): void => handlers[index]?.(request, response, () => run(index + 1));
    run(0);
  };
  return Object.assign(app, { use: (handler: Handler) => void handlers.push(handler) });
}

describe("attach", () => {
  it("serves WebSockets beside the HTTP server's own requests", async () => {
    const sockets = attach({ message: (socket, data) => void socket.send(data) });
    const http = createServer((_, response) => void response.end("page"));
    http.on("upgrade", sockets.handleUpgrade);
    const port = await listen(http);
    const messages = new Mailbox<unknown>();
    const socket = await open(`ws://127.0.0.1:${port}/`, {
      message: (_, data) => messages.put(data),
    });
    socket.send("hello");
    expect(await messages.take()).toBe("hello");
    expect(await fetchText(port)).toBe("page");
    expect(sockets.sockets.size).toBe(1);
    socket.close(3000);
    expect(ending(await socket.closed)).toBe("3000 \"\" clean local");
    await until(() => sockets.sockets.size === 0, "the server forgot it");
  });

  it("serves under an application of a framework, on a path of its own beside another library's", async () => {
    const app = framework();
    app.use((request, response, next) =>
      request.url === "/page" ? void response.end("from the app") : next()
    );
    app.use((_, response) => void response.writeHead(404).end("not here"));
    const sockets = attach({
      upgrade: ({ headers }) => ({ data: headers.get("cookie") }),
      open: (socket) => void socket.send(`you are ${socket.data}`),
    });
    const other = new WebSocketServer({ noServer: true });
    const http = createServer(app);
    http.on("upgrade", (request: IncomingMessage, socket: Duplex, head: Buffer) => {
      if (request.url === "/ours") return sockets.handleUpgrade(request, socket, head);
      other.handleUpgrade(request, socket, head, (theirs) => theirs.send("theirs"));
    });
    const port = await listen(http);
    const messages = new Mailbox<unknown>();
    const headers = { Cookie: "ann" };
    await open(`ws://127.0.0.1:${port}/ours`, {
      headers,
      message: (_, data) => messages.put(data),
    });
    expect(await messages.take()).toBe("you are ann");
    await open(`ws://127.0.0.1:${port}/theirs`, { message: (_, data) => messages.put(data) });
    expect(await messages.take()).toBe("theirs");
    expect(await fetchText(port)).toBe("not here");
  });

  it("gets the bytes that came behind the head, and large messages both ways", async () => {
    const sockets = attach({ message: (socket, data) => void socket.send(data) });
    const http = createServer();
    http.on("upgrade", sockets.handleUpgrade);
    const port = await listen(http);
    const peer = await rawConnect(port);
    peer.write(request(), frame("client", 0x81, "with the head"));
    expect(await peer.takeHead()).toMatch(/^HTTP\/1\.1 101 /);
    expect(new TextDecoder().decode((await peer.takeFrames(1))[0]!.payload)).toBe("with the head");
    const messages = new Mailbox<Uint8Array | string>();
    const socket = await open(`ws://127.0.0.1:${port}/`, {
      message: (_, data) => messages.put(data),
    });
    socket.send(bytes(2 ** 24));
    expect(same(await messages.take(), bytes(2 ** 24))).toBe(true);
  });

  it("answers what it does not accept, and what is no good request", async () => {
    const sockets = attach({
      upgrade: ({ target }) => target === "/no" ? { status: 401, body: "no\n" } : undefined,
    });
    const http = createServer();
    http.on("upgrade", sockets.handleUpgrade);
    const port = await listen(http);
    const refused = connect(`ws://127.0.0.1:${port}/no`);
    await expect(refused).rejects.toMatchObject({
      name: "HandshakeError",
      answer: { status: 401 },
    });
    const peer = await rawConnect(port);
    peer.write(request().replace("Version: 13", "Version: 8"));
    expect(await peer.takeAll()).toMatch(/^HTTP\/1\.1 426 [^]*Sec-WebSocket-Version: 13\r\n/i);
    const other = await rawConnect(port);
    other.write("GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n");
    expect(await other.takeAll()).toMatch(/^HTTP\/1\.1 426 /);
  });

  it("outlives peers that reset at every step", async () => {
    const sockets = attach({ message: (socket, data) => void socket.send(data) });
    const http = createServer();
    http.on("upgrade", sockets.handleUpgrade);
    const port = await listen(http);
    for (const data of [request(), request() + "garbage", request().replace("13", "8")]) {
      for (let i = 0; i < 5; i++) {
        const peer = await rawConnect(port);
        peer.write(data);
        if (i > 0) await peer.takeHead();
        peer.socket.resetAndDestroy();
      }
    }
    await until(() => sockets.sockets.size === 0, "the server forgot them");
    await open(`ws://127.0.0.1:${port}/`);
  });

  it("closes its sockets with 1001, answers later upgrades with 503, and leaves the HTTP server alone", async () => {
    const sockets = attach({});
    const http = createServer((_, response) => void response.end("page"));
    http.on("upgrade", sockets.handleUpgrade);
    const port = await listen(http);
    const socket = await open(`ws://127.0.0.1:${port}/`);
    await sockets.close();
    expect(ending(await socket.closed)).toBe("1001 \"\" clean peer");
    const late = connect(`ws://127.0.0.1:${port}/`);
    await expect(late).rejects.toMatchObject({ answer: { status: 503 } });
    expect(await fetchText(port)).toBe("page");
  });

  it("publishes to topics", async () => {
    const sockets = attach({ open: (socket) => socket.subscribe("all") });
    const http = createServer();
    http.on("upgrade", sockets.handleUpgrade);
    const url = `ws://127.0.0.1:${await listen(http)}/`;
    const messages = new Mailbox<unknown>();
    for (let i = 0; i < 3; i++) await open(url, { message: (_, data) => messages.put(data) });
    expect(sockets.publish("all", "hello")).toBe(3);
    expect(await messages.takeAll(3)).toEqual(["hello", "hello", "hello"]);
  });

  it.each([["listening", { port: 80 }], ["unknown", { mesage: () => {} }]])(
    "refuses %s options",
    (_, options) => {
      expect(() => attach(options as ServerOptions)).toThrow(/unknown option/);
    },
  );

  it.runIf(hasOpenssl)("serves on an HTTPS server", async () => {
    const { ca, server } = makeCertificates();
    const secure: boolean[] = [];
    const sockets = attach({
      upgrade: (request) => void secure.push(request.secure),
      message: (socket, data) => void socket.send(data),
    });
    const https = createTlsServer(server);
    https.on("upgrade", sockets.handleUpgrade);
    const messages = new Mailbox<unknown>();
    const port = await listen(https);
    const socket = await open(`wss://127.0.0.1:${port}/`, {
      tls: { ca },
      message: (_, data) => messages.put(data),
    });
    socket.send("secret");
    expect(await messages.take()).toBe("secret");
    expect(secure).toEqual([true]);
    socket.close();
    expect(ending(await socket.closed)).toBe("1000 \"\" clean local");
  });
});
