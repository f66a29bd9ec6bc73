// The page of the chat: its state, and what messages and clicks do. link.js has the connection,
// view.js the document.

import { Link } from "./link.js";
import * as view from "./view.js";

const DEFAULT_ROOM = "lobby";
const ADJECTIVES = ["Quiet", "Brave", "Gentle", "Swift", "Merry", "Clever", "Sunny", "Curious"];
const ANIMALS = ["Otter", "Heron", "Seal", "Puffin", "Marten", "Gull", "Turtle", "Tern"];

let you = { id: "", name: chosenName() };
/** The room that is shown; empty before the first. */
let room = "";
let people = [];
/** Messages that are shown, by id: after a reconnection the history holds some of them again. */
let shown = new Set();
/** All ids of this tab: each connection gets a new one, and earlier messages stay the tab's own. */
const mine = new Set(JSON.parse(sessionStorage.getItem("mine") ?? "[]"));
/** The content sent last, put back into the field if the server refuses it. */
let sent = "";
let unread = 0;

const link = new Link(address, {
  connecting: () => view.showConnecting(),
  open: () => view.showConnected(),
  message: (text) => receive(JSON.parse(text)),
  lost: ({ reason, milliseconds }) => view.showLost(reason, milliseconds),
});

// --- Messages ---

const RECEIVERS = {
  joined({ room: joined, you: me, people: here, history, rooms, server }) {
    you = me;
    mine.add(you.id);
    sessionStorage.setItem("mine", JSON.stringify([...mine].slice(-20)));
    people = here;
    if (joined !== room) startRoom(joined);
    view.showYou(you);
    view.showServer(server);
    view.showRooms(rooms, room);
    view.showPeople(people, you.id);
    show(history);
    if (wantedRoom() !== room) link.send({ type: "join", room: wantedRoom() });
  },
  message(message) {
    show([message]);
    if (document.hidden) unread++;
    showTitle();
  },
  arrived({ person }) {
    people = [...people, person];
    view.showPeople(people, you.id);
    view.addNote(`${person.name} came in`);
  },
  left({ person }) {
    people = people.filter(({ id }) => id !== person.id);
    view.showPeople(people, you.id);
    view.addNote(`${person.name} left`);
  },
  renamed({ person }) {
    const before = people.find(({ id }) => id === person.id);
    people = people.map((other) => other.id === person.id ? person : other);
    if (person.id === you.id) view.showYou(you = person);
    view.showPeople(people, you.id);
    view.addNote(`${before?.name} is now ${person.name}`);
  },
  rooms({ rooms }) {
    view.showRooms(rooms, room);
  },
  error({ code, message }) {
    view.showError(message);
    // Refused content is not lost: it can be changed, or sent again.
    if (code.startsWith("content-") || code === "too-fast") view.restoreContent(sent);
  },
};

function receive(message) {
  RECEIVERS[message.type]?.(message);
}

function show(messages) {
  const fresh = messages.filter(({ id }) => !shown.has(id));
  for (const { id } of fresh) shown.add(id);
  view.addMessages(fresh, mine);
}

function startRoom(name) {
  room = name;
  shown = new Set();
  view.startRoom(room);
  showTitle();
}

// --- Rooms and names ---

function address() {
  const query = new URLSearchParams({ name: chosenName(), room: wantedRoom() });
  return `${location.protocol === "https:" ? "wss:" : "ws:"}//${location.host}/?${query}`;
}

/** The room in the address bar, so that a room can be linked to and the back button works. */
function wantedRoom() {
  return roomName(safeDecode(location.hash.slice(1))) || DEFAULT_ROOM;
}

function safeDecode(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return "";
  }
}

/** As the server wants it: lower-case letters, digits and hyphens. */
function roomName(text) {
  const words = text.toLowerCase().trim().replace(/^#/, "").replace(/[^\p{L}\p{M}\p{N}]+/gu, "-");
  return words.replace(/^[-\p{M}]+|-+$/gu, "").slice(0, 24);
}

/** One name a tab, so that two tabs are two people. */
function chosenName() {
  const known = sessionStorage.getItem("name");
  if (known !== null) return known;
  const pick = (list) => list[Math.floor(Math.random() * list.length)];
  const name = `${pick(ADJECTIVES)} ${pick(ANIMALS)}`;
  sessionStorage.setItem("name", name);
  return name;
}

function rename(name) {
  sessionStorage.setItem("name", name);
  link.send({ type: "rename", name });
}

function goTo(name) {
  const wanted = roomName(name);
  if (wanted !== "") location.hash = encodeURIComponent(wanted);
}

function showTitle() {
  document.title = `${unread > 0 ? `(${unread}) ` : ""}#${room} · sansws chat`;
}

// --- Events ---

addEventListener("hashchange", () => {
  if (wantedRoom() !== room) link.send({ type: "join", room: wantedRoom() });
});

document.addEventListener("visibilitychange", () => {
  if (document.hidden) return;
  unread = 0;
  showTitle();
  link.retry();
});

view.listen({
  send(content) {
    sent = content;
    return link.send({ type: "message", content, timestamp: new Date().toISOString() });
  },
  retry: () => link.retry(),
  rename,
  goTo,
});

view.showYou(you);
link.retry();
