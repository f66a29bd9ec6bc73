// How this library spells what interop tests agree on, as a server and as a client.

import type { Socket } from "sansws";
import type { DeflateChoice } from "sansws/node";
import type { Peer, Queue, Variant } from "./messages.ts";

export const DEFLATE: Readonly<Record<Variant, DeflateChoice>> = {
  none: false,
  takeover: { threshold: 0, windowBits: 15 },
  "no-takeover": { threshold: 0, windowBits: 15, takeover: false, peerTakeover: false },
  "bits-9": { threshold: 0, windowBits: 9, peerWindowBits: 9 },
  "bits-15": { threshold: 0, windowBits: 15, peerWindowBits: 15 },
};

/** The pongs of a socket go into the queue. */
export function peerOf(socket: Socket, pongs: Queue<Uint8Array>): Peer {
  return {
    send: (data) => socket.send(data),
    sendFragments: (parts) => socket.sendStream(parts),
    close: (code = 1005, reason) => socket.close(code, reason),
    ping: (payload) => {
      socket.ping(payload);
      return pongs.take();
    },
  };
}
