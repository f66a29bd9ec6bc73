// The page of examples/chat.ts in a browser: two people talk, the server restarts, and they go on.

import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { listen, type Listening } from "../examples/programs.ts";
import { RUNTIMES } from "../processes.ts";
import { hasChromium, launch } from "./chromium.ts";

let browser: Browser;

beforeAll(async () => {
  if (hasChromium) browser = await launch();
});

afterAll(() => browser?.close());

describe.skipIf(!hasChromium).each(RUNTIMES)("the chat page, served by %s", (runtime) => {
  let chat: Listening;
  let rooms = 0;

  beforeAll(async () => {
    chat = await listen(runtime, "examples/chat.ts");
  });

  afterAll(() => chat.program.kill());

  /** A room that no other test is in. */
  const newRoom = (): string => `room-${++rooms}`;

  /** Opens the page as somebody, in a room; whatever goes wrong in it is in `faults`. */
  async function open(name: string, room: string, faults: string[] = []): Promise<Page> {
    const page = await browser.newPage();
    page.on("pageerror", (error) => faults.push(String(error)));
    page.on("console", (entry) => {
      if (entry.type() === "error") faults.push(entry.text());
    });
    await page.addInitScript((name) => {
      if (sessionStorage.getItem("name") === null) sessionStorage.setItem("name", name);
    }, name);
    await page.goto(`http://${chat.host}/#${room}`);
    await connected(page);
    return page;
  }

  const connected = (page: Page): Promise<unknown> =>
    page.waitForSelector("#status[data-state=open]");

  async function say(page: Page, content: string): Promise<void> {
    await page.fill("#content", content);
    await page.press("#content", "Enter");
  }

  /** Waits until the page shows a message, and returns by whom it is; undefined for one's own. */
  async function heard(page: Page, content: string): Promise<string | undefined> {
    const message = page.locator(".message").filter({ hasText: content }).last();
    await message.waitFor();
    const yours = await message.evaluate((element) => element.classList.contains("yours"));
    return yours ? undefined : await message.locator(".author").textContent() ?? "";
  }

  const contents = (page: Page): Promise<string[]> => page.locator(".bubble").allTextContents();

  it("lets two people talk, who see each other come and go", async () => {
    const room = newRoom();
    const faults: string[] = [];
    const ada = await open("Ada", room, faults);
    const grace = await open("Grace", room, faults);
    await ada.getByText("Grace came in").waitFor();
    expect(await ada.locator("#people bdi").allTextContents()).toEqual(["Ada", "Grace"]);
    await say(ada, "Hello Grace");
    expect(await heard(grace, "Hello Grace")).toBe("Ada");
    await say(grace, "Hello Ada");
    expect(await heard(ada, "Hello Ada")).toBe("Grace");
    expect(await heard(ada, "Hello Grace")).toBe(undefined);
    await grace.close();
    await ada.getByText("Grace left").waitFor();
    expect(await ada.locator("#people bdi").allTextContents()).toEqual(["Ada"]);
    expect(faults).toEqual([]);
    await ada.close();
  });

  it("shows what others wrote as text, never as markup", async () => {
    const room = newRoom();
    const faults: string[] = [];
    const ada = await open("<b>Ada</b>", room, faults);
    const grace = await open("Grace", room, faults);
    const attack =
      "<img src=x onerror=\"document.title='taken'\"><script>document.title='taken'</script>";
    await say(ada, attack);
    expect(await heard(grace, "onerror")).toBe("<b>Ada</b>");
    expect(await contents(grace)).toEqual([attack]);
    expect(await grace.locator("#log img, #log script, #log b, #people b").count()).toBe(0);
    expect(await grace.title()).toBe(`#${room} · sansws chat`);
    expect(faults).toEqual([]);
    await ada.close();
    await grace.close();
  });

  it("says what was wrong with a message, and gives it back", async () => {
    const ada = await open("Ada", newRoom());
    await ada.evaluate(() => {
      const content = document.querySelector<HTMLTextAreaElement>("#content")!;
      for (let count = 0; count < 15; count++) {
        content.value = `number ${count}`;
        content.form!.requestSubmit();
      }
    });
    await ada.getByText("that was too much at once").waitFor();
    expect(await ada.inputValue("#content")).toMatch(/^number \d+$/);
    await ada.close();
  });

  it("goes to another room and back, where the last messages still are", async () => {
    const [first, second] = [newRoom(), newRoom()];
    const ada = await open("Ada", first);
    await say(ada, "remember me");
    await heard(ada, "remember me");
    await ada.fill("#new-room-name", second.toUpperCase());
    await ada.press("#new-room-name", "Enter");
    await ada.locator("#room").getByText(second).waitFor();
    expect(await contents(ada)).toEqual([]);
    await ada.goBack();
    expect(await heard(ada, "remember me")).toBe(undefined);
    await ada.close();
  });

  it("changes a name", async () => {
    const room = newRoom();
    const [ada, grace] = [await open("Ada", room), await open("Grace", room)];
    await ada.click("#you");
    await ada.fill("#name", "Countess");
    await ada.press("#name", "Enter");
    await grace.getByText("Ada is now Countess").waitFor();
    await say(ada, "It is me");
    expect(await heard(grace, "It is me")).toBe("Countess");
    await ada.close();
    await grace.close();
  });

  it("connects again when the server has restarted, says so, and keeps what was said", async () => {
    const room = newRoom();
    const [ada, grace] = [await open("Ada", room), await open("Grace", room)];
    await say(ada, "before");
    await heard(grace, "before");
    const { port } = new URL(`http://${chat.host}`);
    expect(await chat.program.stop("SIGINT"), chat.program.output).toBe(0);
    await ada.getByText("The server went away").waitFor();
    expect(await ada.textContent("#status")).toMatch(/Offline|Reconnecting/);
    await ada.fill("#content", "written while it was away");
    chat = await listen(runtime, "examples/chat.ts", { PORT: port });
    await Promise.all([connected(ada), connected(grace)]);
    await ada.getByText("Connected again").waitFor();
    await ada.press("#content", "Enter");
    expect(await heard(grace, "written while it was away")).toBe("Ada");
    await say(grace, "after");
    await heard(ada, "after");
    expect(await contents(ada)).toEqual(["before", "written while it was away", "after"]);
    await ada.close();
    await grace.close();
  });
});
