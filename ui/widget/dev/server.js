/**
 * A stand-in for the server, for looking at the widget by hand: `node ui/widget/dev/server.js [port]`, then open
 * http://127.0.0.1:PORT/widget/test/KEY. The key's words choose the scene: many, offline, nogreeting, slow, refuse.
 * Plain HTTP with polling only (no WebSocket), which also shows the fall-back. Nothing here is part of the product.
 */
import { createServer } from "node:http";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const dist = fileURLToPath(new URL("../dist/", import.meta.url));
const port = Number(process.argv[2] ?? 8931);
const types = { js: "text/javascript", css: "text/css", html: "text/html; charset=utf-8" };
const threads = new Map();
const csp = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; connect-src 'self'; form-action 'self'; base-uri 'none'";

const picture = (color) => Buffer.from(`<svg xmlns="http://www.w3.org/2000/svg" width="640" height="420"><rect width="640" height="420" fill="${color}"/><circle cx="420" cy="160" r="90" fill="#fff" opacity=".6"/><path d="M0 420 220 180 380 340 470 260 640 420Z" fill="#000" opacity=".25"/></svg>`);

function scene(key) {
  if (threads.has(key)) return threads.get(key);
  const zh = !key.includes("en");
  const items = [];
  const now = Date.now();
  const add = (mine, text, ago, more = {}) => items.push({ id: crypto.randomUUID(), seq: items.length + 1, at: new Date(now - ago * 60000).toISOString(), mine, author: mine ? "" : zh ? "李晓雯" : "Emma Clarke", text, attachments: [], system: false, state: "sent", ...more });
  const talk = zh
    ? ["我上周买的手冲壶壶嘴有点漏水，可以换一个吗？", "您好，我是李晓雯。非常抱歉给您添麻烦了，我先看一下您的订单。", "订单是 2611-08427 对吗？方便拍一张壶嘴的照片给我吗？", "对的", "这是照片，倒水的时候会顺着壶身流下来", "收到，这是密封圈没有装到位。我马上给您安排换新，顺丰上门取件，您不用承担运费。说明在这里：https://example.com/returns/2611-08427。"]
    : ["The kettle I bought last week drips at the spout. Can I swap it?", "Hi, this is Emma. I am sorry about that, let me look at your order.", "It is order 2611-08427, right? Could you send me a photo of the spout?", "Yes", "Here it is. The water runs down the side when I pour", "Thanks, the seal is not seated. I am sending you a new one right away and a courier will collect the old one, free of charge. Details: https://example.com/returns/2611-08427."];
  const photo = { id: "p1", name: "IMG_2041.jpg", mime: "image/png", size: 482133, url: "/api/widget/x/attachments/p1", width: 640, height: 420 };
  if (key.includes("many") || key.includes("some")) {
    add(true, talk[0], 60 * 26);
    add(false, talk[1], 60 * 26 - 2);
    add(false, talk[2], 60 * 26 - 2);
    if (key.includes("many")) for (let n = 0; n < 96; n++) { add(n % 3 === 0, `${talk[n % talk.length]}`, 60 * 20 - n * 9); }
    add(false, "", 24, { text: zh ? "李晓雯 加入了会话" : "Emma Clarke joined", system: true });
    add(true, talk[3], 22);
    add(true, talk[4], 21, { attachments: [photo] });
    add(false, talk[5], 3, { attachments: [{ id: "f1", name: zh ? "退换货说明（2026年版）以及上门取件注意事项.pdf" : "Return and exchange instructions 2026.pdf", mime: "application/pdf", size: 1284000, url: "/api/widget/x/attachments/f1", width: null, height: null }] });
  }
  if (key.includes("long")) {
    add(true, "https://example.com/" + "averylongpathwithoutanybreak".repeat(6), 8);
    add(false, (zh ? "这是一段很长的说明，用来检查换行和间距是否合适。" : "This is a long explanation that checks wrapping and spacing. ").repeat(14) + "\n\n1. A\n2. B", 5);
    add(true, "ok 👍", 4);
  }
  const made = { items, key, zh, typing: key.includes("typing"), queue: key.includes("queue") ? { position: 3, expected_wait_seconds: 190 } : null };
  threads.set(key, made);
  return made;
}

