/** A row lock. Waiting tasks get it in order of arrival. */
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
