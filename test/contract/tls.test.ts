// TLS on both sides: what is trusted, what is refused, and which options a runtime cannot serve.

import { connect, serve, type TlsClientOptions, type TlsServerOptions } from "sansws";
import { beforeAll, describe, expect, it } from "vitest";
import { type Certificates, hasOpenssl, makeCertificates } from "./certificates.ts";
import {
  bytes,
  ending,
  Mailbox,
  open,
  openPair,
  RUNTIME,
  same,
  socketPath,
  startEcho,
  text,
} from "./suite.ts";

let certificates: Certificates;

beforeAll(() => {
  if (hasOpenssl) certificates = makeCertificates();
});

describe.runIf(hasOpenssl)("TLS", () => {
  it.each([0, 126, 65536, 2 ** 20, 2 ** 24])(
    "carries text and binary messages of %i bytes",
    async (size) => {
      const { url } = await startEcho({ tls: certificates.server });
      const messages = new Mailbox<string | Uint8Array>();
      const socket = await open(url, {
        tls: { ca: certificates.ca },
        message: (_, data) => messages.put(data),
      });
      socket.send(text(size));
      expect(same(await messages.take(), text(size))).toBe(true);
      socket.send(bytes(size));
      expect(same(await messages.take(), bytes(size))).toBe(true);
    },
  );

  it("is what `secure` says in the hooks", async () => {
    const secure: boolean[] = [];
    const { url } = await startEcho({
      tls: certificates.server,
      upgrade: (request) => void secure.push(request.secure),
    });
    await open(url, { tls: { ca: certificates.ca } });
    const plain = await startEcho({ upgrade: (request) => void secure.push(request.secure) });
    await open(plain.url);
    expect(secure).toEqual([true, false]);
  });

  it.each(["near", "far"] as const)("is closed cleanly from the %s end", async (side) => {
    const pair = await openPair({ tls: certificates.server }, { tls: { ca: certificates.ca } });
    pair[side].close(3000, "done");
    expect(ending(await pair.near.closed)).toBe(
      `3000 "done" clean ${side === "near" ? "local" : "peer"}`,
    );
    expect(ending(await pair.far.closed)).toBe(
      `3000 "done" clean ${side === "far" ? "local" : "peer"}`,
    );
  });

  it.each(["near", "far"] as const)("tells the other end when the %s end aborts", async (side) => {
    const pair = await openPair({ tls: certificates.server }, { tls: { ca: certificates.ca } });
    pair[side].abort();
    expect(ending(await pair.near.closed)).toBe("1006 \"\" unclean lost");
    expect(ending(await pair.far.closed)).toBe("1006 \"\" unclean lost");
  });

  it("delivers 16 MiB that were sent right before close", async () => {
    const received = new Mailbox<string | Uint8Array>();
    const pair = await openPair({ tls: certificates.server }, {
      tls: { ca: certificates.ca },
      message: (_, data) => received.put(data),
    });
    pair.far.send(bytes(2 ** 24));
    pair.far.close();
    expect(same(await received.take(), bytes(2 ** 24))).toBe(true);
    expect((await pair.near.closed).clean).toBe(true);
  });

  it("refuses a certificate that nobody vouches for", async () => {
    const { url } = await startEcho({ tls: certificates.stranger });
    await expect(connect(url)).rejects.toThrow();
    await expect(connect(url, { tls: { ca: certificates.ca } })).rejects.toThrow();
  });

  it("refuses a certificate for another name", async () => {
    const { url } = await startEcho({ tls: certificates.server, hostname: "127.0.0.2" });
    await expect(connect(url, { tls: { ca: certificates.ca } })).rejects.toThrow();
  });

  it("refuses a server that speaks no TLS, and lives on after a client that speaks none", async () => {
    const plain = await startEcho();
    await expect(connect(plain.url.replace("ws:", "wss:"))).rejects.toThrow();
    const { url } = await startEcho({ tls: certificates.server });
    await expect(connect(url.replace("wss:", "ws:"))).rejects.toThrow();
    await open(url, { tls: { ca: certificates.ca } });
  });

  it("refuses a key that is none", async () => {
    const tls = { cert: certificates.server.cert, key: "no key" };
    await expect(serve({ port: 0, tls })).rejects.toThrow();
  });
});

