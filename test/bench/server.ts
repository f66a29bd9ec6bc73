// The server that is measured: ours, the same file on Node, Deno and Bun. It echoes, or with
// MODE=broadcast publishes each message to every connection, its sender included; DEFLATE=1 turns
// compression on. It prints `ready` once it listens on PORT, and exits by itself on SIGTERM, so
// that a profiler writes what it has seen.

import process from "node:process";
import { type Message, serve, type Socket } from "sansws";

const broadcast = process.env.MODE === "broadcast";

function echo(socket: Socket, data: Message): void {
  socket.send(data);
}

function publish(_socket: Socket, data: Message): void {
  server.publish("all", data);
}

const server = await serve({
  port: Number(process.env.PORT ?? 8080),
  hostname: "127.0.0.1",
  deflate: process.env.DEFLATE === "1",
  message: broadcast ? publish : echo,
  ...broadcast && { open: (socket) => socket.subscribe("all") },
});

process.on("SIGTERM", () => process.exit());
console.log("ready");
