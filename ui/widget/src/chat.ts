/**
 * One visitor's chat: session, confirmed thread, outbox and live link, joined into one state the view draws.
 * Start reading at `session` (who am I), `drain` (what goes out) and `receive` (what comes in).
 */
import { Api, Failure, type Fetch } from "./api";
import { Backoff } from "./backoff";
import { subject } from "./identity";
import { Link, type LinkState, type Socket } from "./link";
import { Outbox, type Draft } from "./outbox";
import type { Store } from "./store";
import { Thread } from "./thread";
import type { Attachment, Frame, Message, Queue, Session } from "./wire";

export interface Config {
  readonly channel: string;
  readonly origin: string;
  readonly locale: "zh-CN" | "en";
}

/** Everything from outside that a test wants to hold in its hand. */
export interface Outside {
  fetch: Fetch;
  socket: (url: string) => Socket;
  store: Store;
  now: () => number;
  random: () => number;
  id: () => string;
  page: () => string;
  /** True while the page is in the foreground. */
  visible: () => boolean;
  /** Runs the work in one tab at a time, where the browser can. */
  alone: (name: string, work: () => Promise<void>) => Promise<void>;
}

export interface State {
  phase: "idle" | "starting" | "ready" | "unavailable";
  link: LinkState;
  session: Omit<Session, "visitor_token" | "thread" | "queue"> | null;
  queue: Queue | null;
  typing: string | null;
  messages: readonly Message[];
  pending: readonly Draft[];
  /** The last attempt to send or to connect failed in passing; it is tried again by itself. */
  waiting: boolean;
  unread: number;
  open: boolean;
}

/** Milliseconds. */
const TYPING_SHOWN = 6_000;
const TYPING_EVERY = 3_000;
const OTHER_TAB = 2_000;

export class Chat {
  readonly api: Api;
  readonly outbox: Outbox;
  readonly #thread = new Thread();
  readonly #link: Link;
  readonly #listeners = new Set<() => void>();
  readonly #sendAgain: Backoff;
  readonly #startAgain: Backoff;
  #token: string | null = null;
  #identity: string | null = null;
  #starting: Promise<void> | null = null;
  #generation = 0;
  #draining = false;
  #drainMore = false;
  #startTimer: ReturnType<typeof setTimeout> | undefined;
  #sendTimer: ReturnType<typeof setTimeout> | undefined;
  #typingTimer: ReturnType<typeof setTimeout> | undefined;
  #typedAt = 0;
  state: State;

