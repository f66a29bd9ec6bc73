// A stream through a WebSocket: lines are piped to a server that echoes, and the echoes are piped
// on. Backpressure goes from one end to the other: the slowest part sets the pace. The same file
// runs on Node, Deno and Bun:
//
//   node --import tsx examples/stream.ts ws://127.0.0.1:8080 1000
//   deno run -A examples/stream.ts
//   bun run examples/stream.ts

import process from "node:process";
import { WebSocketStream } from "sansws";

const url = process.argv[2] ?? "ws://127.0.0.1:8080";
const count = Number(process.argv[3] ?? 10);

let made = 0;
const lines = new ReadableStream<string>({
  pull(controller) {
    if (made < count) controller.enqueue(`line ${++made}`);
    else controller.close();
  },
});
const capitals = new TransformStream<string | Uint8Array, string>({
  transform: (line, controller) => controller.enqueue(String(line).toUpperCase()),
});

const stream = new WebSocketStream(url);
const { readable, writable } = await stream.opened;

// Keep the connection open at the end of the lines: the last echoes are still under way.
const sending = lines.pipeTo(writable, { preventClose: true });
let received = 0;
for await (const line of readable.pipeThrough(capitals)) {
  console.log(line);
  if (++received === count) stream.close({ closeCode: 1000 });
}
await sending;
console.log("closed with", (await stream.closed).closeCode);
