/** The files of the hosted form: a list under the file field, each file going up as soon as it is chosen. */
import { size } from "../locale";
import { attachment } from "../wire";
import type { FormWords } from "./words";

const MOST_BYTES = 25 * 1024 * 1024;
const MOST_FILES = 5;

interface Item {
  key: string;
  file: File;
  row: HTMLLIElement;
  state: HTMLSpanElement;
  stored: string | null;
  failed: boolean;
  request: XMLHttpRequest | null;
}

export class FormFiles {
  private items: Item[] = [];
  private readonly list = document.createElement("ul");
  private readonly fault = document.createElement("p");

  constructor(
    private readonly input: HTMLInputElement,
    private readonly url: string,
    private readonly words: FormWords,
    private readonly id: () => string,
  ) {
    this.list.className = "files";
    this.fault.className = "fault";
    this.fault.setAttribute("role", "alert");
    input.after(this.fault, this.list);
    input.addEventListener("change", () => {
      this.add([...(input.files ?? [])]);
      input.value = "";
    });
  }

  get busy(): boolean {
    return this.items.some((item) => item.request !== null);
  }

  /** Ids of what has arrived; a file that failed is shown as such and is not part of the message. */
  get ids(): string[] {
    return this.items.map((item) => item.stored).filter((id) => id !== null);
  }

  get failed(): boolean {
    return this.items.some((item) => item.failed);
  }

  add(files: File[]): void {
    const room = MOST_FILES - this.items.length;
    this.fault.textContent = files.length > room ? this.words.tooMany(MOST_FILES) : "";
    for (const file of files.slice(0, Math.max(0, room))) {
      if (file.size > MOST_BYTES) this.fault.textContent = `${file.name}: ${this.words.tooLarge(size(MOST_BYTES))}`;
      else if (file.size === 0) this.fault.textContent = `${file.name}: ${this.words.empty}`;
      else this.upload(this.show(file));
    }
  }

  private show(file: File): Item {
    const row = document.createElement("li");
    const name = document.createElement("span");
    const state = document.createElement("span");
    const remove = document.createElement("button");
    name.className = "file-name";
    name.textContent = file.name;
    state.className = "file-state";
    remove.type = "button";
    remove.textContent = "×";
    remove.setAttribute("aria-label", this.words.remove(file.name));
    row.append(name, state, remove);
    this.list.append(row);
    const item: Item = { key: this.id(), file, row, state, stored: null, failed: false, request: null };
    remove.addEventListener("click", () => this.remove(item));
    this.items.push(item);
    return item;
  }

  private remove(item: Item): void {
    item.request?.abort();
    item.row.remove();
    this.items = this.items.filter((other) => other !== item);
    this.input.focus();
  }

  private upload(item: Item): void {
    const request = new XMLHttpRequest();
    item.request = request;
    item.failed = false;
    item.row.classList.remove("is-broken");
    item.state.textContent = "0%";
    request.open("POST", this.url);
    request.setRequestHeader("Idempotency-Key", item.key);
    request.setRequestHeader("X-Steward-Client", "form");
    request.upload.onprogress = (event) => {
      if (event.lengthComputable) item.state.textContent = `${Math.floor((event.loaded / event.total) * 100)}%`;
    };
    request.onloadend = () => {
      item.request = null;
      const stored = request.status >= 200 && request.status < 300 ? attachment(parse(request.responseText)) : null;
      if (!stored) return this.broken(item, request.status);
      item.stored = stored.id;
      item.state.textContent = size(item.file.size);
    };
    const body = new FormData();
    body.append("file", item.file, item.file.name);
    request.send(body);
  }

  private broken(item: Item, status: number): void {
    item.failed = true;
    item.row.classList.add("is-broken");
    item.state.textContent = status === 413 ? this.words.tooLarge(size(MOST_BYTES)) : `${this.words.uploadFailed} `;
    if (status === 413) return;
    const again = document.createElement("button");
    again.type = "button";
    again.className = "link";
    again.textContent = this.words.retry;
    again.addEventListener("click", () => this.upload(item));
    item.state.append(again);
  }
}

function parse(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return null;
  }
}
