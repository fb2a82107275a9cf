/**
 * The one file a site includes: `<script src="https://…/widget.js" data-channel="KEY" async></script>`.
 * Attributes of the script tag: data-channel (required), data-locale, data-color, data-identity (signed by the site).
 * `window.stewardChat` then offers open(), close(), identify(jwt) and logout(); "steward-chat-ready" announces it.
 */
import { StewardChat } from "./element";

const script = (document.currentScript ??
  document.querySelector("script[data-channel][src*='/widget.js']")) as HTMLScriptElement | null;

function start({ src, dataset }: HTMLScriptElement): void {
  const channel = dataset.channel;
  if (!channel || customElements.get("steward-chat")) return;
  customElements.define("steward-chat", StewardChat);
  const element = document.createElement("steward-chat") as StewardChat;
  element.setAttribute("channel", channel);
  element.setAttribute("origin", new URL(src).origin);
  if (dataset.locale) element.setAttribute("locale", dataset.locale);
  if (dataset.color) element.setAttribute("color", dataset.color);
  document.body.append(element);
  const { chat } = element;
  if (!chat) return;
  if (dataset.identity) chat.identify(dataset.identity);
  Object.defineProperty(window, "stewardChat", {
    value: Object.freeze({
      open: () => chat.open(),
      close: () => chat.close(),
      identify: (jwt: unknown) => {
        if (typeof jwt === "string") chat.identify(jwt);
      },
      logout: () => chat.forget(),
    }),
  });
  window.dispatchEvent(new Event("steward-chat-ready"));
}

if (script) {
  if (document.body) start(script);
  else document.addEventListener("DOMContentLoaded", () => start(script), { once: true });
}
