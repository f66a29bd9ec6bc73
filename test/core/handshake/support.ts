// What the tests of the handshakes share: Latin-1 text as bytes and back, answers taken apart without
// the core, a client's handshake for the key of RFC 6455 §1.3.

import type { DeflateCodec } from "../../../core/deflate/codec.ts";
import type { HandshakeError } from "../../../core/errors.ts";
import {
  ClientHandshake,
  type ClientHandshakeEvent,
  type ClientHandshakeOptions,
} from "../../../core/handshake/client.ts";
import type { ClientUrl } from "../../../core/handshake/request.ts";
import type { ServerHandshakeEvent } from "../../../core/handshake/server.ts";
import { SAMPLE_ACCEPT, SAMPLE_KEY } from "../../vectors/handshake-requests.ts";
import { join } from "../support.ts";

export function latin1(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}

export function toLatin1(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => String.fromCharCode(byte)).join("");
}

/** An HTTP message, split where its lines and colons are. */
export interface Message {
  readonly firstLine: string;
  readonly fields: readonly (readonly [name: string, value: string])[];
  readonly body: string;
}

/** A machine with output. */
interface Writer {
  takeOutput(): Uint8Array[];
}

export function takeText(writer: Writer): string {
  return toLatin1(join(writer.takeOutput()));
}

export function takeMessage(writer: Writer): Message {
  const text = takeText(writer);
  const end = text.indexOf("\r\n\r\n");
  const [firstLine = "", ...lines] = text.slice(0, end).split("\r\n");
  const fields = lines.map((line) => {
    const colon = line.indexOf(": ");
    return [line.slice(0, colon), line.slice(colon + 2)] as const;
  });
  return { firstLine, fields, body: text.slice(end + 4) };
}

/** The value of the message's one field of that name. */
export function field(message: Message, name: string): string | undefined {
  const values = message.fields.filter(([other]) => other.toLowerCase() === name.toLowerCase()).map(
    ([, value]) => value,
  );
  if (values.length > 1) throw new Error(`${name} is repeated`);
  return values[0];
}

/** The error that the call throws. */
export function thrown(call: () => unknown): unknown {
  try {
    call();
  } catch (error) {
    return error;
  }
  throw new Error("nothing was thrown");
}

/** The error of the failure among the events, if there is one. */
export function failureOf(
  events: readonly (ServerHandshakeEvent | ClientHandshakeEvent)[],
): HandshakeError | undefined {
  return events.find((event) => event.type === "failed")?.error;
}

/** The parts of `ws://server.example.com/chat`. */
export const URL_PARTS: ClientUrl = {
  protocol: "ws:",
  host: "server.example.com",
  pathname: "/chat",
  search: "",
  hash: "",
};

/** A codec to offer and to accept, and never to use. */
export const NO_CODEC: DeflateCodec = {
  createDeflater: () => {
    throw new Error("not used");
  },
  createInflater: () => {
    throw new Error("not used");
  },
};

/** A client's handshake for `URL_PARTS`, with the key of RFC 6455 §1.3 unless another is given. */
export function clientHandshake(
  options: Partial<ClientHandshakeOptions> = {},
  now = 0,
): ClientHandshake {
  return new ClientHandshake(
    URL_PARTS,
    { key: SAMPLE_KEY, accept: SAMPLE_ACCEPT, ...options },
    now,
  );
}
