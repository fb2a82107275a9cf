import { useState } from "preact/hooks";
import type { Draft } from "../outbox";
import { pieces } from "../links";
import { size, time, type Words } from "../locale";
import type { Attachment, Message } from "../wire";
import { Icon } from "./icons";
import { Row } from "./log";
import { useShared } from "./shared";

interface Place {
  item: Message;
  first: boolean;
  last: boolean;
  /** the newest message of the conversation says how far it got */
  stamp: boolean;
}

export function Bubble({ item, first, last, stamp }: Place) {
  const { words, locale } = useShared();
  if (item.system) {
    return (
      <p class="system">
        {item.text} <time dateTime={item.at}>{time(item.at, locale)}</time>
      </p>
    );
  }
  return (
    <Row side={item.mine ? "mine" : "theirs"} last={last}>
      {first && (item.mine ? <span class="quiet">{words.you}</span> : <span class="author">{item.author}</span>)}
      <Content text={item.text} files={item.attachments} />
      {last && (
        <p class="meta">
          <time dateTime={item.at}>{time(item.at, locale)}</time>
          {stamp && (
            <>
              {" · "}
              {item.state === "seen" || item.state === "read" ? words.seen : words.sent}
            </>
          )}
        </p>
      )}
    </Row>
  );
}

export function PendingBubble({ draft }: { draft: Draft }) {
  const { chat, state, words } = useShared();
  const refused = draft.refused !== null;
  return (
    <Row side="mine" last>
      <div class={refused ? "is-refused" : "is-pending"}>
        <Content text={draft.text} files={draft.attachments} />
      </div>
      {refused ? (
        <p class="meta is-error">
          <Icon name="alert" size={14} />
          {reason(draft.refused, words)}
          <button type="button" class="link" onClick={() => chat.retry(draft.id)}>
            {words.retry}
          </button>
          <button type="button" class="link" onClick={() => chat.discard(draft.id)}>
            {words.discard}
          </button>
        </p>
      ) : (
        <p class="meta">{state.waiting ? words.waiting : words.sending}</p>
      )}
    </Row>
  );
}

function reason(code: string | null, words: Words): string {
  if (code === "rate_limited") return words.tooFast;
  if (code === "too_long" || code === "text_too_long" || code === "too_large") return words.refusedLong;
  return words.failed;
}

function Content({ text, files }: { text: string; files: readonly Attachment[] }) {
  return (
    <>
      {files.map((file) => (
        <Shown key={file.id} file={file} />
      ))}
      {text && (
        <div class="bubble">
          {pieces(text).map((piece, at) =>
            piece.href ? (
              <a key={at} href={piece.href} target="_blank" rel="noopener noreferrer nofollow">
                {piece.text}
              </a>
            ) : (
              piece.text
            ),
          )}
        </div>
      )}
    </>
  );
}

/** The types a server re-encodes and serves inline; anything else is a file to download. */
const INLINE = /^image\/(png|jpeg|gif|webp)$/;
const BOX = 220;

function Shown({ file }: { file: Attachment }) {
  const { chat, words } = useShared();
  const [broken, setBroken] = useState(false);
  const url = chat.api.file(file.url);
  if (url && !broken && INLINE.test(file.mime)) {
    const scale = file.width && file.height ? Math.min(1, BOX / file.width, BOX / file.height) : null;
    const box = scale ? { width: Math.round((file.width ?? 0) * scale), height: Math.round((file.height ?? 0) * scale) } : {};
    return (
      <a class="picture" href={url} target="_blank" rel="noopener noreferrer">
        <img src={url} alt={file.name || words.image} {...box} loading="lazy" decoding="async" onError={() => setBroken(true)} />
      </a>
    );
  }
  const body = (
    <>
      <Icon name="file" />
      <span class="file-name">{file.name}</span>
      <span class="file-size">{size(file.size)}</span>
    </>
  );
  return url ? (
    <a class="file" href={url} target="_blank" rel="noopener noreferrer" download={file.name}>
      {body}
    </a>
  ) : (
    <span class="file">{body}</span>
  );
}
