/** What every part of the view needs: the chat, its state at this drawing, and the words. */
import type { Chat, State } from "../chat";
import type { Locale, Words } from "../locale";

export interface Shared {
  chat: Chat;
  state: State;
  words: Words;
  locale: Locale;
}

let drawn: Shared | null = null;

/**
 * What the coming drawing is made from. There is one widget in a page, and every change draws all of it from the top,
 * so one value does what a context would, in a tenth of the code.
 */
export function share(shared: Shared): void {
  drawn = shared;
}

export function useShared(): Shared {
  if (!drawn) throw new Error("outside of the widget");
  return drawn;
}
