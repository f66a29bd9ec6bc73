// What Bun's TCP does with no protocol at all: it writes back what it reads, or with MODE=handshake
// answers without looking.

/// <reference types="bun" />

import type { Socket, SocketHandler } from "bun";
import process from "node:process";
import { ANSWERS } from "./answers.ts";

/** What a socket has not taken yet, in order, and how often it was answered. */
type State = { chunks: Uint8Array[]; turn: number; };

function flush(socket: Socket<State>): void {
  const { chunks } = socket.data;
  while (chunks.length > 0) {
    const chunk = chunks[0]!;
    const count = Math.max(socket.write(chunk), 0);
    if (count < chunk.length) {
      chunks[0] = chunk.subarray(count);
      return;
    }
    chunks.shift();
  }
}

function open(socket: Socket<State>): void {
  socket.data = { chunks: [], turn: 0 };
  socket.setNoDelay(true);
}

const echo: SocketHandler<State> = {
  open,
  data(socket, chunk) {
    if (socket.data.chunks.length > 0) return void socket.data.chunks.push(chunk);
    const count = Math.max(socket.write(chunk), 0);
    if (count < chunk.length) socket.data.chunks.push(chunk.subarray(count));
  },
  drain: flush,
};

const shake: SocketHandler<State> = {
  open,
  data(socket) {
    socket.write(ANSWERS[socket.data.turn++]!);
    if (socket.data.turn === ANSWERS.length) socket.shutdown();
  },
  end: (socket) => void socket.end(),
};

const handshake = process.env.MODE === "handshake";
Bun.listen<State>({
  port: Number(process.env.PORT ?? 8080),
  hostname: "127.0.0.1",
  allowHalfOpen: handshake,
  socket: handshake ? shake : echo,
});

process.on("SIGTERM", () => process.exit());
console.log("ready");
