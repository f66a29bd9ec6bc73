// What every adapter and the package root give out besides `serve` and `connect`: the core's public
// names and the host's.

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
export type { ConnectOptions } from "./client/client.ts";
export { ConnectError, type ConnectFailure } from "./client/connect-error.ts";
export type { LifetimeOptions } from "./client/lifetime.ts";
export type { ProxyChoice, ProxyOptions } from "./client/proxy.ts";
export type {
  Attempt,
  AttemptTarget,
  ReconnectingState,
  ReconnectOptions,
  ReconnectTarget,
  StateChange,
} from "./client/reconnect-options.ts";
export { ReconnectingSocket } from "./client/reconnecting.ts";
export type { RedirectChoice, RedirectOptions } from "./client/redirect.ts";
export type { AttemptEnd, RetryOptions } from "./client/retry.ts";
export type { RouteOptions } from "./client/route.ts";
export type { QueueOptions } from "./client/sending-queue.ts";
export type { ByteStream, StreamSource, StreamTarget } from "./client/stream-transport.ts";
export type { CommonOptions, DeflateChoice } from "./options.ts";
export type { ConnectionLimits } from "./server/admission.ts";
export { allowOrigins, type OriginOptions } from "./server/origin.ts";
export type { CloseOptions, ServeOptions, ServerOptions } from "./server/server.ts";
export { Server } from "./server/server.ts";
export type {
  Accept,
  IncomingUpgrade,
  Reject,
  RequestHook,
  RequestInfo,
  UpgradeDecision,
  UpgradeHook,
} from "./server/upgrade.ts";
export type { Backpressure, Handlers, Message, MessageKind, Sendable } from "./socket/handlers.ts";
export { SocketClosedError } from "./socket/inbox.ts";
export type {
  SocketStream,
  WebSocketCloseInfo,
  WebSocketStreamData,
} from "./socket/socket-stream.ts";
export { WebSocketError } from "./socket/socket-stream.ts";
export { type SendResult, Socket } from "./socket/socket.ts";
export type {
  Address,
  ListenOptions,
  Pem,
  TlsClientOptions,
  TlsServerOptions,
} from "./transport.ts";
