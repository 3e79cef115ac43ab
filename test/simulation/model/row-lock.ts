/** A row's lock: whoever comes later waits in order. */
export class RowLock {
  private held = false;
  private readonly waiting: (() => void)[] = [];

  take(task: () => void): void {
    if (this.held) this.waiting.push(task);
    else {
      this.held = true;
      task();
    }
  }
  free(): void {
    const next = this.waiting.shift();
    if (next === undefined) this.held = false;
    else next();
  }
}
