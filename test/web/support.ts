// What the tests of the web's classes share: a server that does what a path says, and promises of
// events.
//
// The web-platform-tests of websockets/ that need no browser, and where the same is asked for here,
// from the standard's own text:
//
//   constructor, Create-*, url/*                        websocket-constructor
//   Close-*, close-invalid, interfaces/…/close/*        websocket-close
//   Send-*, bufferedAmount/*                            websocket-send
//   binaryType-*                                        websocket-attributes, websocket-send
//   eventhandlers, events/*, readyState/*, protocol/*   websocket-events
//   basic-auth, referrer, opening-handshake/*           websocket-handshake
//   Close-delayed, extended-payload-length              websocket-handshake
//   idlharness, constants/*, CloseEvent/*               interfaces
//   stream/tentative/*                                  websocket-stream, websocket-stream-pipe, websocket-stream-backpressure
//
// Those of cookies/, mixed-content, multi-globals, unload-a-document and remove-own-iframe-* are
// about what only a page has.

import { serve, type Server, type Socket, WebSocket } from "sansws";
import { afterAll, afterEach, beforeAll } from "vitest";

let server: Server;
const opened: WebSocket[] = [];

/** How many messages `/flood` sends. */
export const FLOOD = 3000;

function greet(socket: Socket): void {
  for (const message of ["one", "two", "three"]) socket.send(message);
}

/** What the server does on a path, besides echoing. */
const PATHS: Readonly<Record<string, (socket: Socket) => void>> = {
  "/close-4000": (socket) => socket.close(4000, "because"),
  "/close-empty": (socket) => socket.close(1005),
  "/abort": (socket) => socket.abort(),
  "/greet": greet,
  "/greet-close": (socket) => {
    greet(socket);
    socket.close(3000, "enough");
  },
  "/flood": (socket) => {
    for (let i = 0; i < FLOOD; i++) socket.send(String(i));
  },
};

/** Starts the server before the tests of a file, and closes what they opened. */
export function useServer(): void {
  beforeAll(async () => {
    server = await serve<string>({
      port: 0,
      hostname: "127.0.0.1",
      deflate: true,
      upgrade: ({ path, protocols }) =>
        path === "/refuse" ? { status: 403 } : {
          data: path,
          ...path !== "/no-protocol" && protocols.length > 0 && { protocol: protocols.at(-1) },
        },
      open: (socket) => PATHS[socket.data]?.(socket),
      message: (socket, data) => socket.send(data),
    });
  });
  afterEach(() => {
    for (const socket of opened.splice(0)) socket.close();
  });
  afterAll(() => server.close({ deadline: 500 }));
}

/** A URL of the server. */
export function url(path = "/", scheme = "ws"): string {
  return `${scheme}://127.0.0.1:${server.address.port}${path}`;
}

/** A WebSocket that is closed after the test. */
export function open(...args: ConstructorParameters<typeof WebSocket>): WebSocket {
  const socket = new WebSocket(...args);
  opened.push(socket);
  return socket;
}

/** The next event of a type. */
export function next<Type extends "open" | "message" | "error" | "close">(
  socket: WebSocket,
  type: Type,
): Promise<Type extends "message" ? MessageEvent : Type extends "close" ? CloseLike : Event> {
  return new Promise((resolve) =>
    socket.addEventListener(type, resolve as (event: Event) => void, { once: true })
  );
}

/** What a close event tells. */
export interface CloseLike extends Event {
  readonly code: number;
  readonly reason: string;
  readonly wasClean: boolean;
}

/** The name of the DOMException that the call throws. */
export function nameOf(action: () => unknown): string | undefined {
  try {
    action();
  } catch (error) {
    return error instanceof DOMException ? error.name : `not a DOMException: ${error}`;
  }
  return undefined;
}
