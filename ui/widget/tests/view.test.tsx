import { render } from "preact";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { Chat } from "../src/chat";
import { App } from "../src/view/app";
import { sends } from "../src/view/composer";
import { settle, tab, TestServer } from "./server";

let server: TestServer;
let root: HTMLElement;
beforeEach(() => {
  server = new TestServer();
  root = document.createElement("div");
  document.body.append(root);
  vi.stubGlobal("matchMedia", () => ({ matches: false }));
});
afterEach(() => {
  render(null, root);
  root.remove();
  vi.unstubAllGlobals();
});

/** Effects of the view run after the next frame. */
const drawn = async () => {
  await settle();
  await new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve)));
  await settle();
};

async function show(chat: Chat): Promise<void> {
  render(<App chat={chat} />, root);
  await drawn();
}

async function opened(): Promise<Chat> {
  const { chat } = tab(server);
  await show(chat);
  root.querySelector<HTMLElement>(".launcher")?.click();
  await drawn();
  return chat;
}

const area = () => root.querySelector("textarea") as HTMLTextAreaElement;

async function type(text: string): Promise<void> {
  area().value = text;
  area().dispatchEvent(new Event("input", { bubbles: true }));
  await drawn();
}

async function enter(more: Partial<KeyboardEventInit> & { keyCode?: number } = {}): Promise<KeyboardEvent> {
  const event = new KeyboardEvent("keydown", { key: "Enter", bubbles: true, cancelable: true, ...more });
  if (more.keyCode) Object.defineProperty(event, "keyCode", { value: more.keyCode });
  if (more.isComposing) Object.defineProperty(event, "isComposing", { value: true });
  area().dispatchEvent(event);
  await drawn();
  return event;
}

describe("writing", () => {
  test.each([
    ["Enter", { key: "Enter", shiftKey: false, isComposing: false, keyCode: 13 }, true],
    ["Shift+Enter", { key: "Enter", shiftKey: true, isComposing: false, keyCode: 13 }, false],
    ["Enter while composing", { key: "Enter", shiftKey: false, isComposing: true, keyCode: 13 }, false],
    ["Safari's Enter after composing", { key: "Enter", shiftKey: false, isComposing: false, keyCode: 229 }, false],
    ["a letter", { key: "a", shiftKey: false, isComposing: false, keyCode: 65 }, false],
  ])("%s", (_, event, expected) => expect(sends(event)).toBe(expected));

  test("an input method keeps its Enter: nothing is sent before the text is chosen", async () => {
    await opened();
    await type("ni hao");
    const composing = await enter({ isComposing: true });
    const safari = await enter({ keyCode: 229 });
    expect([composing.defaultPrevented, safari.defaultPrevented]).toEqual([false, false]);
    expect(server.posts()).toEqual([]);
    await type("你好");
    await enter();
    expect(server.posts()).toEqual(["你好"]);
    expect(area().value).toBe("");
  });

  test("blank text is not sent, Shift+Enter is a new line", async () => {
    await opened();
    await type("   \n ");
    await enter();
    await type("line");
    await enter({ shiftKey: true });
    expect(server.posts()).toEqual([]);
    expect(root.querySelector<HTMLButtonElement>(".send")?.disabled).toBe(false);
  });

  test("too long a text says by how much", async () => {
    await opened();
    await type("字".repeat(8003));
    expect(root.querySelector(".composer [role=alert]")?.textContent).toContain("3 characters");
    await enter();
    expect(server.posts()).toEqual([]);
  });

  test("half a sentence survives closing the panel", async () => {
    const chat = await opened();
    await type("half a");
    chat.close();
    await drawn();
    chat.open();
    await drawn();
    expect(area().value).toBe("half a");
  });

  test("files that are empty, too large or too many say so, and are not sent", async () => {
    await opened();
    const input = root.querySelector<HTMLInputElement>("input[type=file]") as HTMLInputElement;
    const big = new File(["x"], "big.zip");
    Object.defineProperty(big, "size", { value: 25 * 1024 * 1024 + 1 });
    Object.defineProperty(input, "files", { value: [big, new File([], "empty.txt")], configurable: true });
    input.dispatchEvent(new Event("change", { bubbles: true }));
    await drawn();
    expect([...root.querySelectorAll(".pick-state")].map((item) => item.textContent)).toEqual(["Files can be up to 25 MB", "This file is empty"]);
    await type("with files");
    await enter();
    expect(server.posts()).toEqual([]);
    for (const button of root.querySelectorAll<HTMLElement>(".pick button")) button.click();
    await drawn();
    await enter();
    expect(server.posts()).toEqual(["with files"]);
  });
});

