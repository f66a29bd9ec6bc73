// An echoing endpoint of either role against the conversations: all frames in one chunk, frame by
// frame, and byte by byte.

import { describe, expect, it } from "vitest";
import { CONVERSATIONS } from "../../vectors/conversations.ts";
import { chop, frame, join, peerOf, ROLES } from "../support.ts";
import { Echo } from "./echo.ts";

describe.each(ROLES)("Connection as an echoing %s", (role) => {
  it.each(CONVERSATIONS)("$name", ({ frames, answers }) => {
    const wire = (): Uint8Array[] =>
      frames.map(([first, payload]) => frame(peerOf(role), first, payload));
    const all = join(wire());
    for (const chunks of [[all.slice()], wire(), chop(all, 997), chop(all, 1)]) {
      expect(new Echo(role).receiveAll(chunks).answers).toEqual(answers);
    }
  });
});
