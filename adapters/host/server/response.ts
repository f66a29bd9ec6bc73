// What of a web Response goes out on a transport.

import type { HeaderField } from "../../../core/mod.ts";

// RFC 9110 §7.6.1: fields about one transport mean nothing on another one, and a Response that
// came from elsewhere still has them.
const HOP_FIELDS: readonly string[] = ["connection", "keep-alive", "transfer-encoding"];

/**
 * The header fields of the response, in order, without those that are the transport's and those
 * that are named.
 */
export function fieldsOf(response: Response, ...without: readonly string[]): HeaderField[] {
  return [...response.headers].filter(([name]) =>
    !HOP_FIELDS.includes(name) && !without.includes(name)
  );
}
