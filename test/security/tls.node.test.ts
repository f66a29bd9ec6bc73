// Peers that are not through with TLS: they take no more time and place than others, and what they
// say is no application's affair.

import { connect, type Socket as NetSocket } from "node:net";
import { connect as tlsConnect } from "node:tls";
import { describe, expect, it, onTestFinished } from "vitest";
import { hasOpenssl, makeCertificates } from "../contract/certificates.ts";
import { rawConnect, request } from "../contract/raw.ts";
import { sleep, until } from "../contract/suite.ts";
import { frame } from "../core/support.ts";
import { hasProc, onEachRuntime, trickle } from "./target.ts";

const certificates = hasOpenssl ? makeCertificates() : undefined;

/** The beginning of a ClientHello: a record of 512 bytes is announced. */
const HELLO = Uint8Array.of(0x16, 0x03, 0x01, 0x02, 0x00, 0x01);

const options = { tls: certificates?.server, timeouts: { handshake: 1000 } };

onEachRuntime(
  certificates === undefined ? {} : {
    secure: { behaviour: "echo", options },
    full: { behaviour: "echo", options: { ...options, connections: { max: 5 } } },
  },
  (target) => {
    describe.runIf(certificates !== undefined)("a TLS server", () => {
      it.each([
        ["a request in the clear", request()],
        ["a record that is none", Uint8Array.of(0x16, 0x03, 0x01, 0xff, 0xff, 0xff, 0xff)],
      ])("ends what begins with %s, and ends", async (_, bytes) => {
        const peer = await rawConnect(target().port("secure"));
        peer.end(bytes);
        await until(() => peer.closed, "the server dropped the connection");
      });

      // On Deno a connection that was closed before TLS was through keeps its descriptor until the
      // peer goes away.
      it.runIf(hasProc && target().runtime !== "Deno")(
        "drops who says nothing, or too little, in time",
        async () => {
          const before = target().descriptors;
          const sockets: NetSocket[] = Array.from({ length: 100 }, (_, i) => {
            const socket = connect({
              port: target().port("secure"),
              host: "127.0.0.1",
              allowHalfOpen: true,
            });
            if (i % 2 === 0) socket.write(HELLO);
            return socket.on("error", () => {}).resume();
          });
          await until(() => target().descriptors >= before + 90, "they were accepted");
          await until(() => target().descriptors < before + 10, "they were dropped");
          for (const socket of sockets) socket.destroy();
        },
      );

      it("bun PR 42511: hears frames that come in a record of TLS for each byte", async () => {
        const socket = tlsConnect({
          port: target().port("secure"),
          host: "127.0.0.1",
          ca: certificates!.ca,
        });
        onTestFinished(() => void socket.destroy());
        let received = 0;
        socket.on("data", (chunk: Uint8Array) => received += chunk.length);
        socket.setNoDelay();
        socket.write(request());
        await until(() => received > 0, "it was open");
        received = 0;
        const sizes = [5, 200, 70_000];
        await trickle(socket, sizes.map((size) => frame("client", 0x82, new Uint8Array(size))));
        const echoes = sizes.map((size) => frame("server", 0x82, new Uint8Array(size)).length);
        await until(() => received >= echoes.reduce((a, b) => a + b), "all were answered");
      });

      // Node counts a connection when it is through with TLS; until then it has 10 s.
      it.runIf(target().runtime !== "Node")("counts who is not through with TLS", async () => {
        const port = target().port("full");
        const silent = await Promise.all(Array.from({ length: 5 }, () => rawConnect(port)));
        await sleep(100);
        const outcome = await target().connect({
          url: `wss://127.0.0.1:${port}/`,
          options: { tls: { ca: certificates!.ca } },
        });
        expect(outcome.status).toBe(503);
        for (const { socket } of silent) socket.destroy();
      });
    });
  },
);
