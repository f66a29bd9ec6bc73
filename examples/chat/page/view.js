// The document of the chat: all code that reads or writes an element. Content of others is inserted
// as text, never as markup.

const $ = (id) => document.getElementById(id);

/** Messages of one person within this time stand together. */
const TOGETHER = 5 * 60_000;
/** From so few characters left, their number is shown. */
const FEW_LEFT = 200;
/** Milliseconds for which an error is shown. */
const ERROR_TIME = 6_000;
/** Lines that are kept on the page. */
const MAX_LINES = 500;
/** Pixels from the end within which the reader still follows the conversation. */
const NEAR_END = 80;

/** Hues of avatars: few enough to tell apart, and readable in both themes. */
const HUES = [15, 45, 155, 190, 225, 260, 305, 350];

const clock = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });
const fullTime = new Intl.DateTimeFormat(undefined, { dateStyle: "full", timeStyle: "medium" });

let countdown;
let errorTimer;
let everConnected = false;
let atEnd = true;
/** The last message shown: it decides whether the next one joins it. */
let last;

function element(tag, className, ...children) {
  const created = document.createElement(tag);
  if (className !== "") created.className = className;
  created.append(...children);
  return created;
}

// --- Connection ---

export function showConnecting() {
  setStatus("connecting", everConnected ? "Reconnecting" : "Connecting");
  $("offline-text").textContent = "Connecting again …";
  clearInterval(countdown);
}

export function showConnected() {
  setStatus("open", "Connected");
  if (everConnected) addNote("Connected again");
  everConnected = true;
  $("offline").hidden = true;
  $("send").disabled = false;
}

/** Shows that the connection is lost and counts down to the next attempt. */
export function showLost(reason, milliseconds) {
  setStatus("lost", "Offline");
  $("offline-title").textContent = everConnected
    ? "The server went away."
    : "The server does not answer.";
  $("offline-title").title = reason;
  $("offline").hidden = false;
  $("send").disabled = true;
  const end = Date.now() + milliseconds;
  const tick = () => {
    const seconds = Math.max(1, Math.ceil((end - Date.now()) / 1000));
    $("offline-text").textContent = `Connecting again in ${seconds} s.`;
  };
  clearInterval(countdown);
  countdown = setInterval(tick, 500);
  tick();
}

function setStatus(state, text) {
  $("status").dataset.state = state;
  if ($("status-text").textContent !== text) $("status-text").textContent = text;
}

export function showServer(server) {
  $("server").textContent = `Served by ${server}`;
}

// --- Rooms and people ---

export function showRooms(rooms, current) {
  $("rooms").replaceChildren(...rooms.map(({ name, people }) => {
    const link = element("a", "", element("span", "hash", "#"), element("span", "room-name", name));
    link.href = `#${encodeURIComponent(name)}`;
    if (name === current) link.setAttribute("aria-current", "page");
    if (people > 0) {
      link.append(element("span", "count", String(people), element("span", "unseen", " here")));
    }
    return element("li", "", link);
  }));
}

export function showPeople(people, yourId) {
  $("people-count").textContent = String(people.length);
  $("people").replaceChildren(...people.map((person) => {
    const name = element("bdi", "", person.name);
    const item = element("li", "", avatar(person), name);
    if (person.id === yourId) item.append(element("span", "self", "you"));
    return item;
  }));
}

export function showYou(you) {
  $("your-name").textContent = you.name;
  $("your-avatar").replaceWith(Object.assign(avatar(you), { id: "your-avatar" }));
}

function avatar({ name }) {
  const initials = name.split(/[\s_-]+/).slice(0, 2).map((word) => [...word][0] ?? "").join("");
  const created = element("span", "avatar", initials.toUpperCase());
  created.style.setProperty("--hue", String(hueOf(name)));
  created.setAttribute("aria-hidden", "true");
  return created;
}

// The colour comes from the name, so a person who comes back has it again.
function hueOf(name) {
  let hash = 0x811c9dc5;
  for (const character of name) hash = Math.imul(hash ^ character.codePointAt(0), 0x01000193);
  return HUES[(hash >>> 24 ^ hash >>> 12 ^ hash) & 7];
}

// --- The conversation ---

export function startRoom(name) {
  $("room").textContent = name;
  $("empty-room").textContent = name;
  $("content").placeholder = `Message #${name}`;
  $("log").replaceChildren();
  last = undefined;
  $("empty").hidden = false;
  closeSide();
}

/** Adds messages in order; `mine` holds the ids whose messages are the visitor's own. */
export function addMessages(messages, mine) {
  if (messages.length === 0) return;
  const own = messages.some(({ from }) => mine.has(from.id));
  append(own, messages.map((message) => messageItem(message, mine.has(message.from.id))));
  $("empty").hidden = true;
}

