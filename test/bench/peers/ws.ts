// The peer on Node: `ws`. WS_NO_BUFFER_UTIL=1 keeps it from using its native add-on. It hands
// messages over as bytes, and they are sent back as such: to make a string of each, as an
// application would, costs it a few percent more.

import process from "node:process";
import { WebSocket, WebSocketServer } from "ws";

const broadcast = process.env.MODE === "broadcast";
const server = new WebSocketServer({
  port: Number(process.env.PORT ?? 8080),
  host: "127.0.0.1",
  perMessageDeflate: process.env.DEFLATE === "1" && { threshold: 0 },
});

server.on("connection", (socket) => {
  socket.on("error", () => socket.terminate());
  socket.on("message", (data, binary) => {
    if (!broadcast) return socket.send(data, { binary });
    for (const client of server.clients) {
      if (client.readyState === WebSocket.OPEN) client.send(data, { binary });
    }
  });
});

server.on("listening", () => console.log("ready"));