describe("reading", () => {
  test("text is never taken for markup, addresses are safe links", async () => {
    server.says('<img src=x onerror="boom()"> https://a.example/ javascript:boom()');
    await opened();
    expect(root.querySelector(".log img")).toBeNull();
    const links = [...root.querySelectorAll<HTMLAnchorElement>(".bubble a")];
    expect(links.map((link) => [link.getAttribute("href"), link.rel])).toEqual([["https://a.example/", "noopener noreferrer nofollow"]]);
  });

  test("files of another server are named, not loaded", async () => {
    const file = { id: "f", name: "a.png", mime: "image/png", size: 5, width: 4, height: 4 };
    server.says("", { attachments: [{ ...file, url: "https://evil.example/a.png" }, { ...file, id: "g", url: "javascript:boom()" }, { ...file, id: "h", url: "/api/widget/key/attachments/h?t=1" }] });
    await opened();
    expect([...root.querySelectorAll(".log img")].map((item) => item.getAttribute("src"))).toEqual(["https://desk.example/api/widget/key/attachments/h?t=1"]);
    expect(root.querySelectorAll(".log a")).toHaveLength(1);
  });

  test("an SVG is a file, never a picture", async () => {
    server.says("", { attachments: [{ id: "f", name: "x.svg", mime: "image/svg+xml", size: 5, width: 4, height: 4, url: "/f" }] });
    await opened();
    expect(root.querySelector(".log img")).toBeNull();
  });

  test("the conversation is a polite log, the panel a named dialog that Escape closes", async () => {
    const chat = await opened();
    const log = root.querySelector("[role=log]");
    expect([log?.getAttribute("aria-live"), root.querySelector("[role=dialog]")?.getAttribute("aria-label")]).toEqual(["polite", "Shop"]);
    expect(document.activeElement).toBe(area());
    area().dispatchEvent(new KeyboardEvent("keydown", { key: "Escape", bubbles: true }));
    await drawn();
    expect(chat.state.open).toBe(false);
    expect(document.activeElement).toBe(root.querySelector(".launcher"));
  });

  test("the page's shortcuts do not hear what the visitor types", async () => {
    await opened();
    const heard = vi.fn();
    document.addEventListener("keydown", heard);
    area().dispatchEvent(new KeyboardEvent("keydown", { key: "/", bubbles: true, composed: true }));
    document.removeEventListener("keydown", heard);
    expect(heard).not.toHaveBeenCalled();
  });

  test("a visitor who leaves unanswered is asked for an address once, and may just leave", async () => {
    const chat = await opened();
    await type("anyone?");
    await enter();
    const close = () => root.querySelector<HTMLElement>(".head button")?.click();
    close();
    await drawn();
    expect(chat.state.open).toBe(true);
    expect(root.querySelector(".email")?.textContent).toContain("Leave your e-mail");
    root.querySelector<HTMLElement>(".email > .link")?.click();
    await drawn();
    expect(chat.state.open).toBe(false);
    chat.open();
    await drawn();
    close();
    await drawn();
    expect(chat.state.open).toBe(false);
  });

  test("a known or identified visitor, or a channel that does not want to, is not asked", async () => {
    for (const session of [{ claimed_email: "a@b.cn" }, { identified: true }, { ask_email: false }]) {
      server = new TestServer();
      server.session = { ...session, online: false };
      server.says("hi", { mine: true });
      await opened();
      expect(root.querySelector(".email")).toBeNull();
      render(null, root);
    }
  });
});
