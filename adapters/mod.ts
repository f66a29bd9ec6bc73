/**
 * A WebSocket server and client on plain TCP sockets, the same on Node, Deno and Bun.
 *
 * `sansws/core` is the protocol alone; `sansws/node`, `sansws/deno` and `sansws/bun` name one
 * adapter.
 *
 * @example A server
 * ```ts
 * import { serve } from "sansws";
 *
 * await serve({ port: 8080, message: (socket, data) => socket.send(data) });
 * ```
 *
 * @example A client
 * ```ts
 * import { connect } from "sansws";
 *
 * const socket = await connect("ws://127.0.0.1:8080");
 * socket.send("hello");
 * for await (const message of socket) console.log(message);
 * ```
 *
 * @module
 */

export { connect, reconnecting, serve } from "./detect.ts";
export * from "./host/mod.ts";
export { CloseEvent, type CloseEventInit, type ConnectionErrorEvent } from "./host/web/events.ts";
export { pair, type PairOptions, type SocketPair } from "./pair.ts";
export type { WebSocketOpenInfo, WebSocketStreamOptions } from "./websocket-stream.ts";
export { WebSocketStream } from "./websocket-stream.ts";
export type {
  WebSocketData,
  WebSocketEventMap,
  WebSocketHandler,
  WebSocketOptions,
} from "./websocket.ts";
export { WebSocket } from "./websocket.ts";
