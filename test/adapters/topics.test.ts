// Topics: both directions of the index after every operation, and that what comes and goes leaves
// nothing behind.

import { describe, expect, it } from "vitest";
import { Topics } from "../../adapters/host/topics.ts";

interface Subscriber {
  readonly name: string;
}

const [ann, ben, cat] = ["ann", "ben", "cat"].map((name): Subscriber => ({ name })) as [
  Subscriber,
  Subscriber,
  Subscriber,
];

function names(subscribers: Iterable<Subscriber>): string[] {
  return Array.from(subscribers, ({ name }) => name);
}

describe("Topics", () => {
  it("is empty at first", () => {
    const topics = new Topics<Subscriber>();
    expect([...topics.topics]).toEqual([]);
    expect([...topics.subscribersOf("news")]).toEqual([]);
    expect([...topics.topicsOf(ann)]).toEqual([]);
  });

  it("lists subscribers and topics in order of subscription", () => {
    const topics = new Topics<Subscriber>();
    expect([
      topics.subscribe(ben, "news"),
      topics.subscribe(ann, "sport"),
      topics.subscribe(ann, "news"),
      topics.subscribe(cat, "news"),
    ]).toEqual([true, true, true, true]);
    expect(names(topics.subscribersOf("news"))).toEqual(["ben", "ann", "cat"]);
    expect([...topics.topicsOf(ann)]).toEqual(["sport", "news"]);
    expect([...topics.topics]).toEqual(["news", "sport"]);
  });

  it("says whether a subscription, or its end, changed anything", () => {
    const topics = new Topics<Subscriber>();
    expect(topics.unsubscribe(ann, "news")).toBe(false);
    expect(topics.subscribe(ann, "news")).toBe(true);
    expect(topics.subscribe(ann, "news")).toBe(false);
    expect(topics.unsubscribe(ben, "news")).toBe(false);
    expect(topics.unsubscribe(ann, "sport")).toBe(false);
    expect(names(topics.subscribersOf("news"))).toEqual(["ann"]);
    expect(topics.unsubscribe(ann, "news")).toBe(true);
    expect(topics.unsubscribe(ann, "news")).toBe(false);
  });

  it("forgets a subscriber in all its topics, and nobody else", () => {
    const topics = new Topics<Subscriber>();
    for (const topic of ["a", "b", "c"]) topics.subscribe(ann, topic);
    topics.subscribe(ben, "b");
    topics.forget(ann);
    topics.forget(cat);
    expect([...topics.topics]).toEqual(["b"]);
    expect(names(topics.subscribersOf("b"))).toEqual(["ben"]);
    expect([...topics.topicsOf(ann)]).toEqual([]);
    expect(topics.subscribe(ann, "a")).toBe(true);
  });

  it("keeps no topic without a subscriber, and no subscriber without a topic", () => {
    const topics = new Topics<Subscriber>();
    for (let i = 0; i < 100; i++) {
      topics.subscribe(ann, `room ${i}`);
      topics.unsubscribe(ann, `room ${i}`);
    }
    expect([...topics.topics]).toEqual([]);
    expect(topics.topicsOf(ann)).toBe(topics.topicsOf(ben));
  });

  it("takes any string for a topic, those an object would stumble over too", () => {
    const topics = new Topics<Subscriber>();
    for (const topic of ["", "__proto__", "constructor", "toString", "a b", "\ud800"]) {
      expect(names(topics.subscribersOf(topic)), topic).toEqual([]);
      expect(topics.subscribe(ann, topic), topic).toBe(true);
      expect(names(topics.subscribersOf(topic)), topic).toEqual(["ann"]);
    }
  });

  it("lets subscriptions end while the subscribers are walked through", () => {
    const topics = new Topics<Subscriber>();
    for (const subscriber of [ann, ben, cat]) topics.subscribe(subscriber, "news");
    const seen: string[] = [];
    for (const { name } of topics.subscribersOf("news")) {
      seen.push(name);
      topics.forget(ben);
    }
    expect(seen).toEqual(["ann", "cat"]);
  });
});
