// What a server that knows no protocol answers in the handshakes of the bench: the first bytes of a
// connection with one upgrade response for all, the next ones with a Close frame, behind which it
// ends its side.

import { Buffer } from "node:buffer";

const SWITCHING: Buffer = Buffer.from(
  "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    + "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n",
);

/** The answers of a connection, in order. */
export const ANSWERS: readonly Buffer[] = [SWITCHING, Buffer.of(0x88, 0x00)];
