// A client that does one thing and must then end by itself, on any runtime: what, where and how is
// in SCENARIO, URL and CLIENT_OPTIONS (as JSON). It prints what came of it as a line of JSON.

import process from "node:process";
import { connect, type ConnectOptions, type Socket } from "sansws";
import { sleep } from "./waiting.ts";

const { SCENARIO = "", URL: url = "", CLIENT_OPTIONS = "{}" } = process.env;

/** What came of it: how the socket ended, or how connecting failed. */
export interface Outcome {
  readonly closed?: { readonly code: number; readonly cause: string; };
  readonly error?: {
    readonly name: string;
    readonly message: string;
    readonly status: number | undefined;
  };
}

const options = JSON.parse(CLIENT_OPTIONS) as ConnectOptions;

async function outcomeOf(socket: Socket): Promise<Outcome> {
  const { code, cause } = await socket.closed;
  return { closed: { code, cause } };
}

const SCENARIOS: Readonly<Record<string, () => Promise<Outcome>>> = {
  // One echo, then the end from this side
  close: async () => {
    const socket = await connect(url, options);
    socket.send("hello");
    for await (const _ of socket) break;
    socket.close();
    return await outcomeOf(socket);
  },
  abort: async () => {
    const socket = await connect(url, options);
    socket.abort();
    return await outcomeOf(socket);
  },
  // More than the peer takes, and then the end
  "abort-full": async () => {
    const socket = await connect(url, options);
    while (socket.send(new Uint8Array(2 ** 20)) === "sent") {
      await sleep(0);
    }
    socket.abort();
    return await outcomeOf(socket);
  },
  // Whatever the peer does
  wait: async () => await outcomeOf(await connect(url, options)),
  // Somebody loses patience
  "give-up": async () =>
    await outcomeOf(await connect(url, { ...options, signal: AbortSignal.timeout(300) })),
};

function failure(error: unknown): Outcome {
  const { name, message, answer } = error as {
    name: string;
    message: string;
    answer?: { status: number; };
  };
  return { error: { name, message, status: answer?.status } };
}

console.log(JSON.stringify(await SCENARIOS[SCENARIO]!().catch(failure)));
