// The ports that a page must not reach (Fetch §2.9, "port blocking"), because what listens there
// could be talked into something by a request. "Establish a WebSocket connection" goes through
// Fetch, so the web's classes keep to it; `connect` does not.

import { UsageError } from "../../../core/mod.ts";

/** Fetch's "bad ports", in its order. */
const BAD_PORTS: ReadonlySet<string> = new Set(
  ("0 1 7 9 11 13 15 17 19 20 21 22 23 25 37 42 43 53 69 77 79 87 95 101 102 103 104 109 110 111 113 115 117 119 123 135 137 139 143 "
    + "161 179 389 427 465 512 513 514 515 526 530 531 532 540 548 554 556 563 587 601 636 989 990 993 995 1719 1720 1723 2049 3659 4045 "
    + "4190 5060 5061 6000 6566 6665 6666 6667 6668 6669 6679 6697 10080").split(" "),
);

/** What connecting to such a port fails with; `undefined` for any other. */
export function refuseBadPort({ port }: URL): Promise<never> | undefined {
  if (!BAD_PORTS.has(port)) return undefined;
  return Promise.reject(
    new UsageError(`Fetch has port ${port} blocked for the web's WebSocket; connect takes any`),
  );
}
