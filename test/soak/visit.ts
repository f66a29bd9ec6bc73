// One connection from its beginning to its end. Its number decides on what it says, how it listens,
// and how it goes, so that in a crowd there is every combination.

import { setMaxListeners } from "node:events";
import { connect, type ConnectOptions, HandshakeError, type Message, type Socket } from "sansws";
import type { Tally } from "./tally.ts";

type Ending = readonly [expected: string, end: (socket: Socket) => unknown];

const ENDINGS: readonly Ending[] = [
  ["1000 clean local", (socket) => socket.close()],
  ["4000 clean peer", (socket) => socket.send("close")],
  ["1006 unclean lost", (socket) => socket.abort()],
  ["1006 unclean lost", (socket) => socket.send("abort")],
  ["3999 clean local", (socket) => socket.close(3999, "a reason")],
];

const CONTENTS: readonly Message[] = [
  "a",
  "ä".repeat(100),
  new Uint8Array(50),
  "x".repeat(3000),
  new Uint8Array(70_000),
  "",
  new Uint8Array(700),
];

/** Many more than there are connections at a time. */
export const MAX_LISTENERS = 500;

/** One in so many is refused. */
const REFUSED = 11;

// One signal for all: whoever does not take a listener from it again leaves it there, and soon Node
// complains about their number.
const { signal } = new AbortController();
setMaxListeners(MAX_LISTENERS, signal);

/** Connects, says something, hears it again, and goes. */
export async function visit(url: string, index: number, tally: Tally): Promise<void> {
  if (index % REFUSED === 0) return beRefused(url, tally);
  const [expected, end] = ENDINGS[index % ENDINGS.length]!;
  const sent = Array.from(
    { length: 1 + index % 3 },
    (_, i) => CONTENTS[(index + i) % CONTENTS.length]!,
  );
  let heard = 0;
  const message = (socket: Socket, data: Message): void => {
    tally.messages++;
    if (data.length !== sent[heard]!.length) {
      tally.fail(`${data.length} instead of ${sent[heard]!.length}`);
    }
    if (++heard === sent.length) end(socket);
  };
  const iterates = index % 2 === 0;
  const socket = await connect(url, optionsOf(index, iterates ? {} : { message }));
  for (const data of sent) socket.send(data.slice());
  if (iterates) await iterate(socket, sent.length, message);
  tally.ended(await socket.closed, expected);
  tally.connects++;
}

function optionsOf(index: number, handlers: ConnectOptions): ConnectOptions {
  return { ...handlers, deflate: index % 4 < 2, ...index % 3 === 0 ? { signal } : {} };
}

async function iterate(
  socket: Socket,
  count: number,
  message: (socket: Socket, data: Message) => void,
): Promise<void> {
  let left = count;
  for await (const data of socket) {
    message(socket, data);
    if (--left === 0) break;
  }
}

async function beRefused(url: string, tally: Tally): Promise<void> {
  try {
    const socket = await connect(new URL("/refused", url), { signal });
    socket.abort();
    tally.fail("a client that should have been refused was let in");
  } catch (error) {
    if (!(error instanceof HandshakeError && error.answer?.status === 403)) throw error;
    tally.connects++;
  }
}
