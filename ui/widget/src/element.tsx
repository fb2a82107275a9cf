/**
 * `<steward-chat>`: the widget in a shadow root. It reads its attributes once, when it is put into the page, freezes
 * them, and touches nothing of the page around it.
 */
import { render } from "preact";
import { Chat, type Config } from "./chat";
import { brand } from "./color";
import { choose } from "./locale";
import { browserStorage, Store } from "./store";
import css from "./styles.css?inline";
import { uuid } from "./uuid";
import { App } from "./view/app";

const alone = async (name: string, work: () => Promise<void>): Promise<void> => {
  try {
    if (navigator.locks) return await navigator.locks.request(name, work);
  } catch {
    // no locks for this page; ids keep a message sent by two tabs single
  }
  return work();
};

export class StewardChat extends HTMLElement {
  #chat: Chat | null = null;
  #stop = new AbortController();

  connectedCallback(): void {
    const channel = this.getAttribute("channel");
    const origin = this.getAttribute("origin");
    if (this.#chat || !channel || !origin) return;
    const locale = choose(this.getAttribute("locale"), navigator.languages);
    const config: Config = Object.freeze({ channel, origin, locale });
    const store = new Store(channel, browserStorage("localStorage"));
    const chat = new Chat(config, {
      store,
      alone,
      fetch: (url, init) => fetch(url, init),
      socket: (url) => new WebSocket(url),
      now: () => Date.now(),
      random: () => Math.random(),
      id: () => uuid(),
      page: () => location.origin + location.pathname,
      visible: () => document.visibilityState === "visible",
    });
    this.#chat = chat;
    const root = this.shadowRoot ?? this.attachShadow({ mode: "open" });
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(css);
    root.adoptedStyleSheets = [sheet];
    const paint = () => {
      const { color, ink } = brand(chat.state.session?.color || this.getAttribute("color") || store.get("color"));
      this.style.setProperty("--brand", color);
      this.style.setProperty("--ink", ink);
    };
    paint();
    chat.subscribe(paint);
    this.#remember(chat);
    this.#listen(chat, store);
    render(<App chat={chat} />, root);
  }

  disconnectedCallback(): void {
    this.#stop.abort();
    this.#stop = new AbortController();
    this.#chat?.rest();
    this.#chat = null;
    if (this.shadowRoot) render(null, this.shadowRoot);
  }

  get chat(): Chat | null {
    return this.#chat;
  }

  /** The panel stays open from page to page of one visit, as long as there is room for both. */
  #remember(chat: Chat): void {
    const visit = new Store(chat.config.channel, browserStorage("sessionStorage"));
    if (visit.get("open") && matchMedia("(min-width: 481px)").matches) chat.open();
    else chat.resume();
    chat.subscribe(() => {
      if (chat.state.open !== (visit.get("open") === "1")) {
        if (chat.state.open) visit.set("open", "1");
        else visit.remove("open");
      }
    });
  }

  #listen(chat: Chat, store: Store): void {
    const { signal } = this.#stop;
    const wake = () => document.visibilityState === "visible" && chat.wake();
    window.addEventListener("online", wake, { signal });
    document.addEventListener("visibilitychange", wake, { signal });
    window.addEventListener("pageshow", (event) => event.persisted && wake(), { signal });
    window.addEventListener("offline", () => chat.offline(), { signal });
    window.addEventListener(
      "storage",
      (event) => {
        const name = store.owns(event.key);
        if (name) chat.shared(name);
      },
      { signal },
    );
  }
}
