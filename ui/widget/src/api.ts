/** The HTTP calls of one widget. Every failure is a `Failure` that says whether trying again can help. */
import { attachment, message, page, session, type Attachment, type Message, type Page, type Session } from "./wire";

/** Milliseconds before a call that got no answer counts as lost. */
const PATIENCE = 20_000;

export class Failure extends Error {
  constructor(
    /** HTTP status; 0 = the network failed or the answer made no sense */
    readonly status: number,
    readonly code: string,
    /** milliseconds the server asks us to wait */
    readonly after = 0,
  ) {
    super(code);
  }

  get passing(): boolean {
    return this.status === 0 || this.status === 408 || this.status === 425 || this.status === 429 || this.status >= 500;
  }
}

export type Fetch = (url: string, init: RequestInit) => Promise<Response>;

export interface Upload {
  done: Promise<Attachment>;
  cancel: () => void;
}

export class Api {
  readonly root: string;

  constructor(
    readonly origin: string,
    channel: string,
    private readonly fetch: Fetch,
    private readonly id: () => string,
  ) {
    this.root = `${origin}/api/widget/${encodeURIComponent(channel)}`;
  }

  async session(body: object): Promise<Session> {
    return must(session(await this.call("POST", "/session", null, body)));
  }

  async send(token: string, body: { id: string; text: string; attachments: string[] }): Promise<Message> {
    const answer = await this.call("POST", "/messages", token, body, body.id);
    return must(message((answer as { message?: unknown } | null)?.message));
  }

  async after(token: string, seq: number): Promise<Page> {
    return page(await this.call("GET", `/messages?after=${seq}`, token));
  }

  async typing(token: string): Promise<void> {
    await this.call("POST", "/typing", token, {});
  }

  async email(token: string, email: string): Promise<void> {
    await this.call("POST", "/email", token, { email });
  }

  /** XMLHttpRequest, because fetch does not report how much has gone up. */
  upload(token: string, file: Blob, name: string, key: string, progress: (part: number) => void): Upload {
    const request = new XMLHttpRequest();
    const done = new Promise<Attachment>((resolve, reject) => {
      const lost = () => reject(new Failure(0, "network"));
      request.open("POST", `${this.root}/attachments`);
      request.setRequestHeader("Authorization", `Visitor ${token}`);
      request.setRequestHeader("Idempotency-Key", key);
      request.upload.onprogress = (event) => event.lengthComputable && progress(event.loaded / event.total);
      request.onerror = request.ontimeout = lost;
      request.onabort = () => reject(new Failure(0, "cancelled"));
      request.onload = () => {
        const body = json(request.responseText);
        const stored = request.status < 300 ? attachment(body) : null;
        if (stored) resolve(stored);
        else reject(new Failure(request.status < 300 ? 0 : request.status, code(body)));
      };
      const form = new FormData();
      form.append("file", file, name);
      request.send(form);
    });
    return { done, cancel: () => request.abort() };
  }

  /** The address of a stored file, or null when it points anywhere but to our server. */
  file(url: string): string | null {
    try {
      const whole = new URL(url, this.origin);
      return whole.origin === this.origin ? whole.href : null;
    } catch {
      return null;
    }
  }

  private async call(method: string, path: string, token: string | null, body?: object, key?: string): Promise<unknown> {
    const headers: Record<string, string> = { Accept: "application/json" };
    if (token) headers.Authorization = `Visitor ${token}`;
    if (body) headers["Content-Type"] = "application/json";
    if (body) headers["Idempotency-Key"] = key ?? this.id();
    const stop = new AbortController();
    const timer = setTimeout(() => stop.abort(), PATIENCE);
    try {
      const answer = await this.fetch(this.root + path, {
        method,
        headers,
        body: body ? JSON.stringify(body) : null,
        credentials: "omit",
        cache: "no-store",
        signal: stop.signal,
      });
      const content = json(await answer.text());
      if (answer.ok) return content;
      throw new Failure(answer.status, code(content), Number(answer.headers.get("Retry-After")) * 1000 || 0);
    } catch (error) {
      throw error instanceof Failure ? error : new Failure(0, "network");
    } finally {
      clearTimeout(timer);
    }
  }
}

function json(content: string): unknown {
  try {
    return JSON.parse(content);
  } catch {
    return null;
  }
}

function code(body: unknown): string {
  const found = (body as { code?: unknown } | null)?.code;
  return typeof found === "string" ? found : "unknown";
}

function must<T>(value: T | null): T {
  if (value === null) throw new Failure(0, "malformed");
  return value;
}
