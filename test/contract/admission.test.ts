// Limits on connections: whoever is one too many hears 503, and takes no place.

import { connect } from "sansws";
import { describe, expect, it } from "vitest";
import { hasOpenssl, makeCertificates } from "./certificates.ts";
import { rawConnect, rawOpen, request } from "./raw.ts";
import { ending, open, start, until } from "./suite.ts";

const REFUSED = { name: "HandshakeError", fault: "status-not-101", answer: { status: 503 } };

describe("connections.max", () => {
  it("answers one too many with 503 and why, and lets the next one in when a place is free", async () => {
    const { server, url } = await start({ connections: { max: 2 } });
    const first = await open(url);
    await open(url);
    const peer = await rawConnect(url);
    peer.write(request());
    const answer = await peer.takeAll();
    expect(answer).toMatch(
      /^HTTP\/1\.1 503 [^]*\r\nRetry-After: 5\r\n[^]*\r\nthere are too many connections\n$/,
    );
    peer.end();
    await expect(connect(url)).rejects.toMatchObject(REFUSED);
    first.close();
    await first.closed;
    await until(() => server.sockets.size === 1, "the server forgot it");
    await open(url);
    await expect(connect(url)).rejects.toMatchObject(REFUSED);
  });

  it("counts right whatever way connections end", async () => {
    const { server, url } = await start({
      connections: { max: 3 },
      timeouts: { close: 100, handshake: 200 },
      upgrade: ({ target }) => target === "/no" ? { status: 403 } : undefined,
      request: () => new Response("page"),
    });
    for (let round = 0; round < 3; round++) {
      await connect(`${url}no`).catch(() => {});
      await (await fetch(url.replace("ws:", "http:"))).text();
      (await open(url)).abort();
      (await open(url)).close();
      (await rawOpen(url)).socket.destroy();
      (await rawOpen(url)).end();
      (await rawConnect(url)).end("nonsense\r\n\r\n");
      (await rawConnect(url)).socket.destroy();
      await until(
        () => open(url).then((socket) => socket.abort(), () => false).then(() => true),
        "there was a place",
      );
      await until(() => server.sockets.size === 0, "the server had none left");
    }
    const sockets = [];
    await until(async () => {
      await connect(url).then((socket) => sockets.push(socket), () => {});
      return sockets.length === 3;
    }, "there were three places");
    await expect(connect(url)).rejects.toMatchObject(REFUSED);
    await server.close({ deadline: 0 });
  });
});

describe.runIf(hasOpenssl)("connections.max over TLS", () => {
  it("is answered with 503, too", async () => {
    const { ca, server: tls } = makeCertificates();
    const { server, url } = await start({ tls, connections: { max: 1 } });
    const socket = await open(url, { tls: { ca } });
    await expect(connect(url, { tls: { ca } })).rejects.toMatchObject(REFUSED);
    socket.close();
    await until(() => server.sockets.size === 0, "the server forgot it");
    await open(url, { tls: { ca } });
  });
});

describe("connections.maxPerAddress", () => {
  it("counts each address by itself", async () => {
    const { server } = await start({ hostname: "::", connections: { maxPerAddress: 1 } });
    const { port } = server.address;
    const socket = await open(`ws://127.0.0.1:${port}/`);
    await expect(connect(`ws://127.0.0.1:${port}/`)).rejects.toMatchObject(REFUSED);
    await open(`ws://[::1]:${port}/`);
    socket.close();
    expect(ending(await socket.closed)).toBe("1000 \"\" clean local");
    await until(() => server.sockets.size === 1, "the server forgot it");
    await open(`ws://127.0.0.1:${port}/`);
  });
});

describe("connections.maxHandshakes", () => {
  it("counts who has not been answered, and not who is in", async () => {
    const { url } = await start({ connections: { maxHandshakes: 2 } });
    for (let i = 0; i < 4; i++) await open(url);
    const first = await rawConnect(url);
    await rawConnect(url);
    await until(
      () => connect(url).then((socket) => (socket.abort(), false), () => true),
      "both counted",
    );
    await expect(connect(url)).rejects.toMatchObject(REFUSED);
    first.write(request());
    expect(await first.takeHead()).toMatch(/^HTTP\/1\.1 101 /);
    await open(url);
  });
});
