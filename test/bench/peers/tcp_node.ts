// What Node's `net` does with no protocol at all: it writes back what it reads.

import { createServer } from "node:net";
import process from "node:process";

createServer({ noDelay: true }, (socket) => {
  socket.on("data", (chunk) => socket.write(chunk));
  socket.on("error", () => socket.destroy());
}).listen(Number(process.env.PORT ?? 8080), "127.0.0.1", () => console.log("ready"));
