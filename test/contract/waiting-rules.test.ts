// Whatever waits on a socket ends when its peer leaves, however it leaves: it is told why, sources
// are given back, places are free, and nothing becomes an unhandled rejection.

import type { ConnectOptions, ServeOptions, Socket } from "sansws";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { frame } from "../core/support.ts";
import {
  CLOSE,
  FIN,
  type Leave,
  outcomeOf,
  PINGS,
  RST,
  RST_WITH_PINGS,
  SILENCE,
} from "./leaves.ts";
import { acceptance, rawListen, rawOpen, type RawPeer } from "./raw.ts";
import { Mailbox, open, start, until } from "./suite.ts";
import { Unhandled } from "./unhandled.ts";

const unhandled = new Unhandled();
beforeAll(() => unhandled.listen());
afterAll(() => unhandled.expectNone());

/** Something that waits: how it ends, and whether its source was given back. */
interface Waiting {
  /** Fulfilled with "done", or the name of the error. */
  readonly ended: Promise<string>;
  returned?(): boolean;
}

interface Place {
  readonly name: string;
  readonly leaves: readonly Leave[];
  readonly expected: RegExp;
  wait(socket: Socket, peer: RawPeer): Waiting | Promise<Waiting>;
}

/** A source that gives some pieces and then nothing, for ever. */
function idleSource(pieces = 1): AsyncIterable<Uint8Array> & { returned: boolean; } {
  let left = pieces;
  return {
    returned: false,
    [Symbol.asyncIterator]() {
      return {
        next: () => {
          if (left-- > 0) return Promise.resolve({ done: false, value: new Uint8Array(2 ** 16) });
          return new Promise<never>(() => {});
        },
        return: () => {
          this.returned = true;
          return Promise.resolve({ done: true, value: undefined });
        },
      };
    },
  };
}

function sendIdle(socket: Socket, pieces?: number): Waiting {
  const source = idleSource(pieces);
  return { ended: outcomeOf(socket.sendStream(source)), returned: () => source.returned };
}

async function iterate(messages: AsyncIterable<unknown>): Promise<void> {
  for await (const _ of messages);
}

/** The output waits for a peer that takes nothing. */
async function block(socket: Socket, peer: RawPeer): Promise<void> {
  peer.socket.pause();
  await until(() => socket.send(new Uint8Array(2 ** 18)) === "queued", "output waits");
}

const ALL = [FIN, RST, CLOSE, SILENCE];
/** While output waits, a server does not read. */
const BLOCKED = [RST, SILENCE];

const PLACES: readonly Place[] = [
  {
    name: "sendStream from an idle source",
    leaves: ALL,
    expected: /^SocketClosedError$/,
    wait: (socket) => sendIdle(socket),
  },
  {
    name: "sendStream to a peer that takes nothing",
    leaves: BLOCKED,
    expected: /^SocketClosedError$/,
    wait(socket, peer) {
      peer.socket.pause();
      return sendIdle(socket, Infinity);
    },
  },
  {
    name: "sendStream of a paused socket",
    leaves: [RST_WITH_PINGS],
    expected: /^SocketClosedError$/,
    wait(socket) {
      socket.pause();
      return sendIdle(socket);
    },
  },
  {
    name: "for await",
    leaves: ALL,
    expected: /^SocketClosedError$/,
    wait: (socket) => ({ ended: outcomeOf(iterate(socket)) }),
  },
  {
    name: "messages with a signal",
    leaves: ALL,
    expected: /^SocketClosedError$/,
    wait(socket) {
      const { signal } = new AbortController();
      return { ended: outcomeOf(iterate(socket.messages({ signal }))) };
    },
  },
  {
    name: "the readable of stream()",
    leaves: [FIN, RST, SILENCE],
    expected: /^WebSocketError$/,
    wait: (socket) => ({ ended: outcomeOf(socket.stream().readable.getReader().read()) }),
  },
  {
    name: "a write of stream() to a peer that takes nothing",
    leaves: BLOCKED,
    expected: /^(?:WebSocketError|InvalidStateError)$/,
    wait(socket, peer) {
      peer.socket.pause();
      const writer = socket.stream().writable.getWriter();
      writer.closed.catch(() => {});
      return {
        ended: outcomeOf((async () => {
          for (;;) await writer.write(new Uint8Array(2 ** 18));
        })()),
      };
    },
  },
  {
    name: "ready() while output waits",
    leaves: BLOCKED,
    expected: /^done$/,
    async wait(socket, peer) {
      await block(socket, peer);
      return { ended: outcomeOf(socket.ready()) };
    },
  },
  {
    name: "ready() while sendStream runs",
    leaves: ALL,
    expected: /^done$/,
    wait(socket) {
      const { ended, returned } = sendIdle(socket);
      return {
        ended: Promise.all([socket.ready(), ended]).then(() => "done"),
        returned: returned!,
      };
    },
  },
];

const CASES = PLACES.flatMap((place) => place.leaves.map((leave) => ({ place, leave })));

async function expectEnd({ ended, returned }: Waiting, expected: RegExp): Promise<void> {
  expect(await ended).toMatch(expected);
  if (returned !== undefined) await until(returned, "the source was given back");
}

describe("on a server's socket", () => {
  it.each(CASES)("$place.name ends by $leave.name", async ({ place, leave }) => {
    const opened = new Mailbox<Socket>();
    const { server, url } = await start({
      connections: { max: 1 },
      timeouts: leave.timeouts,
      backpressure: { maxBufferedAmount: Infinity },
      open: (socket) => opened.put(socket),
    });
    const peer = await rawOpen(url);
    const waiting = await place.wait(await opened.take(), peer);
    leave.leave(peer, "client");
    await expectEnd(waiting, place.expected);
    if (leave === SILENCE) peer.socket.destroy();
    await until(() => server.sockets.size === 0, "the server forgot it");
    await until(() => open(url).then(() => true, () => false), "its place is free");
  });
});

describe("on a client's socket", () => {
  it.each(CASES)("$place.name ends by $leave.name", async ({ place, leave }) => {
    const peers = new Mailbox<RawPeer>();
    const url = await rawListen(async (peer) => {
      peer.write(acceptance(await peer.takeHead()));
      peers.put(peer);
    });
    const options: ConnectOptions = {
      timeouts: leave.timeouts,
      backpressure: { maxBufferedAmount: Infinity },
    };
    const socket = await open(url, options);
    const peer = await peers.take();
    const waiting = await place.wait(socket, peer);
    leave.leave(peer, "server");
    await expectEnd(waiting, place.expected);
  });
});

describe("an ordered handler that sends a stream", () => {
  it.each(["a client's", "a server's"])("ends when its peer is lost: %s", async (side) => {
    const ended = new Mailbox<string>();
    const source = idleSource();
    const options: ServeOptions & ConnectOptions = {
      ordered: true,
      timeouts: PINGS,
      message: (socket) => outcomeOf(socket.sendStream(source)).then((name) => ended.put(name)),
    };
    let peer: RawPeer;
    if (side === "a server's") {
      peer = await rawOpen((await start(options)).url);
    } else {
      const peers = new Mailbox<RawPeer>();
      await open(
        await rawListen(async (raw) => {
          raw.write(acceptance(await raw.takeHead()));
          peers.put(raw);
        }),
        options,
      );
      peer = await peers.take();
    }
    peer.write(frame(side === "a server's" ? "client" : "server", 0x81, "x"));
    await peer.takeFrames(1);
    peer.socket.resetAndDestroy();
    expect(await ended.take()).toBe("SocketClosedError");
    await until(() => source.returned, "the source was given back");
  });
});
