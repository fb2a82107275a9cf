/**
 * The shapes that cross the wire between the widget and the server, and the checks at that border.
 * Nothing else in the widget trusts a server value that has not passed through here.
 */
export interface Attachment {
  id: string;
  name: string;
  mime: string;
  /** bytes */
  size: number;
  url: string;
  width: number | null;
  height: number | null;
}

export interface Message {
  id: string;
  seq: number;
  /** RFC 3339 */
  at: string;
  mine: boolean;
  author: string;
  text: string;
  attachments: Attachment[];
  system: boolean;
  state: string;
}

/** `position` counts from 1: the visitor who is served next has position 1. */
export interface Queue {
  position: number;
  expected_wait_seconds: number | null;
}

export interface Session {
  visitor_token: string;
  thread: Message[];
  queue: Queue | null;
  brand: string;
  greeting: string;
  color: string;
  online: boolean;
  claimed_email: string | null;
  identified: boolean;
  ask_email: boolean;
}

export interface Page {
  items: Message[];
  queue: Queue | null | undefined;
  typing: string[];
}

type Raw = Record<string, unknown>;

const record = (value: unknown): Raw | null =>
  typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Raw) : null;
const text = (value: unknown): string => (typeof value === "string" ? value : "");
const number = (value: unknown): number | null =>
  typeof value === "number" && Number.isFinite(value) ? value : null;
const list = (value: unknown): unknown[] => (Array.isArray(value) ? value : []);

export function attachment(value: unknown): Attachment | null {
  const raw = record(value);
  if (!raw || !text(raw.id)) return null;
  return {
    id: text(raw.id),
    name: text(raw.name),
    mime: text(raw.mime),
    size: number(raw.size) ?? 0,
    url: text(raw.url),
    width: number(raw.width),
    height: number(raw.height),
  };
}

export function message(value: unknown): Message | null {
  const raw = record(value);
  const seq = number(raw?.seq);
  if (!raw || !text(raw.id) || seq === null) return null;
  return {
    id: text(raw.id),
    seq,
    at: text(raw.at),
    mine: raw.mine === true,
    author: text(raw.author),
    text: text(raw.text),
    attachments: list(raw.attachments).map(attachment).filter((item) => item !== null),
    system: raw.system === true,
    state: text(raw.state),
  };
}

export const messages = (value: unknown): Message[] =>
  list(value).map(message).filter((item) => item !== null);

export function queue(value: unknown): Queue | null {
  const raw = record(value);
  const position = number(raw?.position);
  if (!raw || position === null || position < 1) return null;
  return { position, expected_wait_seconds: number(raw.expected_wait_seconds) };
}

export function session(value: unknown): Session | null {
  const raw = record(value);
  if (!raw || !text(raw.visitor_token)) return null;
  return {
    visitor_token: text(raw.visitor_token),
    thread: messages(raw.thread),
    queue: queue(raw.queue),
    brand: text(raw.brand),
    greeting: text(raw.greeting),
    color: text(raw.color),
    online: raw.online !== false,
    claimed_email: text(raw.claimed_email) || null,
    identified: raw.identified === true,
    ask_email: raw.ask_email !== false,
  };
}

export function page(value: unknown): Page {
  const raw = record(value) ?? {};
  return {
    items: messages(raw.items),
    queue: "queue" in raw ? queue(raw.queue) : undefined,
    typing: list(raw.typing).map((who) => text(record(who)?.name)).filter(Boolean),
  };
}

export type Frame =
  | { t: "ready" }
  | { t: "beat" }
  | { t: "messages"; items: Message[]; queue: Queue | null | undefined }
  | { t: "typing"; name: string }
  | { t: "queue"; queue: Queue | null };

/** A closed set: a frame of any other kind, or one that is not JSON, is `null` and ignored. */
export function frame(data: unknown): Frame | null {
  let raw: Raw | null;
  try {
    raw = record(JSON.parse(text(data)));
  } catch {
    return null;
  }
  switch (raw?.t) {
    case "ready":
    case "beat":
      return { t: raw.t };
    case "messages": {
      const { items, queue: place } = page(raw);
      return { t: "messages", items, queue: place };
    }
    case "typing":
      return { t: "typing", name: text(raw.name) };
    case "queue":
      return { t: "queue", queue: queue("queue" in raw ? raw.queue : raw) };
    default:
      return null;
  }
}