const read = (request) => new Promise((resolve) => { const parts = []; request.on("data", (part) => parts.push(part)); request.on("end", () => resolve(Buffer.concat(parts))); });

createServer(async (request, response) => {
  const url = new URL(request.url, `http://127.0.0.1:${port}`);
  const json = (status, body) => { response.writeHead(status, { "Content-Type": "application/json" }); response.end(JSON.stringify(body)); };
  const file = (name, from = {}) => {
    let body = readFileSync(dist + name, "utf8");
    for (const [key, value] of Object.entries(from)) body = body.replaceAll(`{{${key}}}`, value);
    response.writeHead(200, { "Content-Type": types[name.split(".").pop()], "Content-Security-Policy": csp });
    response.end(body);
  };
  const body = await read(request);
  const parts = url.pathname.split("/").filter(Boolean);
  if (url.pathname === "/widget.js") return file("widget.js");
  if (url.pathname === "/form.js" || url.pathname === "/form.css") return file(parts[0]);
  if (url.pathname === "/widget/test-page.css") return file("test-page.css");
  if (parts[0] === "widget" && parts[1] === "test") return file("test-page.html", { key: parts[2], origin: "" });
  if (parts[0] === "form") {
    const lang = parts[1].includes("en") ? "en" : "zh-CN";
    const words = JSON.parse(readFileSync(dist + "form-page.words.json", "utf8"))[lang];
    return file("form-page.html", { ...words, lang, key: parts[1], origin: "", brand: lang === "en" ? "Qinghe Living" : "青禾生活", title: lang === "en" ? "Contact us" : "联系我们" });
  }
  if (parts[1] === "form") {
    if (parts[3] === "attachments") return json(201, { id: crypto.randomUUID(), name: "file", mime: "image/png", size: 1, url: "/" });
    if (request.method === "GET") return json(200, { title: "", fields: [], challenge: { salt: crypto.randomUUID(), difficulty_bits: 16, expires: new Date(Date.now() + 600000).toISOString(), signature: "s" } });
    return json(201, { number: "20418" });
  }
  if (parts[1] !== "widget") return json(404, { code: "not_found" });
  const it = scene(parts[2]);
  const call = parts[3];
  if (call === "attachments" && request.method === "GET") { response.writeHead(200, { "Content-Type": "image/svg+xml" }); return response.end(picture("#7f9c8c")); }
  if (call === "attachments") return json(201, { id: crypto.randomUUID(), name: "photo.png", mime: "image/png", size: body.length, url: "/api/widget/x/attachments/p1", width: 640, height: 420 });
  if (it.key.includes("slow")) await new Promise((resolve) => setTimeout(resolve, 60000));
  if (it.key.includes("gone")) return json(403, { code: "origin_not_allowed" });
  if (call === "session") return json(200, { visitor_token: `t-${it.key}`, thread: it.items, queue: it.queue, brand: it.zh ? "青禾生活" : "Qinghe Living", greeting: it.zh ? "您好，欢迎光临青禾生活！请问有什么可以帮您？" : "Hello, welcome to Qinghe Living! How can we help you?", color: it.key.includes("yellow") ? "#f5c542" : it.key.includes("green") ? "#2f6b4f" : "", online: !it.key.includes("offline"), claimed_email: null, identified: false, live_token: "l" });
  if (call === "messages" && request.method === "POST") {
    const sent = JSON.parse(body);
    if (it.key.includes("refuse")) return json(422, { code: "text_too_long" });
    if (it.key.includes("lost")) return json(503, {});
    let known = it.items.find((item) => item.id === sent.id);
    if (!known) it.items.push((known = { id: sent.id, seq: it.items.length + 1, at: new Date().toISOString(), mine: true, author: "", text: sent.text, attachments: [], system: false, state: "sent" }));
    return json(200, { message: known });
  }
  if (call === "messages") return json(200, { items: it.items.filter((item) => item.seq > Number(url.searchParams.get("after"))), queue: it.queue, typing: it.typing ? [{ name: it.zh ? "李晓雯" : "Emma" }] : [] });
  return json(204, null);
}).listen(port, "127.0.0.1", () => console.log(`http://127.0.0.1:${port}/widget/test/some`));
