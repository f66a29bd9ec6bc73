// A client: it connects, sends text and bytes, prints what comes back, and closes. The same file
// runs on Node, Deno and Bun, against any server that echoes:
//
//   node --import tsx examples/client.ts ws://127.0.0.1:8080
//   deno run -A examples/client.ts
//   bun run examples/client.ts

import process from "node:process";
import { connect } from "sansws";

const url = process.argv[2] ?? "ws://127.0.0.1:8080";
const messages = ["hello", "grüße, 世界 👋", new Uint8Array([1, 2, 3])];

const socket = await connect(url, { signal: AbortSignal.timeout(5_000) });
console.log(`connected to ${url}`);

for (const message of messages) {
  socket.send(message);
  console.log("sent    ", message);
}

let received = 0;
for await (const message of socket) {
  console.log("received", message);
  if (++received === messages.length) break;
}

socket.close(1000, "done");
const { code, reason, clean } = await socket.closed;
console.log(`closed ${clean ? "cleanly" : "without a handshake"}: ${code} ${reason}`);
