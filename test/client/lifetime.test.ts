// The signals and the time of connect(): what gives up connecting, what ends the connection, and
// what is left of either.

import { connect, UsageError } from "sansws";
import { describe, expect, it } from "vitest";
import { rawListen, type RawPeer } from "../contract/raw.ts";
import {
  ending,
  Mailbox,
  open,
  openPair,
  RUNTIME,
  sleep,
  start,
  startEcho,
  until,
} from "../contract/suite.ts";

/** A signal that knows how many listeners it has. */
class CountedSignal {
  readonly controller: AbortController = new AbortController();
  listeners = 0;

  constructor() {
    const { signal } = this.controller;
    const add = signal.addEventListener.bind(signal);
    const remove = signal.removeEventListener.bind(signal);
    signal.addEventListener = (...args: Parameters<typeof add>): void => {
      this.listeners++;
      add(...args);
    };
    signal.removeEventListener = (...args: Parameters<typeof remove>): void => {
      this.listeners--;
      remove(...args);
    };
  }

  get signal(): AbortSignal {
    return this.controller.signal;
  }
}

describe("lifetime", () => {
  it.each([
    [undefined, "1001 \"\""],
    [{ code: 1000 }, "1000 \"\""],
    [{ code: 4000, reason: "off" }, "4000 \"off\""],
  ])("closes the open socket when it is aborted: %o", async (close, expected) => {
    const { signal, controller } = new CountedSignal();
    const { near, far } = await openPair({}, {
      lifetime: close === undefined ? signal : { signal, ...close },
    });
    controller.abort();
    expect(ending(await near.closed)).toBe(`${expected} clean local`);
    expect(ending(await far.closed)).toBe(`${expected} clean peer`);
  });

  it("closes behind the messages that were sent before", async () => {
    const controller = new AbortController();
    const { near, far } = await openPair({}, { lifetime: controller.signal });
    for (let i = 0; i < 10; i++) near.send("x".repeat(100_000));
    controller.abort();
    let size = 0;
    for await (const message of far) size += message.length;
    expect(size).toBe(1_000_000);
  });

  it("gives up connecting, too, with its reason", async () => {
    const peers = new Mailbox<RawPeer>();
    const url = await rawListen((peer) => peers.put(peer));
    const controller = new AbortController();
    const failed = connect(url, { lifetime: controller.signal });
    const peer = await peers.take();
    controller.abort(new Error("not today"));
    await expect(failed).rejects.toThrow("not today");
    await until(() => peer.ended || peer.closed, "the connection was gone");
  });

  it("that is over already rejects at once", async () => {
    const lifetime = AbortSignal.abort(new Error("too late"));
    await expect(connect("ws://nowhere.invalid/", { lifetime })).rejects.toThrow("too late");
  });

  it("does nothing to a socket that is closed, and is left by it", async () => {
    const counted = new CountedSignal();
    const { near } = await openPair({}, { lifetime: counted.signal });
    expect(counted.listeners).toBe(1);
    near.close(3000);
    await near.closed;
    await until(() => counted.listeners === 0, "the signal was left");
    counted.controller.abort();
    expect(ending(await near.closed)).toBe("3000 \"\" clean local");
  });

  it("is another thing than signal, which has no effect on an open socket", async () => {
    const [signal, lifetime] = [new CountedSignal(), new CountedSignal()];
    const { near } = await openPair({}, { signal: signal.signal, lifetime: lifetime.signal });
    expect([signal.listeners, lifetime.listeners]).toEqual([0, 1]);
    signal.controller.abort();
    expect(near.state).toBe("open");
  });

  // Node warns of a leak from the eleventh listener on.
  it("of many sockets is one listener on their signal, and ends them all", async () => {
    const counted = new CountedSignal();
    const { signal, controller } = counted;
    const { url } = await startEcho();
    const sockets = await Promise.all(
      Array.from({ length: 20 }, () => open(url, { lifetime: signal, signal })),
    );
    const reading = sockets.map((socket) =>
      socket.messages({ signal }).next().catch((error: Error) => error.name)
    );
    expect(counted.listeners).toBe(1);
    controller.abort();
    expect(await Promise.all(reading)).toEqual(sockets.map(() => "AbortError"));
    const ends = await Promise.all(sockets.map(async ({ closed }) => ending(await closed)));
    expect(new Set(ends)).toEqual(new Set(["1001 \"\" clean local"]));
  });

  it("refuses a code that must not be sent", async () => {
    const { signal } = new AbortController();
    await expect(connect("ws://a.test/", { lifetime: { signal, code: 1005.5 } })).rejects.toThrow(
      UsageError,
    );
  });
});

