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

export {
  CloseCode,
  type ClosedEvent,
  HandshakeError,
  prepareBinary,
  PreparedMessage,
  prepareText,
  ProtocolError,
  type SendOptions,
  UsageError,
} from "../core/mod.ts";
export type { ConnectOptions } from "./host/client/connect.ts";
export { ConnectError } from "./host/client/error.ts";
export type { Accept, IncomingUpgrade, Reject, UpgradeDecision } from "./host/server/hooks.ts";
export { allowOrigins, type RequestHook, type UpgradeHook } from "./host/server/hooks.ts";
export { type ServeOptions, Server } from "./host/server/serve.ts";
export type { ServerOptions } from "./host/server/server.ts";
export { type Message, type MessageKind, SocketClosedError } from "./host/socket/inbox.ts";
export type { Sendable, SendResult } from "./host/socket/sending.ts";
export { type Handlers, Socket } from "./host/socket/socket.ts";
export { WebSocketError } from "./host/socket/stream.ts";
export { type Address, type TlsClientOptions, type TlsServerOptions } from "./host/transport.ts";
export { pair, type PairOptions, type SocketPair } from "./pair.ts";
export { reconnecting, ReconnectingSocket, type ReconnectOptions } from "./reconnecting.ts";
export { connect, serve } from "./runtime.ts";
export { WebSocketStream, type WebSocketStreamOptions } from "./websocket-stream.ts";
export { WebSocket, type WebSocketOptions } from "./websocket.ts";
export { CloseEvent } from "./websocket/events.ts";
