// Byte streams whose other end is in the test, which so decides on every chunk.

import type { ByteStream } from "sansws/node";
import { acceptance } from "../contract/raw.ts";
import { join, utf8 } from "../core/support.ts";

/** A stream, and its other end. */
export interface Ends {
  readonly stream: ByteStream;
  readonly input: WritableStreamDefaultWriter<Uint8Array>;
  readonly output: ReadableStream<Uint8Array>;
}

export function ends(): Ends {
  const down = new TransformStream<Uint8Array, Uint8Array>();
  const up = new TransformStream<Uint8Array, Uint8Array>();
  return {
    stream: { readable: down.readable, writable: up.writable },
    input: down.writable.getWriter(),
    output: up.readable,
  };
}

/** Reads the request's head at the other end, and answers it; what follows is for the test. */
export async function accept(
  { input, output }: Ends,
  more: Uint8Array = new Uint8Array(0),
): Promise<ReadableStreamDefaultReader<Uint8Array>> {
  const reader = output.getReader();
  let head = "";
  while (!head.includes("\r\n\r\n")) head += new TextDecoder().decode((await reader.read()).value);
  input.write(join([utf8(acceptance(head)), more])).catch(() => {});
  return reader;
}
