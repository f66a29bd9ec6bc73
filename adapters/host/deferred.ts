// A promise with its resolve function outside: `Promise.withResolvers`, which Node 20 lacks.

/** A promise that somebody else fulfils. */
export class Deferred<T> {
  readonly promise: Promise<T>;
  resolve!: (value: T) => void;

  constructor() {
    this.promise = new Promise((resolve) => this.resolve = resolve);
  }
}
