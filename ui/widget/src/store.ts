/**
 * What survives a reload, kept per channel key. Every value is read as untrusted: another script, an older version or
 * a half-written entry may have left anything there. When the browser refuses storage, memory stands in.
 */
export class Store {
  private readonly memory = new Map<string, string>();
  private readonly prefix: string;

  constructor(
    channel: string,
    private readonly backing: Storage | null,
  ) {
    this.prefix = `steward:${channel}:`;
  }

  get(name: string): string | null {
    const held = this.memory.get(name);
    if (held !== undefined) return held;
    try {
      return this.backing?.getItem(this.prefix + name) ?? null;
    } catch {
      return null;
    }
  }

  set(name: string, value: string): void {
    try {
      if (!this.backing) throw new Error("no storage");
      this.backing.setItem(this.prefix + name, value);
      this.memory.delete(name);
    } catch {
      this.memory.set(name, value);
    }
  }

  remove(name: string): void {
    this.memory.delete(name);
    try {
      this.backing?.removeItem(this.prefix + name);
    } catch {
      // a browser that refuses to delete had refused to store
    }
  }

  /** The names below `start`, in no particular order. */
  names(start: string): string[] {
    const found = new Set<string>();
    for (const name of this.memory.keys()) if (name.startsWith(start)) found.add(name);
    try {
      const whole = this.prefix + start;
      for (let at = 0; at < (this.backing?.length ?? 0); at++) {
        const key = this.backing?.key(at);
        if (key?.startsWith(whole)) found.add(key.slice(this.prefix.length));
      }
    } catch {
      // memory names are all there is
    }
    return [...found];
  }

  /** The name inside this channel that a `storage` event speaks of, or null when it is not ours. */
  owns(key: string | null): string | null {
    return key?.startsWith(this.prefix) ? key.slice(this.prefix.length) : null;
  }
}

/** `localStorage` may throw on mere access (blocked cookies, sandboxed frames). */
export function browserStorage(which: "localStorage" | "sessionStorage"): Storage | null {
  try {
    return window[which];
  } catch {
    return null;
  }
}
