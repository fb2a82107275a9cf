/**
 * The live connection: a WebSocket while one can be had, polling while not. It promises its owner that after every
 * break `sync` is called before the state says "live" again, so nothing is missed; the owner drops what it knows already.
 */
import { Backoff } from "./backoff";
import { frame, type Frame } from "./wire";

export type LinkState = "idle" | "live" | "polling" | "down";

/** What the link uses of a WebSocket. */
export interface Socket {
  send(data: string): void;
  close(): void;
  onopen: ((event: Event) => unknown) | null;
  onmessage: ((event: MessageEvent) => unknown) | null;
  onclose: ((event: CloseEvent) => unknown) | null;
  onerror: ((event: Event) => unknown) | null;
}

export interface LinkHost {
  url: string;
  socket: (url: string) => Socket;
  hello: () => { token: string; after: number };
  /** Fetches everything after the cursor; rejects when the server could not be asked. */
  sync: () => Promise<void>;
  frame: (frame: Frame) => void;
  state: (state: LinkState) => void;
  /** True while the visitor looks at the conversation: polling is then quick. */
  attentive: () => boolean;
  random: () => number;
}

/** Milliseconds: a socket that does not get as far as "ready", or is silent for so long, is dead. */
const OPENING = 10_000;
const SILENCE = 75_000;
const POLL_ATTENTIVE = 3_000;
const POLL_IDLE = 20_000;

export class Link {
  private socket: Socket | null = null;
  private running = false;
  private current: LinkState = "idle";
  private readonly reconnect: Backoff;
  private readonly repoll: Backoff;
  private reconnectTimer: ReturnType<typeof setTimeout> | undefined;
  private pollTimer: ReturnType<typeof setTimeout> | undefined;
  private watchdog: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly host: LinkHost) {
    this.reconnect = new Backoff(host.random);
    this.repoll = new Backoff(host.random, 2_000);
  }

  start(): void {
    if (this.running) return;
    this.running = true;
    this.connect();
  }

  stop(): void {
    this.running = false;
    clearTimeout(this.reconnectTimer);
    clearTimeout(this.pollTimer);
    this.drop();
    this.become("idle");
  }

  /** The network or the visitor is back: look now instead of when the timers would. */
  nudge(): void {
    if (!this.running) return;
    if (this.current === "live") {
      void this.host.sync().catch(() => this.lost());
      return;
    }
    this.reconnect.reset();
    this.repoll.reset();
    clearTimeout(this.reconnectTimer);
    clearTimeout(this.pollTimer);
    if (!this.socket) this.connect();
    void this.poll();
  }

  /** The browser knows that the network is gone. */
  interrupt(): void {
    if (!this.running) return;
    this.lost();
    this.become("down");
  }

  /** True when the frame went out on the socket. */
  say(kind: "typing" | "pong"): boolean {
    if (this.current !== "live" || !this.socket) return false;
    try {
      this.socket.send(JSON.stringify({ t: kind }));
      return true;
    } catch {
      return false;
    }
  }

  private connect(): void {
    let socket: Socket;
    try {
      socket = this.host.socket(this.host.url);
    } catch {
      this.lost();
      return;
    }
    this.socket = socket;
    this.watch(OPENING);
    socket.onopen = () => socket.send(JSON.stringify({ t: "hello", ...this.host.hello() }));
    socket.onmessage = (event) => this.socket === socket && this.take(frame(event.data));
    socket.onclose = () => this.socket === socket && this.lost();
    socket.onerror = () => {
      // "close" always follows and is where the reaction is
    };
  }

  private take(got: Frame | null): void {
    if (got?.t === "ready") void this.ready();
    this.watch(SILENCE);
    if (!got) return;
    if (got.t === "beat") this.say("pong");
    else if (got.t !== "ready") this.host.frame(got);
  }

  private async ready(): Promise<void> {
    const socket = this.socket;
    try {
      await this.host.sync();
    } catch {
      if (this.socket === socket) this.lost();
      return;
    }
    if (this.socket !== socket) return;
    clearTimeout(this.pollTimer);
    this.reconnect.reset();
    this.repoll.reset();
    this.become("live");
  }

  private lost(): void {
    this.drop();
    if (!this.running) return;
    clearTimeout(this.reconnectTimer);
    this.reconnectTimer = setTimeout(() => this.connect(), this.reconnect.next());
    if (this.current !== "live" && this.current !== "idle") return;
    // The first poll is spread out too: a restarted server must not meet all its widgets at once. Only when it fails
    // is the line down; a socket that a proxy forbids is no reason to worry anybody.
    this.schedule(500 + this.host.random() * 1500);
    if (this.current === "live") this.become("polling");
  }

  private schedule(wait: number): void {
    clearTimeout(this.pollTimer);
    this.pollTimer = setTimeout(() => void this.poll(), wait);
  }

  private async poll(): Promise<void> {
    if (!this.running || this.current === "live") return;
    let wait: number;
    try {
      await this.host.sync();
      this.repoll.reset();
      wait = this.host.attentive() ? POLL_ATTENTIVE : POLL_IDLE;
      if (this.alive()) this.become("polling");
    } catch {
      wait = this.repoll.next();
      if (this.alive()) this.become("down");
    }
    if (this.alive()) this.schedule(wait);
  }

  /** Still ours to poll for, after an await: neither stopped nor gone live meanwhile. */
  private alive(): boolean {
    return this.running && this.current !== "live";
  }

  private watch(patience: number): void {
    clearTimeout(this.watchdog);
    this.watchdog = setTimeout(() => this.lost(), patience);
  }

  private drop(): void {
    clearTimeout(this.watchdog);
    const socket = this.socket;
    this.socket = null;
    try {
      socket?.close();
    } catch {
      // closing what never opened
    }
  }

  private become(state: LinkState): void {
    if (state === this.current) return;
    this.current = state;
    this.host.state(state);
  }
}
