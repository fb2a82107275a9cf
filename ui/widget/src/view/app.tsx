import { useEffect, useRef, useState } from "preact/hooks";
import type { Chat } from "../chat";
import { words } from "../locale";
import { Icon } from "./icons";
import { Panel } from "./panel";
import { share } from "./shared";

export function App({ chat }: { chat: Chat }) {
  const [, redraw] = useState(0);
  useEffect(() => chat.subscribe(() => redraw((count) => count + 1)), [chat]);
  const { state } = chat;
  const locale = chat.config.locale;
  const text = words[locale];
  const launcher = useRef<HTMLButtonElement>(null);
  const wasOpen = useRef(state.open);
  useEffect(() => {
    // Focus goes back to where the visitor came from, but is not taken from the page when nothing was open.
    if (wasOpen.current && !state.open) launcher.current?.focus({ preventScroll: true });
    wasOpen.current = state.open;
  }, [state.open]);
  share({ chat, state, words: text, locale });
  return (
    <div class={state.open ? "root is-open" : "root"} lang={locale}>
      {state.open && <Panel />}
      <button
        ref={launcher}
        type="button"
        class="launcher"
        aria-expanded={state.open}
        aria-label={state.open ? text.minimize : state.unread ? text.unread(state.unread) : text.launch}
        onClick={() => (state.open ? chat.close() : chat.open())}
      >
        <Icon name={state.open ? "down" : "chat"} size={26} />
        {!state.open && state.unread > 0 && <span class="badge">{state.unread > 99 ? "99+" : state.unread}</span>}
      </button>
      <div class="quiet" role="status">
        {!state.open && state.unread > 0 ? text.fresh(state.unread) : ""}
      </div>
    </div>
  );
}
