// A client that connects through a proxy and logs in. User names and passwords are in the URLs.
// Without PROXY the usual variables name the proxy, if there is one: HTTPS_PROXY, HTTP_PROXY,
// ALL_PROXY, NO_PROXY. The same file runs on Node, Deno and Bun:
//
//   PROXY=http://me:word@127.0.0.1:8888 \
//     node --import tsx examples/proxied.ts ws://you:pass@127.0.0.1:8080
//   PROXY=socks5://127.0.0.1:1080 deno run -A examples/proxied.ts wss://example.com/chat

import process from "node:process";
import { connect, ConnectError, HandshakeError } from "sansws";

const url = process.argv[2] ?? "ws://127.0.0.1:8080";

try {
  const socket = await connect(url, {
    proxy: process.env.PROXY ?? "env",
    headers: { "User-Agent": "sansws-example" },
    timeout: 10_000,
  });
  socket.send("hello");
  for await (const message of socket) {
    console.log("received", message);
    break;
  }
  socket.close();
} catch (error) {
  if (error instanceof ConnectError) {
    console.error(`no way to the server (${error.failure}): ${error.message}`);
  } else if (error instanceof HandshakeError) {
    console.error(`the server answered ${error.answer?.status}: ${error.message}`);
  } else throw error;
  process.exitCode = 1;
}
