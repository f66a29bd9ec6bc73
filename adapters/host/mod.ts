// What every adapter gives out besides its entry points.

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
} from "../../core/mod.ts";
export type { ConnectOptions } from "./client/connect.ts";
export { ConnectError, type ConnectFailure } from "./client/error.ts";
export type { RedirectChoice, RedirectOptions } from "./client/redirect.ts";
export type { RouteOptions } from "./client/route.ts";
export type { LifetimeOptions } from "./client/scope.ts";
export type { ByteStream, StreamSource, StreamTarget } from "./client/stream.ts";
export type { EntryPoints } from "./entry.ts";
export type { CommonOptions, DeflateChoice } from "./options.ts";
export type { ProxyChoice, ProxyOptions } from "./proxy/proxy.ts";
export type { ConnectionLimits } from "./server/admission.ts";
export type { ProxyProtocolOptions } from "./server/forwarded.ts";
export type { Accept, IncomingUpgrade, OriginOptions, Reject } from "./server/hooks.ts";
export type { Refusal, RefusedHandler, RequestHook, RequestInfo } from "./server/hooks.ts";
export type { UpgradeDecision, UpgradeHook } from "./server/hooks.ts";
export { allowOrigins } from "./server/hooks.ts";
export { type ServeOptions, Server } from "./server/serve.ts";
export type { CloseOptions, ServerOptions } from "./server/server.ts";
export type { SocketHandlers } from "./socket/handlers.ts";
export { type Message, type MessageKind, SocketClosedError } from "./socket/inbox.ts";
export type { Piece, PieceSource, Sendable, SendResult } from "./socket/sending.ts";
export type { Backpressure } from "./socket/session.ts";
export { type Handlers, Socket } from "./socket/socket.ts";
export type { SocketStream, WebSocketCloseInfo, WebSocketStreamData } from "./socket/stream.ts";
export { WebSocketError } from "./socket/stream.ts";
export type { Address, Certificate, ListenOptions, Pem } from "./transport.ts";
export type { TlsClientOptions, TlsServerOptions } from "./transport.ts";
