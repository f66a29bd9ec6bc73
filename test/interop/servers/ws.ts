// The server of `ws`, on Node: one for each setting of permessage-deflate.

import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { WebSocketServer } from "ws";
import { answer, print, type Variant, VARIANTS, WELCOME } from "../messages.ts";
import { DEFLATE, peerOf } from "../ws.ts";

async function listen(variant: Variant): Promise<readonly [Variant, number]> {
  const server = new WebSocketServer({
    port: 0,
    host: "127.0.0.1",
    perMessageDeflate: DEFLATE[variant],
    handleProtocols: (protocols) => protocols.has("beta") && "beta",
  });
  server.on("connection", (socket, { url = "" }) => {
    const { protocol, extensions } = socket;
    socket.send(WELCOME);
    socket.on(
      "message",
      (data, binary) => answer(peerOf(socket), binary ? data as Uint8Array : String(data)),
    );
    socket.on(
      "close",
      (code, reason) =>
        print({ name: url.slice(1), protocol, extensions, closed: [code, String(reason)] }),
    );
  });
  await once(server, "listening");
  return [variant, (server.address() as AddressInfo).port];
}

print(Object.fromEntries(await Promise.all(VARIANTS.map(listen))));
