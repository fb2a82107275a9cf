import { Fragment, type ComponentChildren } from "preact";
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { day, dayKey } from "../locale";
import type { Message } from "../wire";
import { Bubble, PendingBubble } from "./bubble";
import { Icon } from "./icons";
import { useShared } from "./shared";

/** Pixels from the end within which the visitor counts as reading the end. */
const NEAR = 80;
/** Milliseconds between two messages of one author that are drawn as one group. */
const GROUP = 5 * 60_000;

export function Log() {
  const { chat, state, words } = useShared();
  const box = useRef<HTMLDivElement>(null);
  const atEnd = useRef(true);
  const [missed, setMissed] = useState(0);
  const [away, setAway] = useState(false);
  const known = useRef(state.messages.length);
  const { messages, pending, session } = state;
  const toEnd = () => {
    if (box.current) box.current.scrollTop = box.current.scrollHeight;
  };
  useLayoutEffect(() => {
    const fresh = messages.slice(known.current);
    known.current = messages.length;
    if (atEnd.current || fresh.some((item) => item.mine)) toEnd();
    else if (fresh.length) setMissed((count) => count + fresh.length);
  }, [messages]);
  useLayoutEffect(toEnd, [pending.length]);
  useLayoutEffect(() => {
    if (atEnd.current) toEnd();
  }, [state.typing, session]);
  useEffect(() => {
    // Images and the keyboard change heights after the drawing.
    if (!box.current || typeof ResizeObserver === "undefined") return;
    const watcher = new ResizeObserver(() => atEnd.current && toEnd());
    watcher.observe(box.current);
    if (box.current.firstElementChild) watcher.observe(box.current.firstElementChild);
    return () => watcher.disconnect();
  }, []);
  const scrolled = () => {
    const area = box.current;
    if (!area) return;
    atEnd.current = area.scrollHeight - area.scrollTop - area.clientHeight < NEAR;
    setAway(!atEnd.current);
    if (atEnd.current) setMissed(0);
  };
  const lastMine = pending.length ? null : messages.findLast((item) => !item.system);
  return (
    <div class="log-frame">
      <div ref={box} class="log" role="log" aria-live="polite" aria-label={words.log} tabIndex={0} onScroll={scrolled}>
        <div class="log-content">
          {session || state.pending.length ? <Greeting /> : <Skeleton />}
          {messages.map((item, at) => {
            const before = messages[at - 1];
            const after = messages[at + 1];
            return (
              <Fragment key={item.id}>
                {(!before || dayKey(before.at) !== dayKey(item.at)) && <Day at={item.at} now={chat.out.now()} />}
                <Bubble item={item} first={!joined(before, item)} last={!joined(item, after)} stamp={item === lastMine && item.mine} />
              </Fragment>
            );
          })}
          {pending.map((draft) => (
            <PendingBubble key={draft.id} draft={draft} />
          ))}
        </div>
        {state.typing !== null && (
          <p class="typing">
            <span class="dots" aria-hidden="true">
              <i />
              <i />
              <i />
            </span>
            {words.typing(state.typing)}
          </p>
        )}
      </div>
      {away && (
        <button type="button" class="to-end" aria-label={words.toBottom} onClick={toEnd}>
          {missed > 0 && words.fresh(missed)}
          <Icon name="down" size={16} />
        </button>
      )}
    </div>
  );
}

function joined(one: Message | undefined, next: Message | undefined): boolean {
  if (!one || !next || one.system || next.system) return false;
  if (one.mine !== next.mine || one.author !== next.author || dayKey(one.at) !== dayKey(next.at)) return false;
  return Date.parse(next.at) - Date.parse(one.at) < GROUP;
}

function Day({ at, now }: { at: string; now: number }) {
  const { locale } = useShared();
  return (
    <p class="day">
      <span>{day(at, now, locale)}</span>
    </p>
  );
}

function Greeting() {
  const { state, words } = useShared();
  return (
    <Row side="theirs" last>
      <div class="bubble">{state.session?.greeting || words.greeting}</div>
    </Row>
  );
}

export function Row({ side, last, children }: { side: "mine" | "theirs"; last: boolean; children: ComponentChildren }) {
  return <div class={`row is-${side}${last ? " is-last" : ""}`}>{children}</div>;
}

function Skeleton() {
  return (
    <div class="skeleton" aria-hidden="true">
      <i />
      <i />
    </div>
  );
}
