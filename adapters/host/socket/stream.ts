// One outgoing message in pieces: what a source gives is sent as fragments (RFC 6455 §5.4), no
// faster than the peer takes it.

import type { Message } from "./handlers.ts";

/** Sends a part of a message; fulfilled when the peer can take more. */
export type SendPiece = (data: Message, final: boolean) => Promise<void>;

/** Sends the pieces of the source as one message. */
export async function sendPieces(
  send: SendPiece,
  source: AsyncIterable<Message> | Iterable<Message>,
): Promise<void> {
  let nothing: Message = new Uint8Array(0);
  for await (const piece of source) {
    if (typeof piece === "string") nothing = "";
    await send(piece, false);
  }
  // An empty last frame, so that no piece has to wait for the next one to learn whether it is the
  // last.
  await send(nothing, true);
}
