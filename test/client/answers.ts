// Answers of servers that open no WebSocket.

import { HandshakeAnswer, HandshakeError, type HeaderField, HeaderFields } from "sansws/core";

/** What a client fails with when the server answers its request with this status. */
export function refusal(status: number, headers: readonly HeaderField[] = []): HandshakeError {
  const head = { status, statusText: "", headers: new HeaderFields(headers) };
  return new HandshakeError("status-not-101", `${status}`, new HandshakeAnswer(head));
}
