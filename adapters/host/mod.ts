// What every adapter and the package root give out besides `serve` and `connect`: the core's public names and the host's.

export type * from "../../core/mod.ts";
export {
  CloseCode,
  HandshakeError,
  prepareBinary,
  PreparedMessage,
  prepareText,
  ProtocolError,
  UsageError,
} from "../../core/mod.ts";
export type { ConnectionLimits } from "./admission.ts";
export type { ConnectOptions } from "./client.ts";
export type { ConnectFailure } from "./connect-error.ts";
export { ConnectError } from "./connect-error.ts";
export type { Backpressure, Handlers, Message, MessageKind, Sendable } from "./handlers.ts";
export { SocketClosedError } from "./inbox.ts";
export type { LifetimeOptions } from "./lifetime.ts";
export type { CommonOptions, DeflateChoice } from "./options.ts";
export type { OriginOptions } from "./origin.ts";
export { allowOrigins } from "./origin.ts";
export type { ProxyChoice, ProxyOptions } from "./proxy.ts";
export type {
  Attempt,
  AttemptTarget,
  ReconnectingState,
  ReconnectOptions,
  ReconnectTarget,
  StateChange,
} from "./reconnect-options.ts";
export { ReconnectingSocket } from "./reconnecting.ts";
export type { RedirectChoice, RedirectOptions } from "./redirect.ts";
export type { AttemptEnd, RetryOptions } from "./retry.ts";
export type { RouteOptions } from "./route.ts";
export type { QueueOptions } from "./sending-queue.ts";
export type { CloseOptions, ServeOptions, ServerOptions } from "./server.ts";
export { Server } from "./server.ts";
export type { SocketStream, WebSocketCloseInfo, WebSocketStreamData } from "./socket-stream.ts";
export { WebSocketError } from "./socket-stream.ts";
export type { SendResult } from "./socket.ts";
export { Socket } from "./socket.ts";
export type { ByteStream, StreamSource, StreamTarget } from "./stream-transport.ts";
export type { Address, TlsClientOptions, TlsServerOptions } from "./transport.ts";
export type {
  Accept,
  IncomingUpgrade,
  Reject,
  RequestHook,
  RequestInfo,
  UpgradeDecision,
  UpgradeHook,
} from "./upgrade.ts";
