import { useEffect, useRef, useState } from "preact/hooks";
import { Files } from "../files";
import { Composer } from "./composer";
import { EmailCard } from "./email-card";
import { Icon } from "./icons";
import { Log } from "./log";
import { useShared } from "./shared";

const PHONE = "(max-width: 480px)";

export function Panel() {
  const { chat, state, words } = useShared();
  const panel = useRef<HTMLDivElement>(null);
  const [leaving, setLeaving] = useState(false);
  const [dragging, setDragging] = useState(false);
  const [, redraw] = useState(0);
  const files = useRef<Files>(undefined);
  files.current ??= new Files(chat, () => redraw((count) => count + 1));
  useEffect(() => () => files.current?.clear(), []);
  usePhoneViewport(panel);

  const { session, phase } = state;
  const mine = state.messages.some((item) => item.mine) || state.pending.length > 0;
  const skipped = chat.out.store.get("email-asked") === "1";
  const reachable = !session || !session.ask_email || session.claimed_email || session.identified || skipped;
  const unanswered = state.pending.length > 0 || state.messages.findLast((item) => !item.system)?.mine === true;
  const close = () => {
    if (!leaving && unanswered && mine && !reachable) setLeaving(true);
    else chat.close();
  };
  const keys = (event: KeyboardEvent) => {
    // The page's own shortcuts must not fire while the visitor types here.
    event.stopPropagation();
    if (event.key === "Escape" && !event.isComposing) close();
    if (event.key === "Tab" && matchMedia(PHONE).matches) trap(event, panel.current);
  };
  const drop = (event: DragEvent) => {
    event.preventDefault();
    setDragging(false);
    if (event.dataTransfer?.files.length) files.current?.add(event.dataTransfer.files);
  };
  const name = session?.brand || words.chat;
  return (
    <div
      ref={panel}
      class="panel"
      role="dialog"
      aria-label={name}
      onKeyDown={keys}
      onKeyUp={(event) => event.stopPropagation()}
      onKeyPress={(event) => event.stopPropagation()}
      onDragOver={(event) => {
        event.preventDefault();
        setDragging(event.dataTransfer?.types.includes("Files") ?? false);
      }}
      onDragLeave={(event) => !panel.current?.contains(event.relatedTarget as Node | null) && setDragging(false)}
      onDrop={drop}
    >
      <div class="head">
        <span class="mark" aria-hidden="true">
          {session?.brand ? [...session.brand][0] : <Icon name="chat" size={22} />}
        </span>
        <div class="title">
          <h2>{name}</h2>
          <p class={session?.online ? "status is-online" : "status"}>
            {session ? (session.online ? words.online : words.offline) : phase === "unavailable" ? "" : words.connecting}
          </p>
        </div>
        <button type="button" class="plain" aria-label={words.minimize} onClick={close}>
          <Icon name="close" />
        </button>
      </div>
      <Notices />
      {phase === "unavailable" ? (
        <div class="gone" role="alert">
          <Icon name="alert" size={28} />
          <p>{words.unavailable}</p>
        </div>
      ) : (
        <>
          <Log />
          {session && !session.online && mine && !reachable && !leaving && <EmailCard leaving={false} done={() => redraw((count) => count + 1)} />}
          {leaving && <EmailCard leaving done={() => chat.close()} />}
          <Composer files={files.current} />
        </>
      )}
      {dragging && <div class="drop">{words.drop}</div>}
    </div>
  );
}

/** Where the visitor stands in the queue, and whether the line to us is broken. */
function Notices() {
  const { state, words } = useShared();
  const { queue } = state;
  const wait = queue?.expected_wait_seconds == null ? "" : words.wait(Math.round(queue.expected_wait_seconds / 60));
  const broken = state.session !== null && state.link === "down";
  return (
    <div role="status">
      {broken && (
        <p class="notice is-warning">
          <Icon name="alert" size={16} />
          {words.reconnecting}
        </p>
      )}
      {queue && !broken && (
        <p class="notice">
          <Icon name="clock" size={16} />
          {queue.position > 1 ? words.ahead(queue.position - 1, wait) : words.next(wait)}
        </p>
      )}
    </div>
  );
}

/** On a phone the panel covers the page, so the focus stays inside. */
function trap(event: KeyboardEvent, panel: HTMLElement | null): void {
  const stops = [...(panel?.querySelectorAll<HTMLElement>("button:not(:disabled), textarea, input, a[href], [tabindex='0']") ?? [])];
  const root = panel?.getRootNode() as ShadowRoot | undefined;
  const edge = event.shiftKey ? stops[0] : stops.at(-1);
  if (!edge || root?.activeElement !== edge) return;
  event.preventDefault();
  (event.shiftKey ? stops.at(-1) : stops[0])?.focus();
}

/** The on-screen keyboard shrinks the visible part of the page, which CSS alone does not learn everywhere. */
function usePhoneViewport(panel: { current: HTMLDivElement | null }): void {
  useEffect(() => {
    const view = window.visualViewport;
    if (!view) return;
    const fit = () => {
      const phone = matchMedia(PHONE).matches;
      panel.current?.style.setProperty("height", phone ? `${view.height}px` : "");
      panel.current?.style.setProperty("top", phone ? `${view.offsetTop}px` : "");
    };
    fit();
    view.addEventListener("resize", fit);
    view.addEventListener("scroll", fit);
    return () => {
      view.removeEventListener("resize", fit);
      view.removeEventListener("scroll", fit);
    };
  }, []);
}