  constructor(
    readonly config: Config,
    readonly out: Outside,
  ) {
    this.api = new Api(config.origin, config.channel, out.fetch, out.id);
    this.outbox = new Outbox(out.store, out.now);
    this.#sendAgain = new Backoff(out.random);
    this.#startAgain = new Backoff(out.random);
    this.#link = new Link({
      url: `${this.api.root.replace(/^http/, "ws")}/live`,
      socket: out.socket,
      hello: () => ({ token: this.#token ?? "", after: this.#thread.cursor }),
      sync: () => this.#sync(),
      frame: (got) => this.#frame(got),
      state: (link) => this.#set({ link }),
      attentive: () => this.state.open && out.visible(),
      random: out.random,
    });
    this.state = {
      phase: "idle",
      link: "idle",
      session: null,
      queue: null,
      typing: null,
      messages: [],
      pending: this.outbox.list(),
      waiting: false,
      unread: 0,
      open: false,
    };
  }

  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Connects at once for somebody who has talked before; a stranger costs the server nothing until the first click. */
  resume(): void {
    if (this.out.store.get("token") || this.#identity || this.state.pending.length) void this.#session();
  }

  open(): void {
    this.#set({ open: true });
    this.#read();
    void this.#session();
  }

  close(): void {
    this.#set({ open: false });
  }

  /** Takes the site's signed statement who the visitor is. Another person than before starts with nothing of theirs. */
  identify(jwt: string): void {
    if (jwt === this.#identity) return;
    const who = subject(jwt);
    const before = this.out.store.get("who");
    if (before && who && before !== who) this.forget();
    if (who) this.out.store.set("who", who);
    this.#identity = jwt;
    this.#generation++;
    void this.#session(true);
  }

  /** Signs the visitor out of the chat in this browser, in all tabs unless this one was told by another. */
  forget(everywhere = true): void {
    if (everywhere) this.out.store.set("left", this.out.id());
    this.#generation++;
    this.#starting = null;
    this.#link.stop();
    clearTimeout(this.#startTimer);
    clearTimeout(this.#sendTimer);
    for (const name of ["token", "who", "read", "draft", "email-asked"]) this.out.store.remove(name);
    this.outbox.clear();
    this.#thread.clear();
    this.#token = null;
    this.#identity = null;
    this.#set({ phase: "idle", session: null, queue: null, typing: null, messages: [], pending: [], waiting: false, unread: 0 });
    if (this.state.open) void this.#session();
  }

  send(text: string, attachments: Attachment[]): void {
    this.outbox.add(this.out.id(), text, attachments);
    // The next message begins anew; its writing is news at once.
    this.#typedAt = 0;
    this.#set({ pending: this.outbox.list() });
    this.#flush();
  }

  retry(id: string): void {
    this.outbox.again(id, this.out.id());
    this.#set({ pending: this.outbox.list() });
    this.#flush();
  }

  discard(id: string): void {
    this.outbox.remove(id);
    this.#set({ pending: this.outbox.list() });
  }

  /** Tells the agents that the visitor writes, at most every three seconds. */
  typing(): void {
    if (!this.#token || this.out.now() - this.#typedAt < TYPING_EVERY) return;
    this.#typedAt = this.out.now();
    if (this.#link.say("typing")) return;
    if (this.state.link === "polling") void this.api.typing(this.#token).catch(() => undefined);
  }

  /** Rejects with a `Failure` when the address was not taken. */
  async email(address: string): Promise<void> {
    await this.#session();
    if (!this.#token) throw new Failure(0, "network");
    await this.api.email(this.#token, address);
    if (this.state.session) this.#set({ session: { ...this.state.session, claimed_email: address } });
  }

  /** A token for an upload; `refused` is one the server has just turned down. */
  async ticket(refused?: string): Promise<string> {
    if (refused !== undefined && refused === this.#token) {
      this.#token = null;
      this.#link.stop();
    }
    await this.#session();
    if (!this.#token) throw new Failure(0, "network");
    return this.#token;
  }

  /** The network came back, or the page came to the foreground. */
  wake(): void {
    this.#read();
    if (this.state.phase === "idle" && !this.state.pending.length) return;
    clearTimeout(this.#startTimer);
    void this.#session();
    this.#link.nudge();
    this.#flush();
  }

  /** The browser says there is no network: no need to wait for a time-out to tell the visitor. */
  offline(): void {
    this.#link.interrupt();
    if (this.state.pending.length) this.#set({ waiting: true });
  }

  /** Ends all that runs; what is stored stays. */
  rest(): void {
    this.#generation++;
    this.#link.stop();
    for (const timer of [this.#startTimer, this.#sendTimer, this.#typingTimer]) clearTimeout(timer);
    this.#listeners.clear();
  }

  /** Another tab changed what we share. */
  shared(name: string): void {
    if (name === "read") this.#count();
    if (name.startsWith("out:")) {
      this.#set({ pending: this.outbox.list() });
      clearTimeout(this.#sendTimer);
      this.#sendTimer = setTimeout(() => void this.#drain(), OTHER_TAB);
    }
    if (name === "left") this.forget(false);
    const token = this.out.store.get("token");
    if (name === "token" && token && token !== this.#token) {
      this.#generation++;
      void this.#session(true);
    }
  }

  /** Opens the session, once however many ask; `again` replaces a running one (new identity, other tab's token). */
  #session(again = false): Promise<void> {
    if (this.state.phase === "unavailable") return Promise.resolve();
    // A session on its way comes first: with it the token at hand may end.
    if (this.#starting && !again) return this.#starting;
    if (this.#token && !again) return Promise.resolve();
    clearTimeout(this.#startTimer);
    if (this.state.phase !== "ready") this.#set({ phase: "starting" });
    const mine = this.out
      .alone(`steward:${this.config.channel}:session`, () => this.#begin())
      .finally(() => {
        if (this.#starting === mine) this.#starting = null;
      });
    this.#starting = mine;
    return mine;
  }

  async #begin(): Promise<void> {
    const generation = this.#generation;
    const stored = this.out.store.get("token");
    const body: Record<string, string> = { locale: this.config.locale, page: this.out.page() };
    if (stored) body.visitor_token = stored;
    if (this.#identity) body.identity = this.#identity;
    try {
      const got = await this.api.session(body);
      if (generation === this.#generation) this.#begun(got);
    } catch (error) {
      if (generation === this.#generation) this.#failed(error as Failure, stored);
    }
  }

  #begun(got: Session): void {
    const { visitor_token, thread, queue, ...session } = got;
    if (this.#token !== visitor_token) {
      this.#link.stop();
      this.#thread.clear();
    }
    this.#token = visitor_token;
    this.out.store.set("token", visitor_token);
    if (session.color) this.out.store.set("color", session.color);
    this.#startAgain.reset();
    this.#set({ phase: "ready", session, queue, waiting: false });
    if (this.out.store.get("read") === null) {
      this.out.store.set("read", String(thread.reduce((most, item) => Math.max(most, item.seq), 0)));
    }
    this.#receive(thread);
    this.#link.start();
    this.#flush();
  }

  #failed(failure: Failure, stored: string | null): void {
    // A server that turns down what we bring (an expired signature, say) is asked again without the part it did not like.
    if ((failure.status === 401 || failure.status === 422 || failure.status === 400) && (this.#identity || stored)) {
      if (this.#identity) this.#identity = null;
      else this.out.store.remove("token");
      this.#startTimer = setTimeout(() => void this.#session(true), this.#startAgain.next());
      return;
    }
    if (failure.passing) {
      this.#set({ waiting: true });
      this.#startTimer = setTimeout(() => void this.#session(true), this.#startAgain.next(failure.after));
      return;
    }
    this.#link.stop();
    this.#set({ phase: "unavailable" });
  }

  /** The server does not know our token any more: ask for a new session with it, and without it when that fails too. */
  #renew(used: string): void {
    if (this.#token !== used) return;
    this.#token = null;
    this.#link.stop();
    clearTimeout(this.#startTimer);
    this.#startTimer = setTimeout(() => void this.#session(), this.#startAgain.next());
  }

  async #sync(): Promise<void> {
    await this.#starting;
    const token = this.#token;
    if (!token) throw new Failure(0, "network");
    try {
      const got = await this.api.after(token, this.#thread.cursor);
      if (token !== this.#token) return;
      this.#receive(got.items);
      if (got.queue !== undefined) this.#set({ queue: got.queue });
      if (got.typing[0]) this.#shows(got.typing[0]);
    } catch (error) {
      if ((error as Failure).status === 401) this.#renew(token);
      throw error;
    }
  }

  #frame(got: Frame): void {
    if (got.t === "messages") {
      this.#receive(got.items);
      if (got.queue !== undefined) this.#set({ queue: got.queue });
    } else if (got.t === "queue") this.#set({ queue: got.queue });
    else if (got.t === "typing") this.#shows(got.name);
  }

  #receive(items: Message[]): void {
    const fresh = this.#thread.stream(items);
    for (const item of items) if (item.mine) this.outbox.remove(item.id);
    if (fresh.some((item) => !item.mine)) {
      clearTimeout(this.#typingTimer);
      this.#set({ typing: null });
    }
    this.#set({ messages: this.#thread.list(), pending: this.outbox.list() });
    this.#read();
  }

  #shows(name: string): void {
    clearTimeout(this.#typingTimer);
    this.#typingTimer = setTimeout(() => this.#set({ typing: null }), TYPING_SHOWN);
    this.#set({ typing: name });
  }

  #flush(): void {
    clearTimeout(this.#sendTimer);
    this.#sendAgain.reset();
    void this.#drain();
  }

  /** Sends what waits, one after the other so that the order holds; a passing failure stops it until the next attempt. */
  async #drain(): Promise<void> {
    if (this.#draining) {
      this.#drainMore = true;
      return;
    }
    this.#draining = true;
    try {
      await this.out.alone(`steward:${this.config.channel}:outbox`, async () => {
        while (await this.#sendNext());
      });
    } finally {
      this.#draining = false;
      if (this.#drainMore) {
        this.#drainMore = false;
        void this.#drain();
      }
    }
  }

  /** True when the next one may be tried. */
  async #sendNext(): Promise<boolean> {
    // With a session on its way the token at hand may end, and what it sends be turned down.
    if (this.#starting) {
      await this.#starting;
      if (!this.#token) return false;
    }
    const next = this.outbox.list().find((item) => item.refused === null);
    const token = this.#token;
    if (!next) return false;
    if (!token) {
      void this.#session();
      return false;
    }
    const body = { id: next.id, text: next.text, attachments: next.attachments.map((item) => item.id) };
    const generation = this.#generation;
    try {
      const sent = await this.api.send(token, body);
      if (generation !== this.#generation) return false;
      this.outbox.remove(next.id);
      this.#thread.put(sent);
      this.#sendAgain.reset();
      this.#set({ waiting: false, messages: this.#thread.list(), pending: this.outbox.list() });
      return true;
    } catch (error) {
      return generation === this.#generation && this.#unsent(error as Failure, next, token);
    }
  }

  #unsent(failure: Failure, draft: Draft, token: string): boolean {
    if (failure.status === 401) {
      this.#renew(token);
      return false;
    }
    if (!failure.passing) {
      this.outbox.refuse(draft.id, failure.code);
      this.#set({ pending: this.outbox.list() });
      return true;
    }
    this.#set({ waiting: true });
    // Somebody may have asked for more meanwhile; all of it waits for the next attempt.
    this.#drainMore = false;
    clearTimeout(this.#sendTimer);
    this.#sendTimer = setTimeout(() => void this.#drain(), this.#sendAgain.next(failure.after));
    return false;
  }

  /** What is on the visitor's screen counts as read. */
  #read(): void {
    const last = this.state.messages.at(-1)?.seq ?? 0;
    if (this.state.open && this.out.visible() && last > this.#readTo()) this.out.store.set("read", String(last));
    this.#count();
  }

  #count(): void {
    const to = this.#readTo();
    const unread = this.state.messages.filter((item) => !item.mine && !item.system && item.seq > to).length;
    if (unread !== this.state.unread) this.#set({ unread });
  }

  #readTo(): number {
    return Number(this.out.store.get("read")) || 0;
  }

  #set(change: Partial<State>): void {
    this.state = { ...this.state, ...change };
    for (const listener of this.#listeners) listener();
  }
}