/** Shows an event among the messages. */
export function addNote(text) {
  last = undefined;
  append(false, [element("li", "note", text)]);
}

function messageItem(message, yours) {
  const { from, content, timestamp } = message;
  const joined = last?.from.id === from.id
    && Date.parse(timestamp) - Date.parse(last.timestamp) < TOGETHER;
  last = message;
  const item = element("li", `message${yours ? " yours" : ""}${joined ? " joined" : ""}`);
  const time = element("time", "", clock.format(new Date(timestamp)));
  time.dateTime = timestamp;
  time.title = fullTime.format(new Date(timestamp));
  const author = element("bdi", "author", from.name);
  const text = element("p", "bubble", content);
  text.dir = "auto";
  item.append(avatar(from), element("p", "meta", author, " ", time), text);
  return item;
}

// Does not scroll away from a reader who is further up.
function append(always, items) {
  $("log").append(...items);
  while ($("log").childElementCount > MAX_LINES) $("log").firstElementChild.remove();
  if (always || atEnd) scrollToEnd();
  else $("latest").hidden = false;
}

function scrollToEnd(behavior = "instant") {
  $("scroll").scrollTo({ top: $("scroll").scrollHeight, behavior });
}

// --- Sending ---

export function showError(text) {
  $("error").textContent = text;
  clearTimeout(errorTimer);
  errorTimer = setTimeout(() => $("error").textContent = "", ERROR_TIME);
}

/** Puts refused content back, unless the visitor is writing again by now. */
export function restoreContent(content) {
  if ($("content").value !== "") return;
  $("content").value = content;
  fitContent();
}

function fitContent() {
  const content = $("content");
  content.style.height = "auto";
  content.style.height = `${content.scrollHeight}px`;
  const left = content.maxLength - content.value.length;
  $("left").textContent = left <= FEW_LEFT ? String(left) : "";
}

function submit(send) {
  const content = $("content").value.trim();
  if (content === "") return;
  if (!send(content)) {
    return showError("There is no connection right now. Your message stays here.");
  }
  $("content").value = "";
  $("error").textContent = "";
  fitContent();
}

// --- Events ---

/**
 * Calls a handler for what the visitor does: `send(content)`, which returns whether it was sent,
 * `retry()`, `rename(name)`, `goTo(room)`.
 */
export function listen({ send, retry, rename, goTo }) {
  listenToComposer(send);
  listenToScroll();
  listenToSide(goTo);
  listenToNameDialog(rename);
  $("retry").addEventListener("click", retry);
  // On a phone it would bring up the keyboard.
  if (matchMedia("(pointer: fine)").matches) $("content").focus();
}

function listenToComposer(send) {
  $("composer").addEventListener("submit", (event) => {
    event.preventDefault();
    submit(send);
    $("content").focus();
  });
  $("content").addEventListener("input", fitContent);
  $("content").addEventListener("keydown", (event) => {
    // While a character is being composed, Enter belongs to the input method.
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    submit(send);
  });
}

function listenToScroll() {
  const scroll = $("scroll");
  scroll.addEventListener("scroll", () => {
    atEnd = scroll.scrollHeight - scroll.scrollTop - scroll.clientHeight < NEAR_END;
    if (atEnd) $("latest").hidden = true;
  });
  $("latest").addEventListener("click", () => scrollToEnd("smooth"));
  // Keeps the end in view when a keyboard slides in or the composer grows.
  new ResizeObserver(() => {
    if (atEnd) scrollToEnd();
  }).observe(scroll);
}

function listenToSide(goTo) {
  $("open-side").addEventListener("click", openSide);
  $("close-side").addEventListener("click", closeSide);
  $("scrim").addEventListener("click", closeSide);
  addEventListener("keydown", (event) => {
    if (event.key === "Escape") closeSide();
  });
  $("new-room").addEventListener("submit", (event) => {
    event.preventDefault();
    goTo($("new-room-name").value);
    $("new-room-name").value = "";
  });
}

function openSide() {
  $("app").classList.add("side-open");
  $("open-side").setAttribute("aria-expanded", "true");
  $("chat").inert = true;
  $("close-side").focus();
}

function closeSide() {
  if (!$("app").classList.contains("side-open")) return;
  $("app").classList.remove("side-open");
  $("open-side").setAttribute("aria-expanded", "false");
  $("chat").inert = false;
  $("open-side").focus();
}

function listenToNameDialog(rename) {
  const dialog = $("name-dialog");
  $("you").addEventListener("click", () => {
    $("name").value = $("your-name").textContent;
    dialog.showModal();
    $("name").select();
  });
  $("name-cancel").addEventListener("click", () => dialog.close());
  dialog.addEventListener("close", () => {
    const name = $("name").value.trim();
    if (dialog.returnValue === "save" && name !== "" && name !== $("your-name").textContent) {
      rename(name);
    }
    dialog.returnValue = "";
  });
}
