import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { MOST_BYTES, MOST_FILES, type Files, type Pick } from "../files";
import { size } from "../locale";
import { Icon } from "./icons";
import { useShared } from "./shared";

/** Characters of one message, and the height in pixels at which the box starts to scroll. */
const MOST_TEXT = 8000;
const MOST_HEIGHT = 132;

/**
 * True when this Enter means "send". While an input method composes (Chinese, Japanese, Korean), Enter takes the
 * candidate; Safari reports that very Enter after `compositionend`, recognisable only by its key code 229.
 */
export function sends(event: KeyPart<KeyboardEvent>): boolean {
  return event.key === "Enter" && !event.shiftKey && !event.isComposing && event.keyCode !== 229;
}
type KeyPart<T extends KeyboardEvent> = { [K in "key" | "shiftKey" | "isComposing" | "keyCode"]: T[K] };

export function Composer({ files }: { files: Files }) {
  const { chat, words } = useShared();
  const [text, setText] = useState(() => chat.out.store.get("draft") ?? "");
  const area = useRef<HTMLTextAreaElement>(null);
  const picker = useRef<HTMLInputElement>(null);
  useEffect(() => {
    // Opening a phone's keyboard over the greeting helps nobody; with a mouse at hand typing can start at once.
    if (!matchMedia("(pointer: coarse)").matches) area.current?.focus({ preventScroll: true });
  }, []);
  useLayoutEffect(() => {
    const box = area.current;
    if (!box) return;
    box.style.height = "auto";
    box.style.height = `${Math.min(MOST_HEIGHT, box.scrollHeight)}px`;
  }, [text]);
  const change = (value: string) => {
    setText(value);
    chat.out.store.set("draft", value);
    if (value) chat.typing();
  };
  const excess = [...text.trim()].length - MOST_TEXT;
  const broken = files.picks.some((pick) => pick.error);
  const ready = (text.trim() !== "" || files.ready.length > 0) && !files.busy && !broken && excess <= 0;
  const submit = () => {
    if (!ready) return;
    chat.send(text.trim(), files.ready);
    change("");
    files.clear();
    area.current?.focus();
  };
  const error = files.overflow ? words.tooMany(MOST_FILES) : excess > 0 ? words.tooLong(excess) : null;
  return (
    <form
      class="composer"
      onSubmit={(event) => {
        event.preventDefault();
        submit();
      }}
    >
      {files.picks.length > 0 && (
        <ul class="picks">
          {files.picks.map((pick) => (
            <PickChip key={pick.id} pick={pick} files={files} />
          ))}
        </ul>
      )}
      {error && (
        <p class="error" role="alert">
          {error}
        </p>
      )}
      <div class="bar">
        <button type="button" class="plain" aria-label={words.attach} title={words.attach} onClick={() => picker.current?.click()}>
          <Icon name="clip" />
        </button>
        <input
          ref={picker}
          class="picker"
          type="file"
          multiple
          tabIndex={-1}
          aria-hidden="true"
          onChange={(event) => {
            if (event.currentTarget.files) files.add(event.currentTarget.files);
            event.currentTarget.value = "";
          }}
        />
        <textarea
          ref={area}
          rows={1}
          value={text}
          placeholder={words.placeholder}
          aria-label={words.placeholder}
          enterkeyhint="send"
          onInput={(event) => change(event.currentTarget.value)}
          onKeyDown={(event) => {
            if (!sends(event)) return;
            event.preventDefault();
            submit();
          }}
          onPaste={(event) => {
            const pasted = event.clipboardData?.files;
            if (!pasted?.length) return;
            event.preventDefault();
            files.add(pasted);
          }}
        />
        <button type="submit" class="send" aria-label={words.send} disabled={!ready}>
          <Icon name="send" />
        </button>
      </div>
    </form>
  );
}

function PickChip({ pick, files }: { pick: Pick; files: Files }) {
  const { words } = useShared();
  const [blind, setBlind] = useState(false);
  const problem = pick.error === "too_large" ? words.tooLarge(size(MOST_BYTES)) : pick.error === "empty" ? words.emptyFile : pick.error ? words.uploadFailed : null;
  const percent = Math.floor(pick.part * 100);
  return (
    <li class={problem ? "pick is-broken" : "pick"}>
      {pick.preview && !blind ? <img src={pick.preview} alt="" onError={() => setBlind(true)} /> : <Icon name="file" />}
      <span class="pick-text">
        <span class="file-name">{pick.file.name}</span>
        <span class="pick-state" role={problem ? "alert" : undefined}>
          {problem ?? (pick.stored ? size(pick.file.size) : words.uploading(percent))}
          {pick.error === "failed" && (
            <button type="button" class="link" onClick={() => files.retry(pick.id)}>
              {words.retry}
            </button>
          )}
        </span>
        {!problem && !pick.stored && <progress max={100} value={percent} aria-label={pick.file.name} />}
      </span>
      <button type="button" class="plain is-small" aria-label={words.remove(pick.file.name)} onClick={() => files.remove(pick.id)}>
        <Icon name="close" size={16} />
      </button>
    </li>
  );
}
