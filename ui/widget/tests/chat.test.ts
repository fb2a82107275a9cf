import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { MemoryStorage, settle, tab, TestServer, texts, waiting } from "./server";

let server: TestServer;
beforeEach(() => {
  vi.useFakeTimers({ now: 1_800_000_000_000 });
  server = new TestServer();
});
afterEach(() => vi.useRealTimers());

const later = async (milliseconds: number) => {
  await vi.advanceTimersByTimeAsync(milliseconds);
  await settle();
};

describe("sending", () => {
  test("a message goes out once and is confirmed", async () => {
    const { chat } = tab(server);
    chat.open();
    await settle();
    chat.send("hello", []);
    expect(waiting(chat)).toEqual(["hello"]);
    await settle();
    expect([texts(chat), waiting(chat)]).toEqual([["hello"], []]);
    const post = server.calls.find((call) => call.path === "/messages" && call.method === "POST");
    expect(post?.headers["Idempotency-Key"]).toBe(post?.body?.id);
  });

  test("written without a network, sent in order after a reload", async () => {
    const storage = new MemoryStorage();
    server.mode = "down";
    const first = tab(server, storage);
    first.chat.open();
    await settle();
    for (const text of ["one", "two", "three"]) first.chat.send(text, []);
    await later(5_000);
    expect(first.chat.state.waiting).toBe(true);
    first.chat.rest();

    server.mode = "up";
    const second = tab(server, storage);
    expect(waiting(second.chat)).toEqual(["one", "two", "three"]);
    second.chat.resume();
    await settle();
    expect([texts(second.chat), waiting(second.chat)]).toEqual([["one", "two", "three"], []]);
    expect(server.posts()).toEqual(["one", "two", "three"]);
  });

  test("an answer that got lost leads to no second message", async () => {
    const { chat } = tab(server);
    chat.open();
    await settle();
    server.mode = "lose";
    chat.send("once", []);
    await later(1_500);
    expect(server.posts().length).toBeGreaterThan(1);
    server.mode = "up";
    await later(30_000);
    expect(server.items.map((item) => item.text)).toEqual(["once"]);
    expect([texts(chat), waiting(chat)]).toEqual([["once"], []]);
  });

  test("a passing failure stops the later ones too, so that the order holds", async () => {
    const { chat } = tab(server);
    chat.open();
    await settle();
    server.scripted.push({ path: "/messages", status: 503 });
    chat.send("first", []);
    chat.send("second", []);
    await settle();
    expect(server.posts()).toEqual(["first"]);
    await later(2_000);
    expect(server.items.map((item) => item.text)).toEqual(["first", "second"]);
  });

  test("the server's Retry-After is kept", async () => {
    const { chat } = tab(server);
    chat.open();
    await settle();
    server.scripted.push({ path: "/messages", status: 429, body: { code: "rate_limited" }, headers: { "Retry-After": "12" } });
    chat.send("calm", []);
    await later(11_000);
    expect(server.posts()).toEqual(["calm"]);
    await later(1_500);
    expect(server.posts()).toEqual(["calm", "calm"]);
    expect(waiting(chat)).toEqual([]);
  });

  test("a refused message is shown as such, holds up nobody, and can be tried again or deleted", async () => {
    const { chat } = tab(server);
    chat.open();
    await settle();
    server.scripted.push({ path: "/messages", status: 422, body: { code: "too_long" } });
    chat.send("bad", []);
    chat.send("good", []);
    await settle();
    expect(texts(chat)).toEqual(["good"]);
    expect(chat.state.pending.map((item) => [item.text, item.refused])).toEqual([["bad", "too_long"]]);
    await later(60_000);
    expect(server.posts().filter((text) => text === "bad")).toHaveLength(1);

    chat.retry(chat.state.pending[0]?.id ?? "");
    await settle();
    expect(texts(chat)).toEqual(["good", "bad"]);
    server.scripted.push({ path: "/messages", status: 422 });
    chat.send("never mind", []);
    await settle();
    chat.discard(chat.state.pending[0]?.id ?? "");
    expect(waiting(chat)).toEqual([]);
  });

  test("an id that is taken is replaced on the next try", async () => {
    const { chat } = tab(server);
    chat.open();
    await settle();
    server.scripted.push({ path: "/messages", status: 422, body: { code: "idempotency_key_reused" } });
    chat.send("mine", []);
    await settle();
    const before = chat.state.pending[0]?.id ?? "";
    chat.retry(before);
    await settle();
    expect(chat.state.messages.map((item) => item.text)).toEqual(["mine"]);
    expect(chat.state.messages[0]?.id).not.toBe(before);
  });

  test("two tabs of one visitor send one message, and both show it", async () => {
    const storage = new MemoryStorage();
    const one = tab(server, storage);
    one.chat.open();
    await settle();
    const two = tab(server, storage);
    two.chat.open();
    await settle();
    one.chat.send("shared", []);
    two.chat.shared(`out:${one.chat.state.pending[0]?.id}`);
    expect(waiting(two.chat)).toEqual(["shared"]);
    await later(3_000);
    expect(server.items.map((item) => item.text)).toEqual(["shared"]);
    const other = server.sockets[1];
    other?.onopen?.(new Event("open"));
    other?.say({ t: "ready" });
    await settle();
    expect([texts(two.chat), waiting(two.chat)]).toEqual([["shared"], []]);
  });
});

