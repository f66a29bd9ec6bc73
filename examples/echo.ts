// An echo server: it sends every message back. The same file runs on Node, Deno and Bun.
//
//   node --import tsx examples/echo.ts
//   deno run -A examples/echo.ts
//   bun run examples/echo.ts
//
// PORT (default 8080) and HOST (default 127.0.0.1) come from the environment.

import process from "node:process";
import { serve } from "sansws";

const server = await serve({
  port: Number(process.env.PORT ?? 8080),
  hostname: process.env.HOST ?? "127.0.0.1",
  message: (socket, data) => socket.send(data),
});

console.log(`listening on ${server.url}`);

process.once("SIGINT", () => server.close());
process.once("SIGTERM", () => server.close());
