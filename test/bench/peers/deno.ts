// The peer on Deno: `Deno.serve` and `Deno.upgradeWebSocket`. It knows no compression and no
// publish.

import process from "node:process";

interface DenoApi {
  serve(options: object, handler: (request: Request) => Response): void;
  upgradeWebSocket(request: Request): { socket: WebSocket; response: Response; };
}

const { Deno } = globalThis as unknown as { Deno: DenoApi; };

const broadcast = process.env.MODE === "broadcast";
const sockets = new Set<WebSocket>();

function open(request: Request): Response {
  const { socket, response } = Deno.upgradeWebSocket(request);
  socket.binaryType = "arraybuffer";
  sockets.add(socket);
  socket.onclose = () => sockets.delete(socket);
  socket.onmessage = ({ data }) => {
    if (!broadcast) return socket.send(data);
    for (const other of sockets) {
      if (other.readyState === WebSocket.OPEN) other.send(data);
    }
  };
  return response;
}

Deno.serve({
  port: Number(process.env.PORT ?? 8080),
  hostname: "127.0.0.1",
  onListen: () => console.log("ready"),
}, open);
