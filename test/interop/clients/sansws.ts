// This library as a client, on any runtime.

import { connect } from "sansws";
import { type Message, playAll, Queue } from "../messages.ts";
import { DEFLATE, peerOf } from "../sansws.ts";

await playAll(async ({ url, protocols, variant }) => {
  const messages = new Queue<Message>();
  const pongs = new Queue<Uint8Array>();
  const socket = await connect(url, {
    protocols,
    deflate: DEFLATE[variant],
    message: (_, data) => messages.put(data),
    pong: (_, payload) => pongs.put(payload),
  });
  const closed = socket.closed.then(({ code, reason }) => [code, reason] as const);
  const { protocol, extensions } = socket;
  return { ...peerOf(socket, pongs), protocol, extensions, closed, next: () => messages.take() };
});
