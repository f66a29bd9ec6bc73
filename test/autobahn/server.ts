// The server that the conformance suite's fuzzing client is pointed at: an echo with compression
// on. The same file runs on Node, Deno and Bun; PORT says where it listens.

import process from "node:process";
import { serve } from "sansws";

const server = await serve({
  port: Number(process.env.PORT ?? 9002),
  deflate: true,
  // Cases 9.* send up to 16 MiB, and 10.* and 12.* many messages behind each other.
  limits: { maxMessageSize: 64 * 1024 * 1024 },
  backpressure: { maxBufferedAmount: Infinity },
  message: (socket, data) => socket.send(data),
});

console.log(`listening on ${server.url}`);

process.once("SIGINT", () => server.close());
process.once("SIGTERM", () => server.close());