describe("receiving", () => {
  test("what the socket and the answer both bring is shown once, in the server's order", async () => {
    const { chat } = tab(server);
    chat.open();
    await settle();
    const socket = await server.ready();
    server.says("agent before");
    chat.send("mine", []);
    await settle();
    socket.say({ t: "messages", items: server.items });
    socket.say({ t: "messages", items: server.items });
    expect(texts(chat)).toEqual(["agent before", "mine"]);
  });

  test("our own answer does not hide an agent's message that is still on its way", async () => {
    const { chat } = tab(server);
    chat.open();
    await settle();
    const socket = await server.ready();
    server.says("slow one");
    chat.send("fast one", []);
    await settle();
    expect(texts(chat)).toEqual(["fast one"]);
    socket.breaks();
    await later(3_000);
    expect(texts(chat)).toEqual(["slow one", "fast one"]);
  });

  test("a confirmation by the socket alone takes the message out of the outbox", async () => {
    const { chat } = tab(server);
    chat.open();
    await settle();
    const socket = await server.ready();
    server.mode = "lose";
    chat.send("heard", []);
    await settle();
    expect(waiting(chat)).toEqual(["heard"]);
    socket.say({ t: "messages", items: server.items });
    expect([texts(chat), waiting(chat)]).toEqual([["heard"], []]);
  });

  test("after a break the socket continues where it stopped, and nothing is missing", async () => {
    const { chat } = tab(server);
    chat.open();
    await settle();
    const socket = await server.ready();
    socket.say({ t: "messages", items: [server.says("a"), server.says("b")] });
    expect(chat.state.link).toBe("live");
    server.mode = "down";
    socket.breaks();
    server.says("c");
    await later(60_000);
    expect(chat.state.link).toBe("down");
    server.mode = "up";
    chat.wake();
    await settle();
    const again = server.lastSocket;
    expect(again).not.toBe(socket);
    await server.ready();
    expect(again.sent[0]).toMatchObject({ t: "hello", token: "token-1" });
    expect(texts(chat)).toEqual(["a", "b", "c"]);
    expect(chat.state.link).toBe("live");
  });

  test("where no socket opens, polling brings everything", async () => {
    server.socketsRefused = true;
    const { chat } = tab(server);
    chat.open();
    await later(3_000);
    expect(chat.state.link).toBe("polling");
    server.says("by poll");
    await later(3_500);
    expect(texts(chat)).toEqual(["by poll"]);
  });

  test("a socket that falls silent is replaced", async () => {
    const { chat } = tab(server);
    chat.open();
    await settle();
    const socket = await server.ready();
    socket.say({ t: "beat" });
    expect(socket.sent.at(-1)).toEqual({ t: "pong" });
    await later(80_000);
    expect(socket.closed).toBe(true);
    expect(server.sockets.length).toBeGreaterThan(1);
  });

  test("frames of no known kind, or broken ones, change nothing", async () => {
    const { chat } = tab(server);
    chat.open();
    await settle();
    const socket = await server.ready();
    const before = chat.state;
    socket.onmessage?.(new MessageEvent("message", { data: "{oh" }));
    socket.say({ t: "__proto__", items: 1 });
    socket.say({ t: "messages", items: [{ id: 5 }, null, { id: "x", seq: "1" }] });
    socket.say([] as object);
    expect(chat.state.messages).toEqual(before.messages);
    expect(({} as Record<string, unknown>).items).toBeUndefined();
  });

  test("queue and typing are shown, typing goes by itself or with the message", async () => {
    const { chat } = tab(server);
    chat.open();
    await settle();
    const socket = await server.ready();
    socket.say({ t: "queue", queue: { position: 3, expected_wait_seconds: 180 } });
    expect(chat.state.queue).toEqual({ position: 3, expected_wait_seconds: 180 });
    socket.say({ t: "typing", name: "Li" });
    expect(chat.state.typing).toBe("Li");
    await later(6_500);
    expect(chat.state.typing).toBeNull();
    socket.say({ t: "typing", name: "Li" });
    socket.say({ t: "messages", items: [server.says("there")], queue: null });
    expect([chat.state.typing, chat.state.queue]).toEqual([null, null]);
  });

  test("our typing is told at most every three seconds", async () => {
    const { chat } = tab(server);
    chat.open();
    await settle();
    const socket = await server.ready();
    for (let key = 0; key < 20; key++) chat.typing();
    expect(socket.sent.filter((frame) => frame.t === "typing")).toHaveLength(1);
    await later(3_100);
    chat.typing();
    expect(socket.sent.filter((frame) => frame.t === "typing")).toHaveLength(2);
  });

  test("unread counts what came while the panel was closed, in all tabs", async () => {
    const storage = new MemoryStorage();
    server.says("old");
    const one = tab(server, storage);
    one.chat.open();
    await settle();
    one.chat.close();
    const socket = await server.ready();
    socket.say({ t: "messages", items: [server.says("new"), server.says("joined", { system: true }), server.says("me", { mine: true })] });
    expect(one.chat.state.unread).toBe(1);
    const two = tab(server, storage);
    two.chat.resume();
    await settle();
    expect(two.chat.state.unread).toBe(1);
    two.chat.open();
    expect(two.chat.state.unread).toBe(0);
    one.chat.shared("read");
    expect(one.chat.state.unread).toBe(0);
  });
});

