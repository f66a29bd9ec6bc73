// A program for proxies.node.test.ts: connects by the URL and options it is given, sends a megabyte
// and a text, checks what comes back, and closes. It prints one line about how that went.

import process from "node:process";
import { connect, ConnectError } from "sansws";

const [url = "", options = "{}"] = process.argv.slice(2);
const sent = ["0123456789".repeat(100_000), "grüße, 世界 👋"];

try {
  const socket = await connect(url, JSON.parse(options) as object);
  for (const message of sent) socket.send(message);
  let right = 0;
  for await (const message of socket) {
    if (message === sent[right]) right++;
    if (right === sent.length) break;
  }
  socket.close(3000, "done");
  const { code, clean } = await socket.closed;
  console.log(`echoed ${right}, closed ${clean ? "cleanly" : "badly"} with ${code}`);
} catch (error) {
  console.log(error instanceof ConnectError ? `${error.failure}: ${error.message}` : String(error));
}
