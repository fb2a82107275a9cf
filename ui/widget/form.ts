/**
 * Makes the server-rendered contact form comfortable. Expects `<form data-steward-form data-api="/api/form/KEY"
 * data-upload="/api/form/KEY/attachments">` with fields name, email, subject, text, optionally a file input `files`,
 * and a `[data-form-status]` element. Without `data-upload` the file field is taken away.
 */
import { FormFiles } from "./src/form/attachments";
import { Delivery, type Content, type Outcome } from "./src/form/delivery";
import { digestOf } from "./src/form/proof";
import { formWords, type FormWords } from "./src/form/words";
import { choose } from "./src/locale";
import { browserStorage, Store } from "./src/store";
import { uuid } from "./src/uuid";

type Field = HTMLInputElement | HTMLTextAreaElement | HTMLSelectElement;
const NAMES = ["name", "email", "subject", "text"] as const;

export class HostedForm {
  private readonly words: FormWords;
  private readonly delivery: Delivery;
  private readonly files: FormFiles | null;
  private readonly draft: Store;
  private busy = false;

  constructor(private readonly form: HTMLFormElement) {
    const api = form.dataset.api ?? "";
    this.words = formWords[choose(document.documentElement.lang, navigator.languages)];
    this.draft = new Store(`form:${api}`, browserStorage("sessionStorage"));
    this.delivery = new Delivery({
      url: api,
      fetch: (url, init) => fetch(url, { ...init, credentials: "same-origin" }),
      id: () => uuid(),
      now: () => Date.now(),
      digest: digestOf(globalThis.crypto?.subtle),
      pause: (wait) => new Promise((resolve) => setTimeout(resolve, wait)),
    });
    this.files = this.uploads();
    form.noValidate = true;
    form.addEventListener("focusin", () => this.delivery.prepare(), { once: true });
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      void this.submit();
    });
    for (const field of this.fields()) this.attend(field);
  }

  private uploads(): FormFiles | null {
    const input = this.form.elements.namedItem("files");
    if (!(input instanceof HTMLInputElement)) return null;
    const place = input.closest<HTMLElement>("[data-field]") ?? input;
    const url = this.form.dataset.upload;
    if (!url) {
      place.remove();
      return null;
    }
    // Files go up by script only, so the page shows the field only with one.
    place.hidden = false;
    return new FormFiles(input, url, this.words, () => uuid());
  }

  private fields(): Field[] {
    return NAMES.map((name) => this.form.elements.namedItem(name)).filter(
      (item) => item instanceof HTMLInputElement || item instanceof HTMLTextAreaElement || item instanceof HTMLSelectElement,
    );
  }

  /** What was typed survives a reload of this tab; complaints come when a field is left, and go as soon as it is right. */
  private attend(field: Field): void {
    const kept = this.draft.get(field.name);
    if (kept && !field.value) field.value = kept;
    field.addEventListener("input", () => {
      this.draft.set(field.name, field.value);
      if (field.getAttribute("aria-invalid") === "true") this.complain(field, this.fault(field));
    });
    field.addEventListener("blur", () => field.value && this.complain(field, this.fault(field)));
  }

  private fault(field: Field): string | null {
    if (field.required && !field.value.trim()) return this.words.required;
    if (field.validity.typeMismatch && field.type === "email") return this.words.email;
    if (field.validity.tooLong) return this.words.tooLong;
    return field.validity.valid ? null : this.words.invalid;
  }

  private complain(field: Field, fault: string | null): void {
    const id = `${field.name}-fault`;
    let line = document.getElementById(id);
    if (!line) {
      line = document.createElement("p");
      line.id = id;
      line.className = "fault";
      field.after(line);
      field.setAttribute("aria-describedby", [field.getAttribute("aria-describedby"), id].filter(Boolean).join(" "));
    }
    line.textContent = fault ?? "";
    if (fault) field.setAttribute("aria-invalid", "true");
    else field.removeAttribute("aria-invalid");
  }

  private status(text: string, bad = false): void {
    const line = this.form.querySelector("[data-form-status]");
    if (!line) return;
    line.textContent = text;
    line.classList.toggle("is-bad", bad);
  }

  private async submit(): Promise<void> {
    if (this.busy) return;
    const wrong = this.fields().filter((field) => {
      const fault = this.fault(field);
      this.complain(field, fault);
      return fault !== null;
    });
    if (wrong[0]) return wrong[0].focus();
    if (this.files?.busy) return this.status(this.words.uploading);
    if (this.files?.failed) return this.status(this.words.uploadFailed, true);
    this.lock(true);
    this.status(this.words.sending);
    const value = (name: string) => this.fields().find((field) => field.name === name)?.value.trim() ?? "";
    const content: Content = {
      name: value("name"),
      email: value("email"),
      subject: value("subject"),
      text: value("text"),
      attachments: this.files?.ids ?? [],
    };
    const outcome = await this.delivery.send(content);
    this.lock(false);
    this.show(outcome);
  }

  private lock(busy: boolean): void {
    this.busy = busy;
    const button = this.form.querySelector<HTMLButtonElement>("button[type=submit]");
    button?.setAttribute("aria-disabled", String(busy));
    this.form.setAttribute("aria-busy", String(busy));
  }

  private show(outcome: Outcome): void {
    if (outcome.kind === "done") return this.thanks(outcome.number, outcome.tracking);
    if (outcome.kind !== "refused") return this.status(outcome.kind === "busy" ? this.words.busy : this.words.network, true);
    const marked = this.fields().filter((field) => Object.hasOwn(outcome.fields, field.name));
    for (const field of marked) this.complain(field, this.sentence(outcome.fields[field.name] ?? "", field));
    marked[0]?.focus();
    this.status(marked.length ? this.words.refused : this.words.network, true);
  }

  private sentence(code: string, field: Field): string {
    if (code === "required" || code === "empty") return this.words.required;
    if (code.includes("long")) return this.words.tooLong;
    return field.type === "email" ? this.words.email : this.words.invalid;
  }

  private thanks(number: string, tracking: string | null): void {
    for (const name of NAMES) this.draft.remove(name);
    const box = document.createElement("section");
    box.className = "thanks";
    const title = document.createElement("h2");
    title.textContent = this.words.doneTitle;
    title.tabIndex = -1;
    const text = document.createElement("p");
    text.textContent = this.words.done(number);
    box.append(title, text);
    const link = (label: string, href: string) => {
      const anchor = document.createElement("a");
      anchor.href = href;
      anchor.textContent = label;
      box.append(anchor);
    };
    if (tracking && new URL(tracking, location.href).origin === location.origin) link(this.words.track, tracking);
    link(this.words.another, location.href);
    this.form.replaceWith(box);
    title.focus();
  }
}

const form = document.querySelector<HTMLFormElement>("form[data-steward-form]");
if (form) new HostedForm(form);
