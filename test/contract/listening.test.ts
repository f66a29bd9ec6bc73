// Where a server listens and a client connects to: ports, names, addresses of both families, unix
// sockets.

import process from "node:process";
import { connect, serve } from "sansws";
import { describe, expect, it } from "vitest";
import { Mailbox, open, socketPath, start, startEcho } from "./suite.ts";

const windows = process.platform === "win32";

async function echoes(url: string, path?: string): Promise<boolean> {
  const messages = new Mailbox<unknown>();
  const socket = await open(url, { path, message: (_, data) => messages.put(data) });
  socket.send("there and back");
  return await messages.take() === "there and back";
}

/** Node and Bun say it by a code, Deno by a name. */
function isInUse(error: unknown): boolean {
  const { name, code } = error as { name: string; code?: string; };
  return code === "EADDRINUSE" || name === "AddrInUse";
}

describe("serve", () => {
  it("with port 0 listens on a free port and says which", async () => {
    const first = await startEcho();
    const second = await startEcho();
    expect(first.server.address.port).toBeGreaterThan(0);
    expect(second.server.address.port).not.toBe(first.server.address.port);
    expect(first.server.address.hostname).toBe("127.0.0.1");
    expect(await echoes(second.url)).toBe(true);
  });

  it("without a port or a path is refused", async () => {
    await expect(serve({ hostname: "127.0.0.1" })).rejects.toThrow(/port is missing/);
  });

  it("rejects when the address is in use, and can take it when it is free again", async () => {
    const { server, url } = await startEcho();
    const { hostname, port } = server.address;
    await expect(serve({ hostname, port })).rejects.toSatisfy(isInUse);
    expect(await echoes(url)).toBe(true);
    await server.close();
    const again = await startEcho({ hostname, port });
    expect(await echoes(again.url)).toBe(true);
  });

  it.each(["no-such-host.invalid", "203.0.113.1"])(
    "rejects for an address that is not of this machine: %s",
    async (hostname) => {
      await expect(serve({ hostname, port: 0 })).rejects.toThrow();
    },
  );

  it.each([-1, 65536, 1.5, NaN])("rejects port %d", async (port) => {
    await expect(serve({ hostname: "127.0.0.1", port })).rejects.toThrow();
  });

  it("listens on a host name", async () => {
    const { url, server } = await startEcho({ hostname: "localhost" });
    expect(await echoes(`ws://localhost:${server.address.port}/`)).toBe(true);
    expect(await echoes(url)).toBe(true);
  });

  it("listens on IPv6", async () => {
    const { server, url } = await startEcho({ hostname: "::1" });
    expect(server.address.hostname).toBe("::1");
    expect(url).toMatch(/^ws:\/\/\[::1\]:\d+\/$/);
    expect(await echoes(url)).toBe(true);
  });

  it("on :: hears both families, and an IPv4 peer has an IPv4 address", async () => {
    const peers: (string | undefined)[] = [];
    const { server, url } = await startEcho({
      hostname: "::",
      open: ({ peer }) => void peers.push(peer.hostname),
    });
    expect(url).toBe(`ws://localhost:${server.address.port}/`);
    await open(`ws://[::1]:${server.address.port}/`);
    await open(`ws://127.0.0.1:${server.address.port}/`);
    expect(peers).toEqual(["::1", "127.0.0.1"]);
  });

  it("still knows who the other side was after the end", async () => {
    const peers = new Mailbox<unknown>();
    const { server, url } = await startEcho({ close: ({ peer }) => peers.put(peer) });
    const socket = await open(url);
    socket.close();
    await socket.closed;
    expect(await peers.take()).toMatchObject({ hostname: "127.0.0.1", port: expect.any(Number) });
    expect(socket.peer).toEqual({ hostname: "127.0.0.1", port: server.address.port });
  });

  it("tells each side who the other is", async () => {
    const peers: unknown[] = [];
    const { server, url } = await startEcho({
      upgrade: ({ peer }) => void peers.push(peer),
      open: ({ peer }) => void peers.push(peer),
    });
    const socket = await open(url);
    expect(socket.peer).toEqual({ hostname: "127.0.0.1", port: server.address.port });
    expect(peers[0]).toEqual(peers[1]);
    expect(peers[0]).toMatchObject({ hostname: "127.0.0.1", port: expect.any(Number) });
    socket.abort();
    await socket.closed;
    expect(socket.peer).toEqual({ hostname: "127.0.0.1", port: server.address.port });
  });
});

describe.skipIf(windows)("a unix socket", () => {
  it("is listened on and connected to", async () => {
    const path = socketPath();
    const peers: unknown[] = [];
    const { server, url } = await startEcho({ path, open: ({ peer }) => void peers.push(peer) });
    expect(server.address).toEqual({ path });
    expect(await echoes("ws://localhost/", path)).toBe(true);
    expect(await echoes(url)).toBe(true);
    expect(peers).toEqual([{ path: expect.any(String) }, { path: expect.any(String) }]);
  });

  it("may have any name", async () => {
    const path = `${socketPath()}: 100 % odd?#`;
    const { url } = await startEcho({ path });
    expect(await echoes(url)).toBe(true);
  });

  it("in use is refused", async () => {
    const path = socketPath();
    await startEcho({ path });
    await expect(serve({ path })).rejects.toSatisfy(isInUse);
    expect(await echoes("ws://localhost/", path)).toBe(true);
  });

  it("can be listened on again after close", async () => {
    const path = socketPath();
    const { server } = await startEcho({ path });
    await server.close();
    await startEcho({ path });
    expect(await echoes("ws://localhost/", path)).toBe(true);
  });

  it("that is not there is an error of connect", async () => {
    await expect(connect("ws://localhost/", { path: socketPath() })).rejects.toThrow();
  });

  it("excludes port and hostname", async () => {
    await expect(serve({ path: socketPath(), port: 0 })).rejects.toThrow(
      /excludes port and hostname/,
    );
    await expect(serve({ path: socketPath(), hostname: "localhost" })).rejects.toThrow(
      /excludes port and hostname/,
    );
  });
});

describe("connect", () => {
  it("rejects when nobody listens", async () => {
    const { server, url } = await start();
    await server.close();
    await expect(connect(url)).rejects.toThrow(/refused|connect/i);
  });

  it("rejects for a name that does not exist", async () => {
    await expect(connect("ws://no-such-host.invalid/")).rejects.toThrow();
  });

  it.each(["nonsense", "ftp://localhost/", "ws://localhost/#there"])(
    "rejects %s with a UsageError",
    async (url) => {
      await expect(connect(url)).rejects.toMatchObject({ name: "UsageError" });
    },
  );

  it("takes http: and https: for ws: and wss:, and a URL object", async () => {
    const { url } = await startEcho();
    expect(await echoes(url.replace("ws:", "http:"))).toBe(true);
    const socket = await open(new URL(url));
    expect(socket.state).toBe("open");
  });
});
