// Keys, and the values that answer them.

import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import {
  acceptKey,
  createKey,
  encodeBase64,
  isKey,
  KEY_GUID,
} from "../../../core/handshake/key.ts";
import { SAMPLE_ACCEPT, SAMPLE_KEY } from "../../vectors/handshake-requests.ts";
import { pattern } from "../support.ts";

describe("acceptKey", () => {
  it("answers the key of RFC 6455 §1.3 as §1.3 does", async () => {
    expect(await acceptKey(SAMPLE_KEY)).toBe(SAMPLE_ACCEPT);
  });

  it("is the SHA-1 of key and GUID, in base64, for any key", async () => {
    expect(KEY_GUID).toBe("258EAFA5-E914-47DA-95CA-C5AB0DC85B11");
    for (let count = 0; count < 20; count++) {
      const key = createKey();
      const accept = createHash("sha1").update(key + KEY_GUID).digest("base64");
      expect(await acceptKey(key)).toBe(accept);
    }
  });
});

describe("createKey", () => {
  it("makes 16 bytes in base64, and others every time", () => {
    const keys = Array.from({ length: 100 }, createKey);
    expect(keys.every((key) => isKey(key) && atob(key).length === 16)).toBe(true);
    expect(new Set(keys).size).toBe(100);
  });
});

describe("isKey", () => {
  it("is true for 16 bytes in base64, with nothing before or behind them", () => {
    expect(isKey(SAMPLE_KEY)).toBe(true);
    for (
      const text of [`A${SAMPLE_KEY}`, `${SAMPLE_KEY}=`, `${SAMPLE_KEY}\n`, SAMPLE_KEY.slice(1), ""]
    ) {
      expect(isKey(text), text).toBe(false);
    }
  });
});

describe("encodeBase64", () => {
  it("agrees with btoa at every length up to 100", () => {
    for (let length = 0; length <= 100; length++) {
      const bytes = pattern(length);
      expect(encodeBase64(bytes)).toBe(btoa(String.fromCharCode(...bytes)));
    }
  });
});
