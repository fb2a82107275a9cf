/** Every word the visitor reads, in both languages, and how times and sizes are written. */
const zh = {
  chat: "在线客服",
  launch: "打开在线客服",
  unread: (n: number) => `打开在线客服，${n} 条未读消息`,
  minimize: "收起",
  online: "客服在线",
  offline: "客服暂时不在线，请留言",
  connecting: "正在连接…",
  reconnecting: "网络不稳定，正在重新连接，您的消息会自动发送",
  unavailable: "在线客服暂时无法使用，请通过其他方式联系我们。",
  greeting: "您好，请问有什么可以帮您？",
  log: "聊天记录",
  ahead: (n: number, wait: string) => `前面还有 ${n} 位${wait}`,
  next: (wait: string) => `您是下一位${wait}`,
  wait: (minutes: number) => (minutes < 1 ? "，预计等待不到 1 分钟" : minutes < 60 ? `，预计等待约 ${minutes} 分钟` : `，预计等待约 ${Math.round(minutes / 60)} 小时`),
  typing: (name: string) => `${name || "客服"}正在输入…`,
  placeholder: "请输入您的问题…",
  send: "发送",
  attach: "发送图片或文件",
  drop: "松开即可添加",
  remove: (name: string) => `移除 ${name}`,
  uploading: (percent: number) => `上传中 ${percent}%`,
  uploadFailed: "上传失败",
  tooLarge: (limit: string) => `文件不能超过 ${limit}`,
  emptyFile: "文件是空的，无法发送",
  tooMany: (n: number) => `一次最多发送 ${n} 个文件`,
  tooLong: (n: number) => `超出 ${n} 字，请分几条发送`,
  sending: "发送中…",
  waiting: "等待网络，恢复后自动发送",
  sent: "已发送",
  seen: "已读",
  failed: "未能发送",
  tooFast: "发送太频繁，请稍后重试",
  refusedLong: "内容太长，请分几条发送",
  retry: "重试",
  discard: "删除",
  you: "您",
  fresh: (n: number) => `${n} 条新消息`,
  toBottom: "回到最新消息",
  today: "今天",
  yesterday: "昨天",
  image: "图片",
  emailOffline: "留下邮箱，我们会尽快回复到您的邮箱。",
  emailLeaving: "客服还没来得及回复。留下邮箱，回复会同步发到您的邮箱，不用一直等待。",
  email: "邮箱地址",
  emailSave: "提交",
  emailSkip: "不用了",
  emailLeave: "直接离开",
  emailInvalid: "邮箱格式不正确，请检查",
  emailFailed: "提交失败，请稍后再试",
};

const en: typeof zh = {
  chat: "Chat with us",
  launch: "Open chat",
  unread: (n) => `Open chat, ${n} unread ${n === 1 ? "message" : "messages"}`,
  minimize: "Minimise",
  online: "We are online",
  offline: "We are away right now. Leave us a message",
  connecting: "Connecting…",
  reconnecting: "Connection lost. Reconnecting, your messages will be sent",
  unavailable: "Chat is not available right now. Please contact us another way.",
  greeting: "Hello! How can we help you?",
  log: "Conversation",
  ahead: (n, wait) => `${n} ${n === 1 ? "person" : "people"} ahead of you${wait}`,
  next: (wait) => `You are next${wait}`,
  wait: (minutes) => (minutes < 1 ? ", less than a minute" : minutes < 60 ? `, about ${minutes} min` : `, about ${Math.round(minutes / 60)} h`),
  typing: (name) => `${name || "Agent"} is typing…`,
  placeholder: "Write a message…",
  send: "Send",
  attach: "Attach an image or file",
  drop: "Drop to attach",
  remove: (name) => `Remove ${name}`,
  uploading: (percent) => `Uploading ${percent}%`,
  uploadFailed: "Upload failed",
  tooLarge: (limit) => `Files can be up to ${limit}`,
  emptyFile: "This file is empty",
  tooMany: (n) => `Up to ${n} files at a time`,
  tooLong: (n) => `${n} characters too long. Please send it in parts`,
  sending: "Sending…",
  waiting: "Waiting for the network, will be sent",
  sent: "Sent",
  seen: "Seen",
  failed: "Not sent",
  tooFast: "Too many messages. Please try again shortly",
  refusedLong: "Too long. Please send it in parts",
  retry: "Try again",
  discard: "Delete",
  you: "You",
  fresh: (n) => `${n} new ${n === 1 ? "message" : "messages"}`,
  toBottom: "Go to the newest message",
  today: "Today",
  yesterday: "Yesterday",
  image: "Image",
  emailOffline: "Leave your e-mail and we will reply there as soon as we can.",
  emailLeaving: "We have not answered yet. Leave your e-mail and our reply will reach you there too, no need to wait.",
  email: "E-mail address",
  emailSave: "Submit",
  emailSkip: "No thanks",
  emailLeave: "Just leave",
  emailInvalid: "Please check this e-mail address",
  emailFailed: "Could not save it. Please try again",
};

export type Words = typeof zh;
export type Locale = "zh-CN" | "en";
export const words: Record<Locale, Words> = { "zh-CN": zh, en };

/** The site's wish, else the browser's first language that we speak, else English. */
export function choose(wish: string | null | undefined, languages: readonly string[]): Locale {
  for (const tag of [wish ?? "", ...languages]) {
    if (/^zh\b/i.test(tag)) return "zh-CN";
    if (/^en\b/i.test(tag)) return "en";
  }
  return "en";
}

const valid = (at: number | string): Date | null => {
  const date = new Date(at);
  return Number.isNaN(date.getTime()) ? null : date;
};

/** Made once: making one costs more than drawing a message. */
let clock: { locale: Locale; format: Intl.DateTimeFormat } | null = null;

export function time(at: number | string, locale: Locale): string {
  const date = valid(at);
  if (clock?.locale !== locale) {
    clock = { locale, format: new Intl.DateTimeFormat(locale, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" }) };
  }
  return date ? clock.format.format(date) : "";
}

/** One value per local calendar day, for finding where a new day begins. */
export const dayKey = (at: number | string): string => valid(at)?.toDateString() ?? "";

export function day(at: number | string, now: number, locale: Locale): string {
  const date = valid(at);
  if (!date) return "";
  const today = new Date(now);
  const yesterday = new Date(today.getFullYear(), today.getMonth(), today.getDate() - 1);
  if (date.toDateString() === today.toDateString()) return words[locale].today;
  if (date.toDateString() === yesterday.toDateString()) return words[locale].yesterday;
  const year = date.getFullYear() === today.getFullYear() ? {} : ({ year: "numeric" } as const);
  return date.toLocaleDateString(locale, { month: "long", day: "numeric", weekday: "short", ...year });
}

/** Bytes as file managers show them, in steps of 1024. */
export function size(bytes: number): string {
  if (bytes < 1024) return `${bytes} B`;
  const kilo = bytes / 1024;
  if (kilo < 1000) return `${Math.max(1, Math.round(kilo))} KB`;
  const mega = kilo / 1024;
  return `${mega.toFixed(mega < 10 ? 1 : 0).replace(/\.0$/, "")} MB`;
}
