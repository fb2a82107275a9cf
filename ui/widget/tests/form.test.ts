import { beforeEach, describe, expect, test, vi } from "vitest";
import { HostedForm } from "../form";
import page from "../form-page.html?raw";
import { Delivery, type Content } from "../src/form/delivery";
import { digestOf, leadingZeroBits, solve, type Challenge } from "../src/form/proof";
import { sha256 } from "../src/form/sha256";

const hex = (bytes: Uint8Array) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
const platform = async (input: Uint8Array<ArrayBuffer>) => new Uint8Array(await crypto.subtle.digest("SHA-256", input));
const breathe = () => Promise.resolve();
const now = 1_800_000_000_000;
const challenge = (more: Partial<Challenge> = {}): Challenge => ({ salt: "c2FsdA", difficulty_bits: 8, expires: now / 1000 + 7200, signature: "sig", ...more });

describe("proof of work", () => {
  test("our SHA-256 is SHA-256, for every length around the block borders", async () => {
    for (const length of [0, 1, 3, 54, 55, 56, 57, 63, 64, 65, 119, 120, 128, 1000]) {
      const input = Uint8Array.from({ length }, (_, at) => (at * 31 + length) & 255);
      expect(hex(sha256(input)), String(length)).toBe(hex(await platform(input)));
    }
  });

  test.each([
    [[0xff], 0],
    [[0x7f], 1],
    [[0, 0xff], 8],
    [[0, 0x1f], 11],
    [[0, 0, 0], 24],
  ])("leading zero bits of %j", (bytes, bits) => expect(leadingZeroBits(Uint8Array.from(bytes))).toBe(bits));

  test.each([
    ["with SubtleCrypto", crypto.subtle],
    ["without", undefined],
  ])("a found nonce satisfies the challenge, %s", async (_, subtle) => {
    const proof = await solve(challenge({ difficulty_bits: 10 }), digestOf(subtle), breathe);
    const hash = await platform(new TextEncoder().encode(`${proof.salt}:${proof.nonce}`));
    expect(leadingZeroBits(hash)).toBeGreaterThanOrEqual(10);
    expect(proof).toMatchObject({ salt: "c2FsdA", expires: now / 1000 + 7200, signature: "sig" });
  });

  test("a challenge beyond reason is not tried", async () => {
    for (const difficulty_bits of [25, -1, Number.NaN]) await expect(solve(challenge({ difficulty_bits }), digestOf(undefined), breathe)).rejects.toThrow("range");
  });
});

describe("delivery", () => {
  const content: Content = { name: "Wang", email: "w@example.com", subject: "s", text: "t", attachments: [] };
  let posts: Record<string, unknown>[];
  let answers: (Response | Error)[];
  let challenges: Challenge[];
  let clock: number;
  let delivery: Delivery;

  beforeEach(() => {
    posts = [];
    answers = [];
    challenges = [challenge()];
    clock = now;
    let ids = 0;
    delivery = new Delivery({
      url: "/api/form/key",
      now: () => clock,
      id: () => `id-${++ids}`,
      digest: digestOf(undefined),
      pause: () => Promise.resolve(),
      fetch: async (_, init) => {
        if (init.method !== "POST") return Response.json({ challenge: challenges.length > 1 ? challenges.shift() : challenges[0] });
        posts.push(JSON.parse(init.body as string) as Record<string, unknown>);
        const next = answers.shift() ?? Response.json({ number: "1042" });
        if (next instanceof Error) throw next;
        return next;
      },
    });
  });

  test("sends once, with a proof", async () => {
    expect(await delivery.send(content)).toEqual({ kind: "done", number: "1042", tracking: null });
    expect(posts).toEqual([{ id: "id-1", ...content, proof: expect.objectContaining({ signature: "sig", nonce: expect.any(String) }) }]);
  });

  test("a lost answer is asked for again under the same id", async () => {
    answers = [new TypeError("network"), new TypeError("network")];
    expect(await delivery.send(content)).toMatchObject({ kind: "done" });
    expect(new Set(posts.map((post) => post.id))).toEqual(new Set(["id-1"]));
    expect(posts).toHaveLength(3);
  });

  test("gives up after three attempts, and the next press still means the same form", async () => {
    answers = [new TypeError(), new TypeError(), new TypeError()];
    expect(await delivery.send(content)).toEqual({ kind: "network" });
    expect(await delivery.send(content)).toMatchObject({ kind: "done" });
    expect(posts.map((post) => post.id)).toEqual(["id-1", "id-1", "id-1", "id-1"]);
    answers = [];
    await delivery.send({ ...content, text: "changed" });
    expect(posts.at(-1)?.id).toBe("id-2");
  });

  test("a proof that ran out or was not taken is made anew", async () => {
    challenges = [challenge({ salt: "old" }), challenge({ salt: "new", expires: now / 1000 + 20_000 }), challenge({ salt: "third", expires: now / 1000 + 20_000 })];
    delivery.prepare();
    await vi.waitFor(() => expect(challenges).toHaveLength(2));
    clock = now + 7_200_000;
    answers = [Response.json({ code: "proof_required" }, { status: 403 })];
    expect(await delivery.send(content)).toMatchObject({ kind: "done" });
    expect(posts.map((post) => (post.proof as { salt: string }).salt)).toEqual(["new", "third"]);
  });

  test("refused fields come back by name; limits are not hammered", async () => {
    answers = [Response.json({ code: "invalid_address", fields: { email: { code: "invalid_address" } } }, { status: 422 })];
    expect(await delivery.send(content)).toEqual({ kind: "refused", fields: { email: "invalid_address" } });
    answers = [Response.json({ code: "rate_limited" }, { status: 429 })];
    expect(await delivery.send(content)).toEqual({ kind: "busy", wait: true });
    expect(posts).toHaveLength(2);
  });
});

