// What waits for a hook, a stream or a target function of the application ends when the peer leaves,
// or when this end gives up: it is told why, and nothing becomes an unhandled rejection.

import { connect, type ConnectOptions, reconnecting } from "sansws";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { FIN, type Leave, outcomeOf, RST, SILENCE } from "./leaves.ts";
import { rawConnect, rawOpen, request } from "./raw.ts";
import { Mailbox, open, start, until } from "./suite.ts";
import { Unhandled } from "./unhandled.ts";

const unhandled = new Unhandled();
beforeAll(() => unhandled.listen());
afterAll(() => unhandled.expectNone());

describe("the upgrade hook", () => {
  const ends: readonly (readonly [name: string, end: () => unknown])[] = [
    ["accepts", () => ({})],
    ["rejects", () => ({ status: 403 })],
    ["fails", () => Promise.reject(new Error("late"))],
    ["returns what it must not", () => false],
  ];

  it.each(
    [FIN, RST, SILENCE].flatMap((leave) => ends.map(([name, end]) => ({ leave, name, end }))),
  )(
    "is told of $leave.name by its signal, and then $name without harm",
    async ({ leave, end, name }) => {
      const errors = new Mailbox<unknown>();
      const signals = new Mailbox<AbortSignal>();
      const { url, server } = await start({
        connections: { max: 1, maxHandshakes: 1 },
        timeouts: leave.timeouts,
        error: (error) => errors.put(error),
        upgrade: ({ signal, target }) => {
          if (target !== "/wait") return undefined;
          signals.put(signal);
          return new Promise<undefined>((resolve) => {
            signal.addEventListener("abort", () => resolve(end() as undefined));
          });
        },
      });
      const peer = await rawConnect(url);
      peer.write(request("", "/wait"));
      const signal = await signals.take();
      leave.leave(peer, "client");
      await until(() => signal.aborted, "the signal was aborted");
      expect((signal.reason as Error).name).toBe("AbortError");
      if (leave === SILENCE) expect(await peer.takeAll()).toMatch(/^HTTP\/1\.1 503 /);
      peer.socket.destroy();
      const failing = name !== "accepts" && name !== "rejects";
      if (failing) expect(await errors.take()).toBeInstanceOf(Error);
      await until(() => open(url).then(() => true, () => false), "its place is free");
      expect(errors.all.length).toBe(failing ? 1 : 0);
      expect(server.sockets.size).toBe(1);
    },
  );

  it("that answers too late with a Response has its body cancelled", async () => {
    const signals = new Mailbox<AbortSignal>();
    let cancelled = false;
    const body = new ReadableStream({ cancel: () => void (cancelled = true) });
    const { url } = await start({
      upgrade: ({ signal }) => {
        signals.put(signal);
        return new Promise<Response>((resolve) => {
          signal.addEventListener("abort", () => resolve(new Response(body, { status: 403 })));
        });
      },
    });
    const peer = await rawConnect(url);
    peer.write(request());
    await signals.take();
    peer.socket.resetAndDestroy();
    await until(() => cancelled, "the body was cancelled");
  });
});

