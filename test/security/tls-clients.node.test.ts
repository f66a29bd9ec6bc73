// A client with TLS in the hands of a server that it does not trust, or that sends it elsewhere: it
// says nothing to the first, never goes on in the clear, and shows its certificate to nobody else.

import type { AddressInfo } from "node:net";
import { createServer, type TlsOptions, type TLSSocket } from "node:tls";
import { describe, expect, it, onTestFinished } from "vitest";
import { type Certificates, hasOpenssl, makeCertificates } from "../contract/certificates.ts";
import { acceptance, rawListen } from "../contract/raw.ts";
import { sleep } from "../contract/suite.ts";
import { frame } from "../core/support.ts";
import { onEachRuntime, trickle } from "./target.ts";

const { ca, client, server, stranger } = (hasOpenssl ? makeCertificates() : {}) as Certificates;

/** What a server got to know of those who came. */
interface Seen {
  readonly url: string;
  /** The names in their certificates; those without one are `none`. */
  readonly shown: readonly string[];
  /** The heads of their requests. */
  readonly heads: readonly string[];
}

/** A TLS server that asks for a certificate, and hands over whoever has sent a request. */
async function tlsListen(
  options: TlsOptions,
  serve: (peer: TLSSocket, head: string) => void,
): Promise<Seen> {
  const shown: string[] = [];
  const heads: string[] = [];
  const sockets = new Set<TLSSocket>();
  const server = createServer(
    { requestCert: true, rejectUnauthorized: false, ...options },
    (socket) => {
      sockets.add(socket.on("error", () => {}));
      shown.push(String(socket.getPeerCertificate().subject?.CN ?? "none"));
      socket.once("data", (chunk) => {
        heads.push(String(chunk));
        serve(socket, String(chunk));
      });
    },
  );
  // Who does not trust the server tells it so in the handshake.
  server.on("tlsClientError", () => {});
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return { url: `wss://127.0.0.1:${(server.address() as AddressInfo).port}/`, shown, heads };
}

const redirect = (to: string) => (peer: TLSSocket): void =>
  void peer.end(`HTTP/1.1 302 Found\r\nLocation: ${to}\r\nContent-Length: 0\r\n\r\n`);
const refuse = (peer: TLSSocket): void =>
  void peer.end("HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n");

onEachRuntime({}, (target) => {
  describe.runIf(hasOpenssl)("a client with TLS", () => {
    const tls = { ca, ...client };

    it.each(["TLSv1.2", "TLSv1.3"] as const)(
      "sends no request to a server that it does not trust: %s",
      async (version) => {
        const impostor = await tlsListen(
          { ...stranger, maxVersion: version, minVersion: version },
          refuse,
        );
        const outcome = await target().connect({ url: impostor.url, options: { tls } });
        expect(outcome.error).toBe("ConnectError");
        await sleep(100);
        expect(impostor.heads).toEqual([]);
      },
    );

    // Before TLS 1.3 Node checks a server only when the handshake is over, certificates and all.
    it.each(target().runtime === "Node" ? ["TLSv1.3"] as const : ["TLSv1.2", "TLSv1.3"] as const)(
      "bun#43684: shows its certificate to no server that it does not trust: %s",
      async (version) => {
        const impostor = await tlsListen(
          { ...stranger, maxVersion: version, minVersion: version },
          refuse,
        );
        await target().connect({ url: impostor.url, options: { tls } });
        await sleep(100);
        expect(impostor.shown).toEqual([]);
      },
    );

    it("shows its certificate to the server it was meant for, and not where that one redirects to", async () => {
      const other = await tlsListen(server, refuse);
      const first = await tlsListen(server, redirect(other.url));
      const outcome = await target().connect({ url: first.url, options: { tls, redirect: true } });
      expect(outcome.status).toBe(403);
      expect(first.shown).toEqual(["client"]);
      expect(other.shown).toEqual(["none"]);
      expect(other.heads).toHaveLength(1);
    });

    it("does not follow a redirect from wss: to ws:", async () => {
      let asked = 0;
      const plain = await rawListen(() => asked++);
      const first = await tlsListen(server, redirect(plain));
      const outcome = await target().connect({
        url: first.url,
        options: { tls: { ca }, redirect: true },
      });
      expect(outcome).toMatchObject({ error: "HandshakeError", status: 302 });
      expect(outcome.message).toContain("it leads from wss: to ws:");
      expect(asked).toBe(0);
    });

    it("bun PR 42511: hears frames that come in a record of TLS for each byte", async () => {
      const frames = [5, 200, 70_000].map((size) => frame("server", 0x82, new Uint8Array(size)));
      const { url } = await tlsListen(server, (peer, head) => {
        peer.setNoDelay();
        peer.write(acceptance(head));
        void trickle(peer, [...frames, frame("server", 0x88, Uint8Array.of(3, 232))]);
      });
      const outcome = await target().connect({
        url,
        options: { tls: { ca }, timeouts: { close: 1000 } },
      });
      expect(outcome).toEqual({ closed: "1000 peer", received: [5, 200, 70_000] });
    });
  });
});
