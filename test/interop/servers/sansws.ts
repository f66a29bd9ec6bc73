// This library as a server, on any runtime: one for each setting of permessage-deflate.

import { serve } from "sansws";
import { answer, print, Queue, type Variant, VARIANTS, WELCOME } from "../messages.ts";
import { DEFLATE, peerOf } from "../sansws.ts";

interface Data {
  readonly name: string;
  readonly pongs: Queue<Uint8Array>;
}

async function listen(variant: Variant): Promise<readonly [Variant, number]> {
  const { address } = await serve<Data>({
    port: 0,
    hostname: "127.0.0.1",
    deflate: DEFLATE[variant],
    upgrade: ({ path, protocols }) => ({
      data: { name: path.slice(1), pongs: new Queue() },
      protocol: protocols.includes("beta") ? "beta" : undefined,
    }),
    open: (socket) => socket.send(WELCOME),
    message: (socket, data) => answer(peerOf(socket, socket.data.pongs), data),
    pong: ({ data }, payload) => data.pongs.put(payload),
    close: ({ data: { name }, protocol, extensions }, { code, reason }) =>
      print({ name, protocol, extensions, closed: [code, reason] }),
  });
  return [variant, address.port!];
}

print(Object.fromEntries(await Promise.all(VARIANTS.map(listen))));
