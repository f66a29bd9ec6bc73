// The public surface of the core, name by name: an accidental export has to be kept for ever.

import { describe, expect, it } from "vitest";

describe("core/mod.ts", () => {
  it("loads, and exports these names and no others", async () => {
    // Imported here, so that a core which does not load fails a test.
    const core = await import("../../core/mod.ts");
    expect(Object.keys(core).sort()).toEqual([
      "ClientHandshake",
      "CloseCode",
      "Connection",
      "DEFAULT_LIMITS",
      "DEFAULT_TIMEOUTS",
      "HANDSHAKE_FAULTS",
      "HandshakeAnswer",
      "HandshakeError",
      "HeaderFields",
      "InflateLimitError",
      "PreparedMessage",
      "ProtocolError",
      "ServerHandshake",
      "UsageError",
      "VIOLATIONS",
      "acceptKey",
      "createKey",
      "prepareBinary",
      "prepareText",
    ]);
  });
});
