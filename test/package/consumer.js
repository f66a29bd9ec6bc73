// Runs inside a project that has the packed package installed: one message there and back through
// the entry point that is named by the argument, then "ok".

import process from "node:process";

const { connect, serve } = await import(process.argv[2]);

const server = await serve({
  port: 0,
  hostname: "127.0.0.1",
  message: (socket, data) => void socket.send(data),
});
const socket = await connect(`ws://127.0.0.1:${server.address.port}`);
socket.send("héllo");
for await (const message of socket) {
  if (message !== "héllo") throw new Error(`echoed ${message}`);
  socket.close();
}
await server.close();
console.log("ok");
