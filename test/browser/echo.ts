// The server for the browser's own WebSocket: it echoes, closes when it is told to ("close 4000
// reason", "abort"), and tells its round-trip time ("ping"). DEFLATE holds options for
// permessage-deflate, as JSON; without it there is none.

import process from "node:process";
import { type Message, serve, type Socket } from "sansws";
import type { DeflateChoice } from "sansws/node";

/** Small enough to be exceeded in a test. */
const MAX_MESSAGE_SIZE = 2 * 1024 * 1024;

const orders: Readonly<Record<string, (socket: Socket, rest: readonly string[]) => unknown>> = {
  close: (socket, [code, ...reason]) => socket.close(Number(code), reason.join(" ")),
  abort: (socket) => socket.abort(),
  ping: (socket) => socket.send(String(socket.roundTripTime ?? "")),
};

function receive(socket: Socket, data: Message): void {
  const [order = "", ...rest] = typeof data === "string" ? data.slice(0, 200).split(" ") : [];
  const act = Object.hasOwn(orders, order) ? orders[order] : undefined;
  if (act === undefined) socket.send(data);
  else act(socket, rest);
}

const server = await serve({
  port: Number(process.env.PORT),
  hostname: "127.0.0.1",
  limits: { maxMessageSize: MAX_MESSAGE_SIZE },
  timeouts: { pingInterval: 50 },
  protocols: ["chat.v2", "chat.v1"],
  deflate: JSON.parse(process.env.DEFLATE ?? "false") as DeflateChoice,
  message: receive,
});

console.log(`listening on ${server.url}`);
