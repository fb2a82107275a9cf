import { describe, expect, test } from "vitest";
import { brand } from "../src/color";
import { subject } from "../src/identity";
import { pieces } from "../src/links";
import { choose, day, size, words } from "../src/locale";
import { formWords } from "../src/form/words";
import { uuid } from "../src/uuid";
import { looksLikeEmail } from "../src/view/email-card";
import { frame, queue, session } from "../src/wire";

describe("language", () => {
  test.each([
    ["zh-CN", ["en"], "zh-CN"],
    ["en", ["zh"], "en"],
    [null, ["zh-TW", "en"], "zh-CN"],
    [null, ["fr", "en-GB"], "en"],
    ["fr", ["zh-CN"], "zh-CN"],
    ["", [], "en"],
    ["zhongwen", ["en"], "en"],
  ] as const)("%s with %j is %s", (wish, languages, expected) => expect(choose(wish, languages)).toBe(expected));

  test("both languages say the same things", () => {
    for (const pair of [words, formWords]) {
      const [zh, en] = [pair["zh-CN"], pair.en] as Record<string, unknown>[];
      expect(Object.keys(en ?? {})).toEqual(Object.keys(zh ?? {}));
      for (const [key, value] of Object.entries(zh ?? {})) expect(typeof en?.[key], key).toBe(typeof value);
    }
  });

  test("the queue speaks naturally", () => {
    const { "zh-CN": zh, en } = words;
    expect(zh.ahead(2, zh.wait(3))).toBe("前面还有 2 位，预计等待约 3 分钟");
    expect(zh.next(zh.wait(0))).toBe("您是下一位，预计等待不到 1 分钟");
    expect(zh.ahead(9, zh.wait(130))).toBe("前面还有 9 位，预计等待约 2 小时");
    expect(en.ahead(1, en.wait(3))).toBe("1 person ahead of you, about 3 min");
    expect(en.ahead(2, "")).toBe("2 people ahead of you");
  });

  test("days and sizes", () => {
    const now = new Date(2026, 10, 22, 9).getTime();
    expect(day(new Date(2026, 10, 22, 0, 1).getTime(), now, "zh-CN")).toBe("今天");
    expect(day(new Date(2026, 10, 21, 23, 59).getTime(), now, "en")).toBe("Yesterday");
    expect(day(new Date(2026, 9, 5).getTime(), now, "zh-CN")).toBe("10月5日周一");
    expect(day(new Date(2025, 9, 5).getTime(), now, "en")).toContain("2025");
    expect(day("nonsense", now, "en")).toBe("");
    expect([0, 1023, 1024, 1024 * 1024, 25 * 1024 * 1024].map(size)).toEqual(["0 B", "1023 B", "1 KB", "1 MB", "25 MB"]);
  });
});

test("text on any brand colour has a contrast of at least 4.5", () => {
  const light = (hex: string) => {
    const parts = [1, 3, 5].map((at) => Number.parseInt(hex.slice(at, at + 2), 16) / 255).map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4));
    return 0.2126 * (parts[0] ?? 0) + 0.7152 * (parts[1] ?? 0) + 0.0722 * (parts[2] ?? 0);
  };
  for (let code = 0; code < 0x1000000; code += 40_507) {
    const hex = `#${code.toString(16).padStart(6, "0")}`;
    const { color, ink } = brand(hex);
    const [high, low] = [light(color), light(ink)].sort((a, b) => b - a) as [number, number];
    expect((high + 0.05) / (low + 0.05), hex).toBeGreaterThanOrEqual(4.5);
  }
  for (const wish of [null, "", "red", "#12", "url(x)", "#12345g"]) expect(brand(wish).color).toBe("#2457d6");
  expect(brand("#fc0")).toEqual({ color: "#fc0", ink: "#000000" });
});

test("only web addresses become links, and end where a sentence goes on", () => {
  expect(pieces("看 https://a.example/x?y=1，谢谢")).toEqual([{ text: "看 " }, { text: "https://a.example/x?y=1", href: "https://a.example/x?y=1" }, { text: "，谢谢" }]);
  expect(pieces("(http://a.example/b).")).toEqual([{ text: "(" }, { text: "http://a.example/b", href: "http://a.example/b" }, { text: ")." }]);
  for (const text of ["javascript:alert(1)", "data:text/html,x", "https://", "<b>x</b>", ""]) {
    expect(pieces(text).some((piece) => piece.href)).toBe(false);
    expect(pieces(text).map((piece) => piece.text).join("")).toBe(text);
  }
  const long = `https://a.example/${".".repeat(100_000)}x`;
  expect(pieces(long)[0]?.href).toContain("a.example");
});

test("a UUID is made with and without randomUUID", () => {
  const form = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
  const plain = { getRandomValues: crypto.getRandomValues.bind(crypto) } as Crypto;
  expect(uuid()).toMatch(form);
  expect(uuid(plain)).toMatch(form);
  expect(new Set(Array.from({ length: 500 }, () => uuid(plain))).size).toBe(500);
});

test("the subject of a signature is read, whatever else comes in is nobody", () => {
  const part = (claims: object) => btoa(String.fromCodePoint(...new TextEncoder().encode(JSON.stringify(claims)))).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
  expect(subject(`h.${part({ sub: "客户-1" })}.s`)).toBe("客户-1");
  for (const bad of ["", "a", "a.b.c", `h.${part({ sub: 5 })}.s`, `h.${part({})}.s`, "h..s"]) expect(subject(bad)).toBeNull();
});

test.each([
  ["a@b.cn", true],
  ["wang.li+shop@mail.example.com", true],
  ["a@b", false],
  ["a b@c.de", false],
  ["@c.de", false],
  ["a@@c.de", false],
  ["a@c..de", false],
  [`${"a".repeat(250)}@b.cn`, false],
])("%s as an e-mail address: %s", (text, expected) => expect(looksLikeEmail(text)).toBe(expected));

test("what crosses the wire is checked", () => {
  expect(session({})).toBeNull();
  expect(session({ visitor_token: "t" })).toMatchObject({ thread: [], queue: null, online: true, ask_email: true, claimed_email: null });
  expect(queue({ position: 0 })).toBeNull();
  expect(queue({ position: 2, expected_wait_seconds: "x" })).toEqual({ position: 2, expected_wait_seconds: null });
  expect(frame('{"t":"messages","items":[]}')).toEqual({ t: "messages", items: [], queue: undefined });
  expect(frame('{"t":"queue","queue":null}')).toEqual({ t: "queue", queue: null });
  for (const bad of ["", "5", "null", '{"t":"constructor"}', '{"t":5}', undefined]) expect(frame(bad)).toBeNull();
});