describe("who the visitor is", () => {
  const jwt = (sub: string) => `h.${btoa(JSON.stringify({ sub })).replaceAll("=", "")}.s`;

  test("a stranger costs the server nothing before the first click", async () => {
    const { chat } = tab(server);
    chat.resume();
    await later(60_000);
    expect(server.calls).toEqual([]);
  });

  test("the token is kept and brought back", async () => {
    const storage = new MemoryStorage();
    const one = tab(server, storage);
    one.chat.open();
    await settle();
    expect(one.store.get("token")).toBe("token-1");
    const two = tab(server, storage);
    two.chat.resume();
    await settle();
    expect(server.calls.at(-1)?.body ?? server.calls.findLast((call) => call.path === "/session")?.body).toMatchObject({ visitor_token: "token-1" });
  });

  test("a token that the server dropped is replaced, and the waiting message goes out under the new one", async () => {
    const { chat, store } = tab(server);
    chat.open();
    await settle();
    server.token = "token-2";
    chat.send("still here", []);
    await later(3_000);
    expect(store.get("token")).toBe("token-2");
    expect([texts(chat), waiting(chat)]).toEqual([["still here"], []]);
  });

  test("an identity the server turns down leaves an anonymous chat", async () => {
    const { chat } = tab(server);
    server.scripted.push({ path: "/session", status: 422, body: { code: "invalid_identity" } });
    chat.identify(jwt("customer-1"));
    await later(3_000);
    const sessions = server.calls.filter((call) => call.path === "/session");
    expect(sessions.map((call) => "identity" in (call.body ?? {}))).toEqual([true, false]);
    expect(chat.state.phase).toBe("ready");
  });

  test("another person at the same browser sees and sends nothing of the first one's", async () => {
    const { chat, store } = tab(server);
    chat.identify(jwt("customer-1"));
    await settle();
    server.mode = "down";
    chat.send("secret of the first", []);
    store.set("draft", "half a sentence");
    await settle();
    server.mode = "up";
    server.token = "token-2";
    server.items.length = 0;
    chat.identify(jwt("customer-2"));
    await later(30_000);
    expect([texts(chat), waiting(chat), store.get("draft")]).toEqual([[], [], null]);
    expect(server.items).toEqual([]);
    expect(server.calls.findLast((call) => call.path === "/session")?.body).not.toHaveProperty("visitor_token");
  });

  test("a renewed signature of the same person keeps the conversation", async () => {
    const { chat, store } = tab(server);
    chat.identify(jwt("customer-1"));
    await settle();
    chat.send("mine", []);
    await settle();
    chat.identify(`${jwt("customer-1")}2`);
    await settle();
    expect(texts(chat)).toEqual(["mine"]);
    expect(store.get("who")).toBe("customer-1");
  });

  test("an upload waits for the session that is on its way, whose token is the one that counts", async () => {
    const { chat } = tab(server);
    chat.open();
    await settle();
    server.token = "token-2";
    chat.identify(jwt("customer-1"));
    expect(await chat.ticket()).toBe("token-2");
  });

  test("a message waits for it too, and is not turned down", async () => {
    const { chat } = tab(server);
    chat.open();
    await settle();
    server.token = "token-2";
    chat.identify(jwt("customer-1"));
    chat.send("my order", []);
    await settle();
    const posts = server.calls.filter((call) => call.method === "POST" && call.path === "/messages");
    expect(posts.map((call) => call.headers.Authorization)).toEqual(["Visitor token-2"]);
    expect([texts(chat), waiting(chat)]).toEqual([["my order"], []]);
  });

  test("a token that was refused for an upload is replaced", async () => {
    const { chat } = tab(server);
    chat.open();
    await settle();
    server.token = "token-2";
    expect(await chat.ticket()).toBe("token-1");
    expect(await chat.ticket("token-1")).toBe("token-2");
    expect(await chat.ticket("token-1")).toBe("token-2");
  });

  test("signing out in one tab empties the others", async () => {
    const storage = new MemoryStorage();
    const one = tab(server, storage);
    one.chat.open();
    await settle();
    one.chat.send("private", []);
    await settle();
    const two = tab(server, storage);
    two.chat.resume();
    await settle();
    one.chat.close();
    one.chat.forget();
    two.chat.shared("left");
    expect([texts(two.chat), two.chat.state.phase, two.store.get("token")]).toEqual([[], "idle", null]);
  });

  test.each([
    [403, "origin_not_allowed"],
    [404, "not_found"],
    [409, "channel_inactive"],
  ])("%i %s: the chat says that it is not available and stops asking", async (status, code) => {
    const { chat } = tab(server);
    server.scripted.push({ path: "/session", status, body: { code } });
    chat.open();
    await later(120_000);
    expect(chat.state.phase).toBe("unavailable");
    expect(server.calls).toHaveLength(1);
  });

  test("a server that is down is asked again with growing pauses", async () => {
    server.mode = 503;
    const { chat } = tab(server);
    chat.open();
    await later(60_000);
    expect(chat.state.phase).toBe("starting");
    expect(server.calls.length).toBeGreaterThan(3);
    expect(server.calls.length).toBeLessThan(9);
    server.mode = "up";
    await later(31_000);
    expect(chat.state.phase).toBe("ready");
  });

  test("the address for the answer is stored, a wrong one is refused", async () => {
    const { chat } = tab(server);
    chat.open();
    await settle();
    server.scripted.push({ path: "/email", status: 422, body: { code: "invalid_address" } });
    await expect(chat.email("a@b")).rejects.toMatchObject({ status: 422 });
    await chat.email("wang@example.com");
    expect(chat.state.session?.claimed_email).toBe("wang@example.com");
  });
});
