// The peer on Bun: `Bun.serve`, with its own publish, and with a window per socket where it
// compresses.

/// <reference types="bun" />

import process from "node:process";

const broadcast = process.env.MODE === "broadcast";
const deflate = process.env.DEFLATE === "1";

const server = Bun.serve({
  port: Number(process.env.PORT ?? 8080),
  hostname: "127.0.0.1",
  fetch(request, server) {
    return server.upgrade(request)
      ? undefined
      : new Response("this server speaks WebSocket only\n", { status: 426 });
  },
  websocket: {
    perMessageDeflate: deflate && { compress: "dedicated", decompress: "dedicated" },
    open: (socket) => {
      if (broadcast) socket.subscribe("all");
    },
    message: (socket, data) => {
      if (broadcast) server.publish("all", data);
      else socket.send(data, deflate);
    },
  },
});

console.log("ready");
