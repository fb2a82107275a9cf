import { useEffect, useRef, useState } from "preact/hooks";
import { Failure } from "../api";
import { Icon } from "./icons";
import { useShared } from "./shared";

/** Something before and after one @, a dot in the domain, no blanks: the mail itself is the real check. */
export const looksLikeEmail = (text: string): boolean => text.length <= 254 && /^[^\s@]+@[^\s@.]+(\.[^\s@.]+)+$/.test(text);

/** Asks where the answer shall go when the visitor does not wait for it. */
export function EmailCard({ leaving, done }: { leaving: boolean; done: () => void }) {
  const { chat, words } = useShared();
  const [address, setAddress] = useState("");
  const [error, setError] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);
  const field = useRef<HTMLInputElement>(null);
  useEffect(() => {
    if (leaving) field.current?.focus({ preventScroll: true });
  }, [leaving]);
  const save = async () => {
    const wish = address.trim();
    if (!looksLikeEmail(wish)) {
      setError(words.emailInvalid);
      field.current?.focus();
      return;
    }
    setBusy(true);
    try {
      await chat.email(wish);
      done();
    } catch (reason) {
      setError(reason instanceof Failure && reason.status === 422 ? words.emailInvalid : words.emailFailed);
    } finally {
      setBusy(false);
    }
  };
  const skip = () => {
    chat.out.store.set("email-asked", "1");
    done();
  };
  return (
    <form
      class="email"
      noValidate
      aria-label={words.email}
      onSubmit={(event) => {
        event.preventDefault();
        void save();
      }}
    >
      <p>
        <Icon name="mail" />
        <span>{leaving ? words.emailLeaving : words.emailOffline}</span>
      </p>
      <div class="email-row">
        <input
          ref={field}
          type="email"
          inputMode="email"
          autoComplete="email"
          placeholder="name@example.com"
          aria-label={words.email}
          aria-invalid={error !== null}
          value={address}
          onInput={(event) => {
            setAddress(event.currentTarget.value);
            setError(null);
          }}
        />
        <button type="submit" class="solid" disabled={busy}>
          {words.emailSave}
        </button>
      </div>
      {error && (
        <p class="error" role="alert">
          {error}
        </p>
      )}
      <button type="button" class="link" onClick={skip}>
        {leaving ? words.emailLeave : words.emailSkip}
      </button>
    </form>
  );
}
