// How `ws` spells what interop tests agree on, as a server and as a client.

import type { PerMessageDeflateOptions, WebSocket } from "ws";
import type { Peer, Variant } from "./messages.ts";

export const DEFLATE: Readonly<Record<Variant, false | PerMessageDeflateOptions>> = {
  none: false,
  takeover: { threshold: 0 },
  "no-takeover": { threshold: 0, serverNoContextTakeover: true, clientNoContextTakeover: true },
  "bits-9": { threshold: 0, serverMaxWindowBits: 9, clientMaxWindowBits: 9 },
  "bits-15": { threshold: 0, serverMaxWindowBits: 15, clientMaxWindowBits: 15 },
};

export function peerOf(socket: WebSocket): Peer {
  return {
    send: (data) => socket.send(data),
    sendFragments: (parts) =>
      parts.forEach((part, index) => socket.send(part, { fin: index === parts.length - 1 })),
    close: (code, reason) => socket.close(code, reason),
    ping: (payload) => {
      socket.ping(payload);
      return new Promise((resolve) => socket.once("pong", resolve));
    },
  };
}
