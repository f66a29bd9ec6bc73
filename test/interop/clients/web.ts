// The WebSocket of the platform: Deno's and Bun's own, and on Node undici's. What Bun has beyond
// the standard, it is asked for.

import process from "node:process";
import { type Closed, type Message, type Peer, playAll, Queue } from "../messages.ts";

interface BunExtras {
  ping(payload: Uint8Array): void;
}

async function platform(): Promise<typeof WebSocket> {
  if (process.versions["deno"] !== undefined || process.versions["bun"] !== undefined) {
    return WebSocket;
  }
  return (await import("undici")).WebSocket as unknown as typeof WebSocket;
}

const Implementation: typeof WebSocket = await platform();

function peerOf(socket: WebSocket): Peer {
  const ping = (payload: Uint8Array): Promise<Uint8Array> => {
    (socket as unknown as BunExtras).ping(payload);
    return new Promise((resolve) =>
      socket.addEventListener(
        "pong",
        (event) => resolve(new Uint8Array((event as MessageEvent<ArrayBuffer>).data)),
        {
          once: true,
        },
      )
    );
  };
  return {
    send: (data) => socket.send(data as string | Uint8Array<ArrayBuffer>),
    close: (code, reason) => code === undefined ? socket.close() : socket.close(code, reason),
    ...("ping" in socket && { ping }),
  };
}

await playAll(async ({ url, protocols, variant }) => {
  // Bun offers compression unless it is told not to; the others ask nobody.
  const options = { protocols: [...protocols], perMessageDeflate: variant !== "none" };
  const onBun = process.versions["bun"] !== undefined;
  const socket = new Implementation(url, (onBun ? options : options.protocols) as string[]);
  socket.binaryType = "arraybuffer";
  const messages = new Queue<Message>();
  socket.addEventListener(
    "message",
    ({ data }) => messages.put(typeof data === "string" ? data : new Uint8Array(data)),
  );
  const closed = new Promise<Closed>((resolve) =>
    socket.addEventListener("close", ({ code, reason }) => resolve([code, reason]))
  );
  await new Promise((resolve, reject) => {
    socket.addEventListener("open", resolve);
    socket.addEventListener("error", () => reject(new Error("not open")));
  });
  const { protocol, extensions } = socket;
  return { ...peerOf(socket), protocol, extensions, closed, next: () => messages.take() };
});
