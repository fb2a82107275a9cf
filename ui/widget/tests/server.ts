/**
 * A server of the widget's protocol, as small as a test needs it: it keeps what it accepted by id, numbers it, and
 * fails on demand. `lose` answers are the worst case of a weak network: the server took the message, nobody heard.
 */
import { Chat, type Outside } from "../src/chat";
import type { Socket } from "../src/link";
import { Store } from "../src/store";
import type { Message } from "../src/wire";

export class MemoryStorage implements Storage {
  private readonly map = new Map<string, string>();
  get length(): number {
    return this.map.size;
  }
  key(at: number): string | null {
    return [...this.map.keys()][at] ?? null;
  }
  getItem(key: string): string | null {
    return this.map.get(key) ?? null;
  }
  setItem(key: string, value: string): void {
    this.map.set(key, value);
  }
  removeItem(key: string): void {
    this.map.delete(key);
  }
  clear(): void {
    this.map.clear();
  }
}

export class TestSocket implements Socket {
  onopen: ((event: Event) => unknown) | null = null;
  onmessage: ((event: MessageEvent) => unknown) | null = null;
  onclose: ((event: CloseEvent) => unknown) | null = null;
  onerror: ((event: Event) => unknown) | null = null;
  readonly sent: Record<string, unknown>[] = [];
  closed = false;

  send(data: string): void {
    this.sent.push(JSON.parse(data) as Record<string, unknown>);
  }
  close(): void {
    this.closed = true;
  }
  say(frame: object): void {
    this.onmessage?.(new MessageEvent("message", { data: JSON.stringify(frame) }));
  }
  breaks(): void {
    this.onclose?.(new CloseEvent("close"));
  }
}

type Mode = "up" | "down" | "lose" | number;

export class TestServer {
  mode: Mode = "up";
  /** Answers to the next calls of one path, before the mode counts. */
  readonly scripted: { path: string; status: number; body?: object; headers?: Record<string, string> }[] = [];
  readonly items: Message[] = [];
  readonly calls: { method: string; path: string; headers: Record<string, string>; body: Record<string, unknown> | null }[] = [];
  readonly sockets: TestSocket[] = [];
  socketsRefused = false;
  token = "token-1";
  session: Record<string, unknown> = {};

  says(text: string, more: Partial<Message> = {}): Message {
    const item: Message = {
      id: `server-${this.items.length + 1}`,
      seq: this.items.length + 1,
      at: new Date(1_800_000_000_000 + this.items.length * 1000).toISOString(),
      mine: false,
      author: "Li",
      text,
      attachments: [],
      system: false,
      state: "sent",
      ...more,
    };
    this.items.push(item);
    return item;
  }

  get lastSocket(): TestSocket {
    const socket = this.sockets.at(-1);
    if (!socket) throw new Error("no socket was opened");
    return socket;
  }

  /** The latest socket gets as far as "ready". */
  async ready(): Promise<TestSocket> {
    const socket = this.lastSocket;
    socket.onopen?.(new Event("open"));
    socket.say({ t: "ready" });
    await settle();
    return socket;
  }

  fetch = async (url: string, init: RequestInit): Promise<Response> => {
    const { pathname, searchParams } = new URL(url);
    const path = pathname.replace("/api/widget/key", "");
    const body = init.body ? (JSON.parse(init.body as string) as Record<string, unknown>) : null;
    const headers = init.headers as Record<string, string>;
    this.calls.push({ method: init.method ?? "GET", path, headers, body });
    if (this.mode === "down") throw new TypeError("network");
    const next = this.scripted.findIndex((item) => item.path === path);
    if (next >= 0) {
      const [{ status, body: answer, headers: more }] = this.scripted.splice(next, 1) as [(typeof this.scripted)[0]];
      return reply(status, answer ?? {}, more);
    }
    if (typeof this.mode === "number") return reply(this.mode, { code: "unavailable" });
    const answer = this.answer(path, init.method ?? "GET", body, headers, Number(searchParams.get("after")));
    if (this.mode === "lose") throw new TypeError("the answer was lost");
    return answer;
  };

  private answer(path: string, method: string, body: Record<string, unknown> | null, headers: Record<string, string>, after: number): Response {
    if (path === "/session") {
      return reply(200, { visitor_token: this.token, thread: this.items, queue: null, brand: "Shop", greeting: "Hi", color: "", online: true, claimed_email: null, identified: false, ...this.session });
    }
    if (headers.Authorization !== `Visitor ${this.token}`) return reply(401, { code: "unauthenticated" });
    if (path === "/messages" && method === "POST") {
      const known = this.items.find((item) => item.id === body?.id);
      return reply(200, { message: known ?? this.says(String(body?.text), { id: String(body?.id), mine: true, author: "" }) });
    }
    if (path === "/messages") return reply(200, { items: this.items.filter((item) => item.seq > after), queue: null, typing: [] });
    return new Response(null, { status: 204 });
  }

  posts(): string[] {
    return this.calls.filter((call) => call.method === "POST" && call.path === "/messages").map((call) => String(call.body?.text));
  }
}

function reply(status: number, body: object, headers: Record<string, string> = {}): Response {
  return new Response(JSON.stringify(body), { status, headers: { "Content-Type": "application/json", ...headers } });
}

let ids = 0;

export interface Tab {
  chat: Chat;
  store: Store;
  outside: Outside;
}

/** One tab of one browser: tabs that share a storage share the visitor. */
export function tab(server: TestServer, storage: Storage | null = new MemoryStorage(), more: Partial<Outside> = {}): Tab {
  const store = new Store("key", storage);
  const outside: Outside = {
    store,
    fetch: server.fetch,
    socket: () => {
      if (server.socketsRefused) throw new Error("refused");
      const socket = new TestSocket();
      server.sockets.push(socket);
      return socket;
    },
    now: () => Date.now(),
    random: () => 0.5,
    id: () => `00000000-0000-4000-8000-${String(++ids).padStart(12, "0")}`,
    page: () => "https://shop.example/cart",
    visible: () => true,
    alone: (_, work) => work(),
    ...more,
  };
  return { chat: new Chat({ channel: "key", origin: "https://desk.example", locale: "en" }, outside), store, outside };
}

/** Lets everything happen that waits for nothing but its turn. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 40; turn++) await Promise.resolve();
}

export const texts = (chat: Chat): string[] => chat.state.messages.map((item) => item.text);
export const waiting = (chat: Chat): string[] => chat.state.pending.map((item) => item.text);
