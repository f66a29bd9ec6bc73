// Tasks of an event loop: each callback runs in a task of its own, in order, with microtasks in
// between, as the web's event sources do it.

/** A queue of tasks. */
export class TaskQueue {
  /** Tasks that have not run. */
  size = 0;

  /** Runs the callback in a task of its own, after those that were queued before. */
  queue(task: () => void): void {
    this.size++;
    setImmediate(() => {
      this.size--;
      task();
    });
  }
}
