/**
 * Linked lists of numbered items, each item in one list. An item can be removed and put back in
 * constant time if removals are undone in reverse order (Knuth's dancing links).
 */
export class OpenLists {
  private readonly next: Int32Array;
  private readonly previous: Int32Array;
  private readonly items: number;

  /** `listOf`: the list of each item. Items keep their order. */
  constructor(listOf: readonly number[], lists: number) {
    this.items = listOf.length;
    this.next = new Int32Array(this.items + lists);
    this.previous = new Int32Array(this.items + lists);
    const last = Array.from({ length: lists }, (_, list) => this.items + list);
    for (let list = 0; list < lists; list += 1) this.link(this.items + list, this.items + list);
    for (const [item, list] of listOf.entries()) {
      this.link(last[list] ?? 0, item);
      this.link(item, this.items + list);
      last[list] = item;
    }
  }

  /** The first item of a list; -1 if there is none. */
  first(list: number): number {
    return this.itemOf(this.next[this.items + list]);
  }
  after(item: number): number {
    return this.itemOf(this.next[item]);
  }
  remove(item: number): void {
    this.link(this.previous[item] ?? 0, this.next[item] ?? 0);
  }
  restore(item: number): void {
    this.next[this.previous[item] ?? 0] = item;
    this.previous[this.next[item] ?? 0] = item;
  }

  private itemOf(node: number | undefined): number {
    return node === undefined || node >= this.items ? -1 : node;
  }
  private link(before: number, after: number): void {
    this.next[before] = after;
    this.previous[after] = before;
  }
}