describe("signals are left", () => {
  it("by an attempt that failed", async () => {
    const [signal, lifetime] = [new CountedSignal(), new CountedSignal()];
    const { url } = await startEcho({ upgrade: () => ({ status: 403 }) });
    const options = { signal: signal.signal, lifetime: lifetime.signal };
    await expect(connect(url, options)).rejects.toThrow("403");
    await expect(connect("ws://nowhere.invalid/", options)).rejects.toThrow();
    await expect(connect("nonsense", options)).rejects.toThrow();
    expect([signal.listeners, lifetime.listeners]).toEqual([0, 0]);
  });
});

describe("whatever a signal is aborted with", () => {
  it.each([[null], [0], [""], ["a string"], [{ code: 5 }]])(
    "is what connect rejects with, at every stage: %o",
    async (reason) => {
      const { url } = await startEcho({ upgrade: () => new Promise(() => {}) });
      for (const delay of [0, 1, 2, 5, 20]) {
        const controller = new AbortController();
        const failed = connect(url, { signal: controller.signal }).then(
          () => "opened",
          (error: unknown) => [error],
        );
        if (delay === 0) controller.abort(reason);
        else setTimeout(() => controller.abort(reason), delay);
        expect(await failed).toEqual([reason]);
      }
      const never = connect("ws://a.test/", { signal: AbortSignal.abort(reason) }).catch((
        error: unknown,
      ) => [error]);
      expect(await never).toEqual([reason]);
    },
  );
});

describe("timeout", () => {
  it("is for all of connecting: a server that never answers", async () => {
    const peers = new Mailbox<RawPeer>();
    const url = await rawListen((peer) => peers.put(peer));
    const failed = connect(url, { timeout: 50 });
    await expect(failed).rejects.toMatchObject({
      name: "ConnectError",
      failure: "timeout",
      message: "connecting took longer than 50 ms",
    });
    const peer = await peers.take();
    await until(() => peer.ended || peer.closed, "the connection was gone");
  });

  it("is for all of connecting: a server that never gets through with TLS", async () => {
    const peers = new Mailbox<RawPeer>();
    const url = (await rawListen((peer) => peers.put(peer))).replace("ws:", "wss:");
    await expect(connect(url, { timeout: 100 })).rejects.toMatchObject({ failure: "timeout" });
    const peer = await peers.take();
    // Deno 2.9 keeps the socket of a TLS connection that is closed before its handshake was
    // through, until the peer closes.
    if (RUNTIME === "Deno") peer.socket.destroy();
    else await until(() => peer.ended || peer.closed, "the connection was gone");
  });

  it("is for all redirects together", async () => {
    const { url } = await start({
      upgrade: async () => {
        await sleep(40);
        return { status: 302, headers: { Location: "/" } };
      },
    });
    const failed = connect(url, { timeout: 100, redirect: { max: 1000 } });
    await expect(failed).rejects.toMatchObject({ failure: "timeout" });
  });

  it("is another one than that for the answer alone, which begins when the transport is there", async () => {
    const url = await rawListen(() => {});
    const stream = new Promise<never>(() => {});
    const answer = connect(url, { timeouts: { handshake: 50 } });
    await expect(answer).rejects.toMatchObject({ name: "HandshakeError", fault: "answer-overdue" });
    const way = connect(url, { timeouts: { handshake: 50 }, timeout: 300, stream: () => stream });
    await expect(way).rejects.toMatchObject({ name: "ConnectError", failure: "timeout" });
  });

  it("is over when the socket is open", async () => {
    const { url } = await startEcho();
    const socket = await open(url, { timeout: 200 });
    await sleep(500);
    expect(socket.state).toBe("open");
  });
});
