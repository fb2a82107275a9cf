/** The confirmed part of the conversation: each message once, in the server's order. */
import type { Message } from "./wire";

export class Thread {
  private readonly byId = new Map<string, Message>();
  private ordered: Message[] | null = null;
  /**
   * Up to where the server's ordered stream has been read. The answer to our own POST does not move it: an agent's
   * message with a lower number may still be on its way, and asking "after" our own would skip it for good.
   */
  cursor = 0;

  /** Takes messages from an ordered source (session, page, live) and returns those that were not known. */
  stream(items: Message[]): Message[] {
    for (const item of items) this.cursor = Math.max(this.cursor, item.seq);
    return items.filter((item) => this.put(item));
  }

  /** Takes one message out of order; true when it was not known. A later version of a known one replaces it. */
  put(item: Message): boolean {
    const fresh = !this.byId.has(item.id);
    this.byId.set(item.id, item);
    this.ordered = null;
    return fresh;
  }

  has(id: string): boolean {
    return this.byId.has(id);
  }

  list(): Message[] {
    this.ordered ??= [...this.byId.values()].sort((a, b) => a.seq - b.seq);
    return this.ordered;
  }

  clear(): void {
    this.byId.clear();
    this.ordered = null;
    this.cursor = 0;
  }
}
