// Connections on which nothing is said. A load balancer or a browser opens them in advance, and a
// TCP health check opens and closes them. None is a request: no hook or handler hears of it.

import { connect as tcpConnect, type Socket as NetSocket } from "node:net";
import { connect as tlsConnect } from "node:tls";
import { connect, type ServeOptions } from "sansws";
import { describe, expect, it, onTestFinished } from "vitest";
import { type Certificates, hasOpenssl, makeCertificates } from "../contract/certificates.ts";
import { rawConnect, RawPeer } from "../contract/raw.ts";
import { settled, sleep, until } from "../contract/suite.ts";
import { RUNTIMES } from "../processes.ts";
import { hasProc, startTarget, type Target } from "./programs.ts";

const certificates: Certificates | undefined = hasOpenssl ? makeCertificates() : undefined;

/** As many as the server admits: one that stays behind keeps the next client out. */
const MANY = 20;
/** Milliseconds for an opening handshake, where a test waits for its end. */
const HANDSHAKE = 1000;
/** Milliseconds in which a server lets go of a peer that has left, even on a busy machine. */
const PROMPT = 5000;

const CONNECTIONS = { max: MANY, maxHandshakes: MANY, maxPerAddress: MANY };

/** A peer that says nothing, and the socket of its TCP connection. */
interface Silent {
  readonly peer: RawPeer;
  readonly tcp: NetSocket;
}

async function connectTcp(port: number): Promise<Silent> {
  const peer = await rawConnect(port);
  return { peer, tcp: peer.socket };
}

/** Resolves when this end is through with TLS; the server is a moment later. */
async function connectTls(port: number): Promise<Silent> {
  const tcp = tcpConnect(port, "127.0.0.1").on("error", () => {});
  const socket = tlsConnect({ socket: tcp, host: "127.0.0.1", ca: certificates!.ca });
  const peer = new RawPeer(socket);
  onTestFinished(() => void tcp.destroy());
  await new Promise((resolve, reject) =>
    socket.once("secureConnect", resolve).once("error", reject)
  );
  return { peer, tcp };
}

interface Kind {
  readonly name: string;
  readonly secure: boolean;
  readonly open: (port: number) => Promise<Silent>;
  /** The server counts them, and ends them after `timeouts.handshake`. */
  readonly timed: boolean;
}

// On Node a connection that is not through with TLS has 10 s; test/security/tls.node.test.ts tests
// that on each runtime.
const KINDS: readonly Kind[] = [
  { name: "TCP, to a plain server", secure: false, open: connectTcp, timed: true },
  { name: "TCP, to a TLS server", secure: true, open: connectTcp, timed: false },
  { name: "TLS", secure: true, open: connectTls, timed: true },
];

/** How a silent peer leaves, and after how many milliseconds. */
const LEAVING: [name: string, leave: (silent: Silent) => unknown, pause: number][] = [
  ["ended at once", ({ peer }) => peer.end(), 0],
  ["reset at once", ({ tcp }) => tcp.resetAndDestroy(), 0],
  ["ended later", ({ peer }) => peer.end(), 200],
  ["reset later", ({ tcp }) => tcp.resetAndDestroy(), 200],
];

function openMany({ open }: Kind, { port }: Target): Promise<Silent[]> {
  return Promise.all(Array.from({ length: MANY }, () => open(port)));
}

/** Lets as many clients in as the server admits at all: it counts no other connection any more. */
async function expectEmpty(target: Target, secure: boolean): Promise<void> {
  const url = `${secure ? "wss" : "ws"}://127.0.0.1:${target.port}/`;
  const options = secure ? { tls: { ca: certificates!.ca } } : {};
  const sockets = await Promise.all(Array.from({ length: MANY }, () => connect(url, options)));
  expect((await target.state()).sockets).toBe(MANY);
  for (const socket of sockets) socket.abort();
}

for (const kind of KINDS) {
  const { name, secure, timed } = kind;
  const options: ServeOptions = {
    connections: CONNECTIONS,
    ...secure && { tls: certificates?.server },
  };

  describe.runIf(!secure || certificates !== undefined).each(RUNTIMES)(
    `a silent connection over ${name}, on %s`,
    (runtime) => {
      it.each(LEAVING)(
        "reaches no hook and is forgotten when it is %s",
        async (_, leave, pause) => {
          const target = await startTarget(runtime, options);
          const silents = await openMany(kind, target);
          await sleep(pause);
          if (pause > 0 && hasProc) await until(() => target.connections === MANY, "all came in");
          const left = performance.now();
          silents.forEach(leave);
          await until(() => silents.every(({ tcp }) => tcp.destroyed), "they were gone");
          await settled(() => target.connections);
          await until(() => target.connections === 0, "the server let go of them");
          expect(performance.now() - left).toBeLessThan(PROMPT);
          expect(await target.heard()).toEqual([]);
          await target.expectQuiet();
          await expectEmpty(target, secure);
        },
      );

      it.runIf(timed)("reaches no hook and is ended after timeouts.handshake", async () => {
        const timeouts = { handshake: HANDSHAKE };
        const target = await startTarget(runtime, { ...options, timeouts });
        const started = performance.now();
        const silents = await openMany(kind, target);
        const ended = ({ peer }: Silent): boolean => peer.ended || peer.closed;
        await until(() => silents.every(ended), "they were ended");
        expect(performance.now() - started).toBeGreaterThan(HANDSHAKE * 0.9);
        const said = new TextDecoder().decode(silents[0]!.peer.take());
        for (const { tcp } of silents) tcp.destroy();
        const heard = await target.heard();
        await until(() => target.connections === 0, "the server let go of them");
        await expectEmpty(target, secure);
        await target.expectQuiet();
        expect(new Set(heard), `the server sent ${said}`).toEqual(new Set());
      });
    },
  );
}
