/** What every part of the view needs: the chat, its state at this drawing, and the words. */
import { createContext } from "preact";
import { useContext } from "preact/hooks";
import type { Chat, State } from "../chat";
import type { Locale, Words } from "../locale";

export interface Shared {
  chat: Chat;
  state: State;
  words: Words;
  locale: Locale;
}

export const SharedContext = createContext<Shared | null>(null);

export function useShared(): Shared {
  const shared = useContext(SharedContext);
  if (!shared) throw new Error("outside of the widget");
  return shared;
}
