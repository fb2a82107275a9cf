import { describe, expect, test } from "vitest";
import { Outbox } from "../src/outbox";
import { Store } from "../src/store";
import { Thread } from "../src/thread";
import { messages } from "../src/wire";
import { MemoryStorage } from "./server";

const DAY = 24 * 3600 * 1000;

function outbox(storage: Storage | null = new MemoryStorage(), now = () => 1000) {
  const store = new Store("key", storage);
  return { box: new Outbox(store, now), store };
}

describe("outbox", () => {
  test("keeps the order of writing even when the clock stands still or goes back", () => {
    let clock = 1000;
    const { box } = outbox(new MemoryStorage(), () => clock);
    box.add("z", "first", []);
    box.add("a", "second", []);
    clock = 10;
    box.add("b", "third", []);
    expect(box.list().map((item) => item.text)).toEqual(["first", "second", "third"]);
  });

  test("two tabs add and remove without undoing each other", () => {
    const storage = new MemoryStorage();
    const [one, two] = [outbox(storage).box, outbox(storage).box];
    one.add("1", "from one", []);
    two.add("2", "from two", []);
    one.remove("1");
    two.add("3", "more", []);
    expect(one.list().map((item) => item.id)).toEqual(["2", "3"]);
  });

  test.each([
    ["not JSON", "{oh"],
    ["null", "null"],
    ["a list", "[]"],
    ["another shape", JSON.stringify({ text: 5, at: 1 })],
    ["no time", JSON.stringify({ text: "x" })],
    ["nothing to send", JSON.stringify({ text: "", attachments: [], at: 1000 })],
    ["odd attachments only", JSON.stringify({ text: "", attachments: [1, { id: 2 }], at: 1000 })],
  ])("drops a stored entry that is %s", (_, stored) => {
    const { box, store } = outbox();
    store.set("out:broken", stored);
    box.add("ok", "fine", []);
    expect(box.list().map((item) => item.id)).toEqual(["ok"]);
    expect(store.get("out:broken")).toBeNull();
  });

  test("keeps a message for two weeks, not longer", () => {
    let clock = 1000;
    const { box } = outbox(new MemoryStorage(), () => clock);
    box.add("1", "hello", []);
    clock = 1000 + 14 * DAY - 1;
    expect(box.list()).toHaveLength(1);
    clock = 1000 + 14 * DAY;
    expect(box.list()).toHaveLength(0);
  });

  test("works from memory when the browser refuses storage", () => {
    const refusing = new MemoryStorage();
    refusing.setItem = () => {
      throw new DOMException("full", "QuotaExceededError");
    };
    for (const storage of [null, refusing]) {
      const { box } = outbox(storage);
      box.add("1", "hello", []);
      expect(box.list().map((item) => item.text)).toEqual(["hello"]);
      box.remove("1");
      expect(box.list()).toEqual([]);
    }
  });

  test("another channel's entries are not touched", () => {
    const storage = new MemoryStorage();
    storage.setItem("steward:other:out:1", "{oh");
    storage.setItem("unrelated", "1");
    const { box } = outbox(storage);
    box.add("1", "hello", []);
    box.clear();
    expect([storage.length, storage.getItem("steward:other:out:1")]).toEqual([2, "{oh"]);
  });
});

describe("thread", () => {
  const item = (id: string, seq: number, text = id) => ({ id, seq, at: "2026-11-22T08:00:00Z", mine: false, author: "Li", text, attachments: [], system: false, state: "sent" });

  test("merges pages in any order, each message once, the later version wins", () => {
    const thread = new Thread();
    expect(thread.stream([item("c", 3), item("a", 1)]).map((one) => one.id)).toEqual(["c", "a"]);
    expect(thread.stream([item("a", 1, "corrected"), item("b", 2)]).map((one) => one.id)).toEqual(["b"]);
    expect(thread.list().map((one) => one.text)).toEqual(["corrected", "b", "c"]);
    expect(thread.cursor).toBe(3);
  });

  test("a message out of order does not move the cursor", () => {
    const thread = new Thread();
    thread.stream([item("a", 1)]);
    thread.put(item("mine", 9));
    expect(thread.cursor).toBe(1);
  });

  test("what is not a message is left out, what is missing gets a plain value", () => {
    expect(messages([null, 1, {}, { id: "x" }, { id: "y", seq: Number.NaN }])).toEqual([]);
    expect(messages([{ id: "z", seq: 4, attachments: [{ id: "f" }, "no"] }])).toEqual([
      { id: "z", seq: 4, at: "", mine: false, author: "", text: "", system: false, state: "", attachments: [{ id: "f", name: "", mime: "", size: 0, url: "", width: null, height: null }] },
    ]);
  });
});
