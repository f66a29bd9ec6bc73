// A client that reconnects: it sends the time every second, with or without a connection. It prints
// what comes back and each change of state. Stop the server and start it again. The same file runs
// on Node, Deno and Bun:
//
//   node --import tsx examples/reconnecting.ts ws://127.0.0.1:8080
//   deno run -A examples/reconnecting.ts
//   bun run examples/reconnecting.ts

import process from "node:process";
import { reconnecting } from "sansws";

const url = process.argv[2] ?? "ws://127.0.0.1:8080";
const ending = new AbortController();

const socket = reconnecting(() => ({ url, headers: { Authorization: `Bearer ${freshToken()}` } }), {
  signal: ending.signal,
  retry: { initialDelay: 500, maxDelay: 10_000 },
  queue: { maxMessages: 3, onOverflow: "drop-oldest" },
  change(change) {
    console.log(change.state === "waiting" ? `waiting for ${change.delay} ms` : change.state);
  },
});

function freshToken(): string {
  return `valid from ${Date.now()}`;
}

const ticking = setInterval(() => socket.send(new Date().toISOString()), 1000);
process.once("SIGINT", () => ending.abort());
process.once("SIGTERM", () => ending.abort());

for await (const message of socket) console.log("received", message);
clearInterval(ticking);
