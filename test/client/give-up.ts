// A program for leftovers.node.test.ts: gives up connecting in every way there is, and ends when
// nothing is left of it.

import process from "node:process";
import { connect, pair, reconnecting } from "sansws";

const [silent = "", refusing = ""] = process.argv.slice(2);

const attempts = [
  connect(silent, { signal: AbortSignal.timeout(100) }),
  connect(silent, { timeout: 100 }),
  connect(silent, { timeouts: { handshake: 100 } }),
  connect(silent.replace("ws:", "wss:"), { timeout: 100 }),
  connect("ws://a.test/", { proxy: silent.replace("ws:", "http:"), timeout: 100 }),
  connect("ws://a.test/", { proxy: silent.replace("ws:", "socks5:"), timeout: 100 }),
  connect("ws://a.test/", { stream: () => new Promise(() => {}), timeout: 100 }),
  connect(refusing),
  connect("ws://127.0.0.1:1/"),
];
for (const { status } of await Promise.allSettled(attempts)) console.log(status);

const socket = reconnecting("ws://127.0.0.1:1/", {
  retry: { initialDelay: 100_000 },
  change: ({ state }) => {
    if (state === "waiting") socket.close();
  },
});
await socket.closed;
const { client } = await pair();
client.close();
console.log((await client.closed).code);