describe("the request hook", () => {
  const bytes = "GET /wait HTTP/1.1\r\nHost: a\r\n\r\n";

  it.each(
    [FIN, RST].flatMap((leave) =>
      [["answers", () => new Response("late")], ["fails", () => Promise.reject(new Error("late"))]]
        .map(([name, end]) => ({ leave, name: name as string, end: end as () => Response }))
    ),
  )("is told of $leave.name by its signal, and then $name", async ({ leave, name, end }) => {
    const errors = new Mailbox<unknown>();
    const signals = new Mailbox<AbortSignal>();
    const { url } = await start({
      connections: { max: 1 },
      error: (error) => errors.put(error),
      request: ({ signal }) => {
        signals.put(signal);
        return new Promise((resolve) => signal.addEventListener("abort", () => resolve(end())));
      },
    });
    const peer = await rawConnect(url);
    peer.write(bytes);
    const signal = await signals.take();
    leave.leave(peer, "client");
    await until(() => signal.aborted, "the signal was aborted");
    if (name === "fails") expect(await errors.take()).toMatchObject({ message: "late" });
    await until(() => open(url).then(() => true, () => false), "its place is free");
    expect(errors.all.length).toBe(name === "fails" ? 1 : 0);
  });

  it.each<[string, Leave, "idle" | "busy"]>([
    ["idle", FIN, "idle"],
    ["idle", RST, "idle"],
    ["busy", RST, "busy"],
  ])("has its %s event stream cancelled by %o", async (_name, leave, kind) => {
    const reasons = new Mailbox<unknown>();
    const { url } = await start({
      connections: { max: 1 },
      request: () => {
        const events = new ReadableStream<Uint8Array<ArrayBuffer>>({
          start: (controller) => controller.enqueue(new TextEncoder().encode("data: 1\n\n")),
          async pull(controller) {
            if (kind === "idle") return await new Promise(() => {});
            await new Promise((resolve) => setTimeout(resolve, 1));
            controller.enqueue(new TextEncoder().encode("data: 2\n\n"));
          },
          cancel: (reason) => reasons.put(reason),
        });
        return new Response(events, { headers: { "Content-Type": "text/event-stream" } });
      },
    });
    const peer = await rawConnect(url);
    peer.write(bytes);
    await peer.takeHead();
    leave.leave(peer, "client");
    expect(await reasons.take()).toMatchObject({ name: "AbortError" });
    await until(() => open(url).then(() => true, () => false), "its place is free");
    expect(reasons.all).toHaveLength(1);
  });

  it.each<[string, () => unknown]>([
    ["throws", () => {
      throw new Error("cancel");
    }],
    ["rejects", () => Promise.reject(new Error("cancel"))],
  ])("HEAD, or a client that left: a cancel that %s reaches `error`", async (_name, cancel) => {
    const errors = new Mailbox<unknown>();
    const { url } = await start({
      error: (error) => errors.put(error),
      request: () =>
        new Response(
          new ReadableStream({
            cancel: () => cancel() as undefined,
            pull: () => new Promise(() => {}),
          }),
        ),
    });
    const head = await rawConnect(url);
    head.write(bytes.replace("GET", "HEAD"));
    expect(await head.takeAll()).toMatch(/^HTTP\/1\.1 200 /);
    expect(await errors.take()).toMatchObject({ message: "cancel" });
    const peer = await rawConnect(url);
    peer.write(bytes);
    await peer.takeHead();
    peer.socket.resetAndDestroy();
    expect(await errors.take()).toMatchObject({ message: "cancel" });
  });

  it("serves event streams that hold no place among the handshakes", async () => {
    const { url } = await start({
      connections: { maxHandshakes: 1 },
      request: () => new Response(new ReadableStream({ pull: () => new Promise(() => {}) })),
    });
    for (let i = 0; i < 3; i++) {
      const peer = await rawConnect(url);
      peer.write(bytes);
      expect(await peer.takeHead()).toMatch(/^HTTP\/1\.1 200 /);
      await open(url);
    }
  });
});

describe("a client that is given up", () => {
  it.each<[string, (options: ConnectOptions) => ConnectOptions, string]>([
    ["timeout", () => ({ timeout: 50 }), "ConnectError"],
    ["signal", () => ({ signal: AbortSignal.timeout(50) }), "TimeoutError"],
    ["lifetime", () => ({ lifetime: AbortSignal.timeout(50) }), "TimeoutError"],
  ])("by its %s while the stream is made: the factory is told, a late stream is dropped", async (
    _name,
    options,
    expected,
  ) => {
    let cancelled = 0;
    let late!: () => void;
    const signals = new Mailbox<AbortSignal>();
    const connecting = connect("ws://a.test", {
      ...options({}),
      stream: ({ signal }) => {
        signals.put(signal);
        return new Promise((resolve) => {
          late = () =>
            resolve({
              readable: new ReadableStream({ cancel: () => void cancelled++ }),
              writable: new WritableStream({ abort: () => void cancelled++ }),
            });
        });
      },
    });
    expect(await outcomeOf(connecting)).toBe(expected);
    expect((await signals.take()).aborted).toBe(true);
    late();
    await until(() => cancelled === 2, "the stream was dropped");
  });

  it.each<[string, (end: () => void) => unknown]>([
    ["hangs", () => new Promise(() => {})],
    [
      "rejects late",
      (end) => new Promise((_, reject) => setTimeout(() => (end(), reject(1)), 100)),
    ],
  ])("reconnecting, whose target function %s: close ends it, and the function is told", async (
    _name,
    target,
  ) => {
    for (const way of ["close", "signal"] as const) {
      const signals = new Mailbox<AbortSignal>();
      const controller = new AbortController();
      let over = false;
      const client = reconnecting(({ signal }) => {
        signals.put(signal);
        return target(() => over = true) as Promise<string>;
      }, { signal: controller.signal });
      const signal = await signals.take();
      if (way === "close") client.close();
      else controller.abort();
      expect(await client.closed).toBeUndefined();
      expect([client.state, signal.aborted]).toEqual(["closed", true]);
      if (_name !== "hangs") await until(() => over, "it has rejected");
    }
  });
});

describe("server.close", () => {
  it("and then close({ deadline: 0 }) drops everything now", async () => {
    const { server, url } = await start({
      upgrade: ({ target }) => target === "/" ? undefined : new Promise<undefined>(() => {}),
      request: () => new Promise(() => {}),
    });
    const [near, deciding, asking] = [
      await rawOpen(url),
      await rawConnect(url),
      await rawConnect(url),
    ];
    deciding.write(request("", "/wait"));
    asking.write("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    await near.takeFrames(0);
    const patient = server.close({ deadline: Infinity });
    await near.takeFrames(1);
    await server.close({ deadline: 0 });
    await patient;
    await until(
      () => [near, deciding, asking].every(({ closed, ended }) => closed || ended),
      "gone",
    );
    expect(server.sockets.size).toBe(0);
  });
});
