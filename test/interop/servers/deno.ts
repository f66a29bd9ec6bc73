// Deno.upgradeWebSocket, which has no compression, no pings and no fragments to offer.

import { answer, type Peer, print, WELCOME } from "../messages.ts";

interface Upgraded {
  readonly socket: WebSocket;
  readonly response: Response;
}

interface Options {
  readonly port: number;
  readonly hostname: string;
  onListen(address: { port: number; }): void;
}

declare const Deno: {
  serve(options: Options, handler: (request: Request) => Response): void;
  upgradeWebSocket(request: Request, options: { protocol?: string; }): Upgraded;
};

function peerOf(socket: WebSocket): Peer {
  return {
    send: (data) => socket.send(data as string | Uint8Array<ArrayBuffer>),
    close: (code, reason) => code === undefined ? socket.close() : socket.close(code, reason),
  };
}

function take(request: Request): Response {
  const protocol = request.headers.get("Sec-WebSocket-Protocol")?.includes("beta") ? "beta" : "";
  const { socket, response } = Deno.upgradeWebSocket(request, protocol === "" ? {} : { protocol });
  const name = new URL(request.url).pathname.slice(1);
  socket.binaryType = "arraybuffer";
  socket.onopen = () => socket.send(WELCOME);
  socket.onmessage = ({ data }) =>
    void answer(peerOf(socket), typeof data === "string" ? data : new Uint8Array(data));
  // It does not fill in `socket.protocol` on a server.
  socket.onclose = ({ code, reason }) =>
    print({ name, protocol, extensions: socket.extensions, closed: [code, reason] });
  return response;
}

Deno.serve({
  port: 0,
  hostname: "127.0.0.1",
  onListen: ({ port }) => print({ none: port, takeover: port }),
}, take);