describe("the page", () => {
  let form: HTMLFormElement;
  let sent: Record<string, unknown>[];
  let answer: () => Response;

  beforeEach(() => {
    sessionStorage.clear();
    document.documentElement.lang = "en";
    document.body.innerHTML = /<main>[\s\S]*<\/main>/.exec(page)?.[0].replaceAll("{{key}}", "k").replaceAll("{{origin}}", "") ?? "";
    form = document.querySelector("form") as HTMLFormElement;
    sent = [];
    answer = () => Response.json({ number: "1042" });
    vi.stubGlobal("fetch", async (_: string, init: RequestInit) => {
      if (init.method !== "POST") return Response.json({ challenge: challenge({ difficulty_bits: 1, expires: "2100-01-01T00:00:00Z" }) });
      sent.push(JSON.parse(init.body as string) as Record<string, unknown>);
      return answer();
    });
    return () => vi.unstubAllGlobals();
  });

  const field = (name: string) => form.elements.namedItem(name) as HTMLInputElement;
  const fill = (values: Record<string, string>) => {
    for (const [name, value] of Object.entries(values)) {
      field(name).value = value;
      field(name).dispatchEvent(new Event("input", { bubbles: true }));
    }
  };
  const submit = () => form.dispatchEvent(new Event("submit", { bubbles: true, cancelable: true }));
  const whole = { name: "Wang", email: "w@example.com", subject: "Parcel", text: "Where is it?" };

  test("empty fields are pointed out one by one, the first gets the focus, nothing is sent", () => {
    new HostedForm(form);
    submit();
    expect([...form.querySelectorAll("[aria-invalid=true]")].map((item) => item.getAttribute("name"))).toEqual(["name", "email", "subject", "text"]);
    expect(document.activeElement).toBe(field("name"));
    expect(document.getElementById("name-fault")?.textContent).toBe("Please fill this in");
    expect(field("email").getAttribute("aria-describedby")).toBe("email-hint email-fault");
    fill({ name: "Wang" });
    expect(field("name").hasAttribute("aria-invalid")).toBe(false);
    expect(sent).toEqual([]);
  });

  test("a filled-in form is sent and thanked for with its number", async () => {
    new HostedForm(form);
    fill(whole);
    submit();
    submit();
    await vi.waitFor(() => expect(document.querySelector(".thanks")).not.toBeNull());
    expect(sent).toHaveLength(1);
    expect(sent[0]).toMatchObject({ ...whole, attachments: [] });
    expect(document.querySelector(".thanks")?.textContent).toContain("1042");
    expect(document.activeElement).toBe(document.querySelector(".thanks h2"));
  });

  test("what the server refuses is shown at the field", async () => {
    answer = () => Response.json({ code: "invalid_address", fields: { email: { code: "invalid_address" } } }, { status: 422 });
    new HostedForm(form);
    fill(whole);
    submit();
    await vi.waitFor(() => expect(document.getElementById("email-fault")?.textContent).toBe("Please check this e-mail address"));
    expect(document.activeElement).toBe(field("email"));
    expect(form.querySelector("[data-form-status]")?.textContent).toBe("Not sent yet. Please check the marked fields.");
  });

  test("what was typed survives a reload until it has arrived", async () => {
    new HostedForm(form);
    fill(whole);
    form.reset();
    new HostedForm(form);
    expect(field("text").value).toBe("Where is it?");
  });

  test("the file field shows only where a script can send files", () => {
    const place = field("files").closest<HTMLElement>("[data-field]");
    expect(place?.hidden).toBe(true);
    new HostedForm(form);
    expect(place?.hidden).toBe(false);
  });

  test("without an address for uploads the file field goes away", () => {
    delete form.dataset.upload;
    new HostedForm(form);
    expect(form.elements.namedItem("files")).toBeNull();
  });
});