describe.runIf(hasOpenssl)("TLS options", () => {
  it("serverName is the name to ask for and to check", async () => {
    const { url } = await startEcho({ tls: certificates.server, hostname: "127.0.0.2" });
    await open(url, { tls: { ca: certificates.ca, serverName: "server.test" } });
    await expect(connect(url, { tls: { ca: certificates.ca, serverName: "other.test" } })).rejects
      .toThrow();
  });
});

describe.runIf(hasOpenssl && RUNTIME !== "Deno")("TLS options of Node and Bun", () => {
  it("passphrase is for a key that is encrypted", async () => {
    const { url } = await startEcho({ tls: { ...certificates.encrypted, passphrase: "secret" } });
    await open(url, { tls: { ca: certificates.ca } });
    const tls = { ...certificates.encrypted, passphrase: "wrong" };
    await expect(serve({ port: 0, tls })).rejects.toThrow();
  });

  it("goes over a unix socket, too", async () => {
    const path = socketPath();
    const messages = new Mailbox<unknown>();
    const { url } = await startEcho({ path, tls: certificates.server });
    expect(url).toBe(`wss+unix:${path}:/`);
    const tls = { ca: certificates.ca };
    const socket = await open("wss://localhost/", {
      path,
      tls,
      message: (_, data) => messages.put(data),
    });
    socket.send("secret");
    expect(await messages.take()).toBe("secret");
    await expect(connect("wss://other.test/", { path, tls })).rejects.toThrow();
  });

  it("rejectUnauthorized: false accepts any certificate", async () => {
    const { url } = await startEcho({ tls: certificates.stranger });
    await open(url, { tls: { rejectUnauthorized: false } });
  });

  it("requestCert lets in who has a certificate of the authority, and nobody else", async () => {
    const opened = new Mailbox<unknown>();
    const { url } = await startEcho({
      tls: { ...certificates.server, ca: certificates.ca, requestCert: true },
      open: (socket) => opened.put(socket),
    });
    await open(url, { tls: { ca: certificates.ca, ...certificates.client } });
    await expect(connect(url, { tls: { ca: certificates.ca } })).rejects.toThrow();
    await expect(connect(url, { tls: { ca: certificates.ca, ...certificates.stranger } })).rejects
      .toThrow();
    expect(opened.all).toHaveLength(1);
  });

  it("requestCert with rejectUnauthorized: false lets in anybody", async () => {
    const tls = {
      ...certificates.server,
      ca: certificates.ca,
      requestCert: true,
      rejectUnauthorized: false,
    };
    const { url } = await startEcho({ tls });
    await open(url, { tls: { ca: certificates.ca } });
  });
});

describe.runIf(hasOpenssl && RUNTIME === "Deno")("TLS options that Deno has not", () => {
  const server: Partial<TlsServerOptions> = {
    passphrase: "x",
    ca: "-----BEGIN CERTIFICATE-----",
    requestCert: true,
    rejectUnauthorized: false,
  };
  const client: TlsClientOptions = { passphrase: "x", rejectUnauthorized: false };

  it.each(Object.entries(server))("of a server are refused by name: %s", async (name, value) => {
    const tls = { ...certificates.server, [name]: value };
    await expect(serve({ port: 0, tls })).rejects.toThrow(`Deno has no support for tls.${name}`);
  });

  it("on a unix socket is refused", async () => {
    const path = socketPath();
    const message = /Deno has no support for options\.tls on a unix socket/;
    await expect(serve({ path, tls: certificates.server })).rejects.toThrow(message);
    await expect(connect("wss://localhost/", { path })).rejects.toThrow(message);
  });

  it.each(Object.entries(client))("of a client are refused by name: %s", async (name, value) => {
    const { url } = await startEcho({ tls: certificates.server });
    await expect(connect(url, { tls: { [name]: value } })).rejects.toThrow(
      `Deno has no support for tls.${name}`,
    );
  });
});
