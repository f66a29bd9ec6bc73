// A Runtime without a network, for `pair`: each dial leads to one server in this process. It cannot
// listen, and has no TLS and no environment. It is a file of its own because transport.ts needs no
// codec and no clock.

import { UsageError } from "../../core/mod.ts";
import { deflateCodec } from "../deflate.ts";
import { Clock } from "../host/clock.ts";
import type { Runtime, Transport } from "../host/transport.ts";
import { memoryTransports } from "./transport.ts";

/** Each has a clock of its own, so that a test may fake its timers. */
export function memoryRuntime(accept: (transport: Transport) => void): Runtime {
  const nowhere = (): never => {
    throw new UsageError("there is no network in memory");
  };
  return {
    name: "memory",
    clock: new Clock(),
    deflate: deflateCodec,
    listen: nowhere,
    dial({ tls }) {
      const [near, far] = memoryTransports(tls !== undefined);
      accept(far);
      return Promise.resolve(near);
    },
    checkSecure: nowhere,
    secure: nowhere,
    env: () => undefined,
  };
}
