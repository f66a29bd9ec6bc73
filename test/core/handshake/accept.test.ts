// Keys and what answers them.

import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import {
  acceptKey,
  acceptKeySync,
  createKey,
  encodeBase64,
  isKey,
} from "../../../core/handshake/accept.ts";
import { SAMPLE_ACCEPT, SAMPLE_KEY } from "../../vectors/handshake-requests.ts";
import { pattern } from "../support.ts";

const sha1 = (text: string): string => createHash("sha1").update(text).digest("base64");

describe("acceptKey and acceptKeySync", () => {
  it("answer the key of RFC 6455 §1.3 as §1.3 does", async () => {
    expect(await acceptKey(SAMPLE_KEY)).toBe(SAMPLE_ACCEPT);
    expect(acceptKeySync(SAMPLE_KEY, sha1)).toBe(SAMPLE_ACCEPT);
  });

  it("agree on any key", async () => {
    for (let count = 0; count < 20; count++) {
      const key = createKey();
      expect(acceptKeySync(key, sha1)).toBe(await acceptKey(key));
    }
  });
});

describe("createKey", () => {
  it("gives 16 bytes in base64, and others every time", () => {
    const keys = Array.from({ length: 100 }, createKey);
    expect(keys.every((key) => isKey(key) && atob(key).length === 16)).toBe(true);
    expect(new Set(keys).size).toBe(100);
  });
});

describe("isKey", () => {
  it("takes 16 bytes in base64, and nothing before or behind them", () => {
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
