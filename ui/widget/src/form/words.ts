/** What the form's script itself says; labels come with the page from the server. */
const zh = {
  required: "请填写此项",
  email: "邮箱格式不正确，请检查",
  tooLong: "内容太长，请精简一些",
  invalid: "内容有误，请检查",
  checking: "正在准备提交…",
  sending: "正在提交…",
  network: "网络不稳定，提交未完成。您填写的内容已保留，请再试一次。",
  refused: "提交未成功，请检查标出的内容。",
  busy: "提交人数较多，请稍后再试。",
  uploading: "文件还在上传，请稍候…",
  uploadFailed: "上传失败",
  retry: "重试",
  remove: (name: string) => `移除 ${name}`,
  tooLarge: (limit: string) => `文件不能超过 ${limit}`,
  empty: "文件是空的",
  tooMany: (n: number) => `最多添加 ${n} 个文件`,
  doneTitle: "我们已收到您的留言",
  done: (number: string) => `受理编号 ${number}。我们会尽快回复到您的邮箱。`,
  track: "查看处理进度",
  another: "再提交一条",
};

const en: typeof zh = {
  required: "Please fill this in",
  email: "Please check this e-mail address",
  tooLong: "This is too long, please shorten it",
  invalid: "Please check this",
  checking: "Getting ready to send…",
  sending: "Sending…",
  network: "The connection failed and nothing was sent. What you wrote is kept, please try again.",
  refused: "Not sent yet. Please check the marked fields.",
  busy: "We are receiving many messages. Please try again shortly.",
  uploading: "Files are still uploading, one moment…",
  uploadFailed: "Upload failed",
  retry: "Try again",
  remove: (name) => `Remove ${name}`,
  tooLarge: (limit) => `Files can be up to ${limit}`,
  empty: "This file is empty",
  tooMany: (n) => `Up to ${n} files`,
  doneTitle: "We have received your message",
  done: (number) => `Your reference is ${number}. We will reply to your e-mail address as soon as we can.`,
  track: "Follow its progress",
  another: "Send another message",
};

export type FormWords = typeof zh;
export const formWords = { "zh-CN": zh, en };
