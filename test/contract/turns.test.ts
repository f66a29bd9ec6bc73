// Compressed messages that take long to inflate: they are read in turns, and that changes nothing
// but the time it takes.

import { Buffer } from "node:buffer";
import { constants, deflateRawSync } from "node:zlib";
import { describe, expect, it, onTestFinished } from "vitest";
import { frame, join } from "../core/support.ts";
import { closing, rawOpen } from "./raw.ts";
import { ending, Mailbox, sleep, start, until } from "./suite.ts";

const MIB = 2 ** 20;
const COUNT = 12;
const OFFER = "Sec-WebSocket-Extensions: permessage-deflate\r\n";

/** Messages of 2 MiB in 2 KB each, told apart by their sizes. */
function messages(): Uint8Array {
  return join(Array.from({ length: COUNT }, (_, i) => {
    const body = deflateRawSync(Buffer.alloc(2 * MIB + i), { finishFlush: constants.Z_SYNC_FLUSH });
    return frame("client", 0xc2, body.subarray(0, -4));
  }));
}

const SIZES = Array.from({ length: COUNT }, (_, i) => 2 * MIB + i);
const CLOSE = frame("client", 0x88, Uint8Array.of(3, 232));

describe("messages that take long to inflate", () => {
  it("come whole and in order, with the peer's Close and end behind them in the same segment", async () => {
    const sizes: number[] = [];
    const ends = new Mailbox<string>();
    const { url } = await start({
      deflate: true,
      message: (_, data) => void sizes.push(data.length),
      close: (_, event) => ends.put(ending(event)),
    });
    const peer = await rawOpen(url, OFFER);
    peer.end(messages(), CLOSE);
    expect(await ends.take()).toBe("1000 \"\" clean peer");
    expect(sizes).toEqual(SIZES);
    expect((await peer.takeFrames()).map(closing)).toEqual(["1000 \"\""]);
  });

  it("let the event loop go on between them", async () => {
    let turn = 0;
    const timer = setInterval(() => turn++, 0);
    onTestFinished(() => clearInterval(timer));
    const turns = new Set<number>();
    let count = 0;
    const { url } = await start({
      deflate: true,
      message: () => {
        count++;
        turns.add(turn);
      },
    });
    const peer = await rawOpen(url, OFFER);
    peer.write(messages(), messages());
    await until(() => count === 2 * COUNT, "all came");
    // They come in one chunk, or two.
    expect(turns.size).toBeGreaterThan(4);
  });

  it("come behind the end of the pauses of an application", async () => {
    const sizes: number[] = [];
    let paused = false;
    let early = 0;
    const { url } = await start({
      deflate: true,
      message: (socket, data) => {
        if (paused) early++;
        sizes.push(data.length);
        socket.pause();
        paused = true;
        setTimeout(() => {
          paused = false;
          socket.resume();
        }, 5);
      },
    });
    const peer = await rawOpen(url, OFFER);
    peer.write(messages());
    await until(() => sizes.length === COUNT, "all came");
    expect(sizes).toEqual(SIZES);
    expect(early).toBe(0);
  });

  it("are all answered to a peer that reads late", async () => {
    const { url } = await start({
      deflate: true,
      message: (socket, data) => void socket.send(data, { compress: false }),
    });
    const peer = await rawOpen(url, OFFER);
    peer.socket.pause();
    peer.write(messages(), CLOSE);
    await sleep(200);
    let received = 0;
    peer.socket.on("data", (chunk: Uint8Array) => received += chunk.length);
    peer.socket.resume();
    await until(() => peer.ended, "the server ended its side");
    expect(received).toBe(SIZES.reduce((sum, size) => sum + size + 10, 4));
  });

  it("come no more once the socket is aborted", async () => {
    const sizes: number[] = [];
    const ends = new Mailbox<string>();
    const { url } = await start({
      deflate: true,
      message: (socket, data) => {
        if (sizes.push(data.length) === 3) socket.abort();
      },
      close: (_, event) => ends.put(ending(event)),
    });
    const peer = await rawOpen(url, OFFER);
    peer.write(messages());
    expect(await ends.take()).toBe("1006 \"\" unclean lost");
    await until(() => peer.ended || peer.closed, "the connection was gone");
    await sleep(50);
    // Those of the same portion may have been there already.
    expect(sizes.length).toBeLessThan(7);
  });
});
