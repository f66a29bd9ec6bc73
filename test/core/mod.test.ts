// The public surface of the core, name by name: what is exported by accident has to be kept for
// ever.

import { describe, expect, it } from "vitest";

describe("core/mod.ts", () => {
  it("loads, and exports these names and no others", async () => {
    // Imported here: a core that fails to load is to fail a test, not only to keep the tests from
    // running.
    const core = await import("../../core/mod.ts");
    expect(Object.keys(core).sort()).toEqual([
      "ClientHandshake",
      "CloseCode",
      "Connection",
      "DEFAULT_LIMITS",
      "DEFAULT_TIMEOUTS",
      "HANDSHAKE_FAULTS",
      "HandshakeError",
      "HeaderFields",
      "InflateLimitError",
      "MAX_REASON_BYTES",
      "PreparedMessage",
      "ProtocolError",
      "ServerHandshake",
      "Topics",
      "UsageError",
      "VIOLATIONS",
      "acceptKey",
      "createKey",
      "decodeClose",
      "encodeClose",
      "isWireCloseCode",
      "prepareBinary",
      "prepareText",
    ]);
  });
});
