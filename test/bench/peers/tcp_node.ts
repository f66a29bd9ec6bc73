// What Node's `net` does with no protocol at all: it writes back what it reads, or with
// MODE=handshake answers without looking.

import { createServer } from "node:net";
import process from "node:process";
import { ANSWERS } from "./answers.ts";

const handshake = process.env.MODE === "handshake";

createServer({ noDelay: true, allowHalfOpen: handshake }, (socket) => {
  let turn = 0;
  socket.on("data", (chunk) => {
    socket.write(handshake ? ANSWERS[turn++]! : chunk);
    if (turn === ANSWERS.length) socket.end();
  });
  socket.on("error", () => socket.destroy());
}).listen(Number(process.env.PORT ?? 8080), "127.0.0.1", () => console.log("ready"));

process.on("SIGTERM", () => process.exit());
