// What Bun's TCP does with no protocol at all: it writes back what it reads.

/// <reference types="bun" />

import type { Socket } from "bun";
import process from "node:process";

/** What a socket has not taken yet, in order. */
type Rest = { chunks: Uint8Array[]; };

function flush(socket: Socket<Rest>): void {
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

Bun.listen<Rest>({
  port: Number(process.env.PORT ?? 8080),
  hostname: "127.0.0.1",
  socket: {
    open(socket) {
      socket.data = { chunks: [] };
      socket.setNoDelay(true);
    },
    data(socket, chunk) {
      if (socket.data.chunks.length > 0) return void socket.data.chunks.push(chunk);
      const count = Math.max(socket.write(chunk), 0);
      if (count < chunk.length) socket.data.chunks.push(chunk.subarray(count));
    },
    drain: flush,
  },
});

console.log("ready");
