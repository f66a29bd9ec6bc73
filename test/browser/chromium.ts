// Debian's chromium, driven by playwright-core, with nothing going on in it but the pages of a
// test.

import { existsSync } from "node:fs";
import { type Browser, chromium } from "playwright-core";

const PATH = "/usr/bin/chromium";

/** Whether there is a browser; where there is none, the tests that need it are skipped. */
export const hasChromium: boolean = existsSync(PATH);

if (!hasChromium) {
  console.warn(`notice: there is no ${PATH}, so the tests that need a browser are skipped`);
}

/** Starts it with a profile of its own, which is removed when it is closed. */
export function launch(): Promise<Browser> {
  return chromium.launch({
    executablePath: PATH,
    args: [
      "--headless=new",
      "--no-sandbox",
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
    ],
  });
}
