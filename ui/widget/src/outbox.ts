/**
 * The visitor's messages that the server has not confirmed. One storage entry per message, so that two tabs never
 * overwrite each other's list; the id is made here, so that sending one twice has no effect on the server.
 */
import type { Store } from "./store";
import { attachment, type Attachment } from "./wire";

export interface Draft {
  id: string;
  text: string;
  attachments: Attachment[];
  /** milliseconds since the epoch when the visitor pressed send: the order of sending */
  at: number;
  /** the server's refusal, when it said that trying again will not help */
  refused: string | null;
}

const PREFIX = "out:";
/** An entry that no visit could deliver in this many milliseconds is of no use to anybody any more. */
const KEEP = 14 * 24 * 3600 * 1000;

function parse(id: string, stored: string | null): Draft | null {
  try {
    const raw: unknown = JSON.parse(stored ?? "");
    if (typeof raw !== "object" || raw === null) return null;
    const { text, attachments, at, refused } = raw as Record<string, unknown>;
    if (typeof text !== "string" || typeof at !== "number" || !Number.isFinite(at)) return null;
    const files = (Array.isArray(attachments) ? attachments : []).map(attachment).filter((item) => item !== null);
    if (!text && !files.length) return null;
    return { id, text, attachments: files, at, refused: typeof refused === "string" ? refused : null };
  } catch {
    return null;
  }
}

export class Outbox {
  constructor(
    private readonly store: Store,
    private readonly now: () => number,
  ) {}

  /** In the order in which they were written; unreadable and expired entries are removed on the way. */
  list(): Draft[] {
    const found: Draft[] = [];
    for (const name of this.store.names(PREFIX)) {
      const draft = parse(name.slice(PREFIX.length), this.store.get(name));
      if (draft && this.now() - draft.at < KEEP) found.push(draft);
      else this.store.remove(name);
    }
    return found.sort((a, b) => a.at - b.at || (a.id < b.id ? -1 : 1));
  }

  add(id: string, text: string, attachments: Attachment[]): Draft {
    // Two messages in one millisecond, or a clock set back, must keep the order in which they were written.
    const last = this.list().at(-1)?.at ?? 0;
    const draft: Draft = { id, text, attachments, at: Math.max(this.now(), last + 1), refused: null };
    this.write(draft);
    return draft;
  }

  refuse(id: string, code: string): void {
    const draft = this.list().find((item) => item.id === id);
    if (draft) this.write({ ...draft, refused: code });
  }

  /** Lets a refused one go out once more; under a new id when the server knows the old one as something else. */
  again(id: string, newId: string): void {
    const draft = this.list().find((item) => item.id === id);
    if (!draft) return;
    const taken = draft.refused === "idempotency_key_reused";
    if (taken) this.remove(id);
    this.write({ ...draft, id: taken ? newId : id, refused: null });
  }

  remove(id: string): void {
    this.store.remove(PREFIX + id);
  }

  clear(): void {
    for (const name of this.store.names(PREFIX)) this.store.remove(name);
  }

  private write({ id, ...rest }: Draft): void {
    this.store.set(PREFIX + id, JSON.stringify(rest));
  }
}
