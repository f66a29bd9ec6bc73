// Subscriptions of sockets to topics: an index in both directions, over subscribers of any kind.
// Topics are keys of a Map, so any string is one, `__proto__` included.
// Nothing is sent here: publishing is the server's and the socket's.

const NONE: ReadonlySet<never> = new Set();

/** Subscriptions of subscribers to topics. */
export class Topics<Subscriber extends object> {
  readonly #subscribers = new Map<string, Set<Subscriber>>();
  readonly #topics = new Map<Subscriber, Set<string>>();

  /** Adds a subscription; returns false when there was one. */
  subscribe(subscriber: Subscriber, topic: string): boolean {
    const subscribers = getOrInsert(this.#subscribers, topic);
    if (subscribers.has(subscriber)) return false;
    subscribers.add(subscriber);
    getOrInsert(this.#topics, subscriber).add(topic);
    return true;
  }

  /** Ends a subscription; returns false when there was none. */
  unsubscribe(subscriber: Subscriber, topic: string): boolean {
    if (!removeFrom(this.#subscribers, topic, subscriber)) return false;
    return removeFrom(this.#topics, subscriber, topic);
  }

  /** Ends all subscriptions of a subscriber, for example when its connection closed. */
  forget(subscriber: Subscriber): void {
    for (const topic of this.topicsOf(subscriber)) removeFrom(this.#subscribers, topic, subscriber);
    this.#topics.delete(subscriber);
  }

  /** The subscribers of a topic, in order of subscription: a live view. */
  subscribersOf(topic: string): ReadonlySet<Subscriber> {
    return this.#subscribers.get(topic) ?? NONE;
  }

  /** The topics of a subscriber, in order of subscription: a live view. */
  topicsOf(subscriber: Subscriber): ReadonlySet<string> {
    return this.#topics.get(subscriber) ?? NONE;
  }

  /** The topics that have a subscriber. */
  get topics(): Iterable<string> {
    return this.#subscribers.keys();
  }
}

function getOrInsert<Key, Value>(map: Map<Key, Set<Value>>, key: Key): Set<Value> {
  let set = map.get(key);
  if (set === undefined) map.set(key, set = new Set());
  return set;
}

// An empty set is removed, so that topics which come and go leave nothing behind.
function removeFrom<Key, Value>(map: Map<Key, Set<Value>>, key: Key, value: Value): boolean {
  const set = map.get(key);
  if (set === undefined || !set.delete(value)) return false;
  if (set.size === 0) map.delete(key);
  return true;
}
