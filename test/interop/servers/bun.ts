/// <reference types="bun" />
// Bun.serve: one server for each setting of permessage-deflate.

import { serve, type ServerWebSocket } from "bun";
import { answer, type Peer, print, Queue, type Variant, WELCOME } from "../messages.ts";

interface Data {
  readonly name: string;
  readonly protocol: string;
  readonly pongs: Queue<Uint8Array>;
}

type Deflate = Bun.WebSocketHandler<Data>["perMessageDeflate"];

type Mode = Exclude<Variant, "bits-15">;

const DEFLATE: Readonly<Record<Mode, NonNullable<Deflate>>> = {
  none: false,
  takeover: { compress: "dedicated", decompress: "dedicated" },
  "no-takeover": { compress: "shared", decompress: "shared" },
  "bits-9": { compress: "3KB", decompress: "3KB" },
};

function peerOf(socket: ServerWebSocket<Data>): Peer {
  return {
    send: (data) => socket.send(data as string | Uint8Array<ArrayBuffer>, true),
    close: (code, reason) => socket.close(code, reason),
    ping: (payload) => {
      socket.ping(payload as Uint8Array<ArrayBuffer>);
      return socket.data.pongs.take();
    },
  };
}

function listen(variant: Mode): readonly [Mode, number] {
  const { port } = serve<Data>({
    port: 0,
    hostname: "127.0.0.1",
    fetch: (request, server) => {
      const protocol = request.headers.get("Sec-WebSocket-Protocol")?.includes("beta")
        ? "beta"
        : "";
      const data = {
        name: new URL(request.url).pathname.slice(1),
        protocol,
        pongs: new Queue<Uint8Array>(),
      };
      const headers: Record<string, string> = protocol === ""
        ? {}
        : { "Sec-WebSocket-Protocol": protocol };
      return server.upgrade(request, { data, headers })
        ? undefined
        : new Response("", { status: 400 });
    },
    websocket: {
      perMessageDeflate: DEFLATE[variant],
      open: (socket) => void socket.send(WELCOME),
      message: (socket, data) => answer(peerOf(socket), data),
      pong: ({ data }, payload) => data.pongs.put(payload),
      close: ({ data: { name, protocol } }, code, reason) =>
        print({ name, protocol, extensions: "", closed: [code, reason] }),
    },
  });
  return [variant, port!];
}

print(Object.fromEntries((Object.keys(DEFLATE) as Mode[]).map(listen)));
