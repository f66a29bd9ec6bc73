// The client of `ws`, on Node.

import type { Buffer } from "node:buffer";
import { type RawData, WebSocket } from "ws";
import { type Closed, type Message, playAll, Queue } from "../messages.ts";
import { DEFLATE, peerOf } from "../ws.ts";

await playAll(async ({ url, protocols, variant }) => {
  const socket = new WebSocket(url, [...protocols], { perMessageDeflate: DEFLATE[variant] });
  const messages = new Queue<Message>();
  socket.on(
    "message",
    (data: RawData, binary: boolean) => messages.put(binary ? data as Buffer : String(data)),
  );
  const closed = new Promise<Closed>((resolve) =>
    socket.once("close", (code, reason) => resolve([code, String(reason)]))
  );
  await new Promise((resolve, reject) => socket.once("open", resolve).once("error", reject));
  const { protocol, extensions } = socket;
  return { ...peerOf(socket), protocol, extensions, closed, next: () => messages.take() };
});
