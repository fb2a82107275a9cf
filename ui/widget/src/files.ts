/** The files the visitor is about to send: each goes up at once, and can be removed or tried again. */
import { Failure, type Upload } from "./api";
import type { Chat } from "./chat";
import type { Attachment } from "./wire";

/** Bytes of one file, and files of one message. */
export const MOST_BYTES = 25 * 1024 * 1024;
export const MOST_FILES = 5;

export interface Pick {
  id: string;
  file: File;
  /** 0..1 while going up */
  part: number;
  stored: Attachment | null;
  /** a word that the view turns into a sentence */
  error: "too_large" | "empty" | "failed" | null;
  preview: string | null;
}

export class Files {
  picks: readonly Pick[] = [];
  overflow = false;
  private readonly uploads = new Map<string, Upload>();

  constructor(
    private readonly chat: Chat,
    private readonly changed: () => void,
  ) {}

  get busy(): boolean {
    return this.picks.some((pick) => !pick.stored && !pick.error);
  }

  get ready(): Attachment[] {
    return this.picks.map((pick) => pick.stored).filter((stored) => stored !== null);
  }

  add(files: Iterable<File>): void {
    const all = [...files];
    const taken = all.slice(0, Math.max(0, MOST_FILES - this.picks.length));
    this.overflow = taken.length < all.length;
    for (const file of taken) {
      const id = this.chat.out.id();
      const error = file.size > MOST_BYTES ? "too_large" : file.size === 0 ? "empty" : null;
      const preview = !error && /^image\/(png|jpeg|gif|webp)$/.test(file.type) ? URL.createObjectURL(file) : null;
      this.picks = [...this.picks, { id, file, part: 0, stored: null, error, preview }];
      if (!error) void this.upload(id);
    }
    this.changed();
  }

  retry(id: string): void {
    this.change(id, { error: null, part: 0 });
    void this.upload(id);
  }

  remove(id: string): void {
    this.uploads.get(id)?.cancel();
    this.uploads.delete(id);
    const gone = this.picks.find((pick) => pick.id === id);
    if (gone?.preview) URL.revokeObjectURL(gone.preview);
    this.picks = this.picks.filter((pick) => pick.id !== id);
    this.overflow = false;
    this.changed();
  }

  clear(): void {
    for (const pick of this.picks) this.remove(pick.id);
  }

  private async upload(id: string): Promise<void> {
    try {
      const ticket = await this.chat.ticket();
      const stored = await this.attempt(id, ticket).catch(async (error: unknown) => {
        // The visitor became somebody else while it went up, or the session ended: once more with a token of now.
        if ((error as Failure).status !== 401) throw error;
        return this.attempt(id, await this.chat.ticket(ticket));
      });
      if (stored) this.change(id, { stored, part: 1 });
    } catch (error) {
      this.change(id, { error: error instanceof Failure && error.status === 413 ? "too_large" : "failed" });
    } finally {
      this.uploads.delete(id);
    }
  }

  /** Null when the visitor has removed it meanwhile. */
  private async attempt(id: string, ticket: string): Promise<Attachment | null> {
    const pick = this.picks.find((item) => item.id === id);
    if (!pick) return null;
    const upload = this.chat.api.upload(ticket, pick.file, pick.file.name || "image.png", id, (part) => this.change(id, { part }));
    this.uploads.set(id, upload);
    return upload.done;
  }

  private change(id: string, change: Partial<Pick>): void {
    this.picks = this.picks.map((pick) => (pick.id === id ? { ...pick, ...change } : pick));
    this.changed();
  }
}
