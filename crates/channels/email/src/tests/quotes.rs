//! A corpus of answers as real clients write them.

use crate::quote::{split, split_html};

#[track_caller]
fn check(text: &str, fresh: &str, quoted_starts: &str) {
    let found = split(text);
    assert_eq!(found.fresh, fresh, "fresh of {text:?}");
    assert!(
        found.quoted.starts_with(quoted_starts) && found.quoted.is_empty() == quoted_starts.is_empty(),
        "quoted {:?} of {text:?}",
        found.quoted
    );
}

#[test]
fn text_clients() {
    check("hello", "hello", "");
    check("", "", "");
    check(
        "Yes please.\n\nOn Tue, 1 Sep 2026 at 10:00, Li Wei <li@x.cn> wrote:\n> old\n> older\n",
        "Yes please.",
        "On Tue",
    );
    check(
        "Yes.\n\nOn Tue, 1 Sep 2026 at 10:00, A Very Long Name Indeed\n<support@very-long-company-name.example> wrote:\n\n> old",
        "Yes.",
        "On Tue",
    );
    check("好的，谢谢\n\n在 2026年9月1日 10:00，客服 <kf@x.cn> 写道：\n> 您好", "好的，谢谢", "在 2026");
    check("好的\n\n2026年9月1日 上午10:00，客服 <kf@x.cn>写道：\n\n您好", "好的", "2026年");
    check(
        "收到\n\n------------------ 原始邮件 ------------------\n发件人: \"客服\" <kf@x.cn>;\n",
        "收到",
        "------------------ 原始",
    );
    check(
        "收到\n\n------------------\u{a0}原始邮件\u{a0}------------------\n发件人: x",
        "收到",
        "------------------\u{a0}原始",
    );
    check("收到\n---- 回复的原邮件 ----\n| 发件人 | x |", "收到", "---- 回复");
    check("ok\n\n-----Original Message-----\nFrom: x\nSent: y\n", "ok", "-----Original");
    check("ok\n\n-----原始邮件-----\n发件人: x\n", "ok", "-----原始");
    check(
        "thanks\n\nFrom: Support <s@x.cn>\nSent: Tuesday\nTo: me\nSubject: Re: order\n\nold",
        "thanks",
        "From: Support",
    );
    check("谢谢\n\n发件人： 客服\n发送时间： 2026年9月1日\n收件人： 王芳\n主题： 回复: 订单\n\n旧", "谢谢", "发件人：");
    check("谢谢\n\n*发件人:* 客服\n*日期:* 2026\n*收件人:* 王芳\n旧", "谢谢", "*发件人:*");
    check(
        "At 2026-09-01 10:00:00, \"kf\" <kf@x.cn> wrote:\n\nold text",
        "At 2026-09-01 10:00:00, \"kf\" <kf@x.cn> wrote:\n\nold text",
        "",
    );
    check("hi\n\nAt 2026-09-01 10:00:00, \"kf\" <kf@x.cn> wrote:\n\nold text", "hi", "At 2026");
    check(
        "Ja.\n\nAm 01.09.2026 um 10:00 schrieb Li <li@x.cn>:\n> alt",
        "Ja.\n\nAm 01.09.2026 um 10:00 schrieb Li <li@x.cn>:",
        "> alt",
    );
    check("Merci\n\nLe mar. 1 sept. 2026 à 10:00, Li <li@x.cn> a écrit :\n> vieux", "Merci", "Le mar.");
}

#[test]
fn answers_below_and_between() {
    check("On 1 Sep 2026, li@x.cn wrote:\n> question?\n\nThe answer.", "The answer.", "On 1 Sep");
    let inline = "On 1 Sep 2026, li@x.cn wrote:\n> one?\nyes\n> two?\nno";
    check(inline, inline, "");
    check("> one?\nyes\n> two?\nno", "> one?\nyes\n> two?\nno", "");
    check("text\n> quoted\n> more", "text", "> quoted");
}

#[test]
fn what_is_not_a_quote() {
    for text in [
        "On Monday I wrote:\nplease call me",
        "From: the shop I bought two chairs",
        "发件人: 我不知道是谁",
        "price -- 20 yuan",
        "see below\n---------- Forwarded message ----------\nFrom: a\nDate: b\nSubject: c\n\nbody",
        "在我看来这不对",
    ] {
        check(text, text, "");
    }
}

#[test]
fn signatures() {
    let found = split("Hello\n\n-- \nLi Wei\nShop\n");
    assert_eq!((found.fresh, found.signature), ("Hello", "-- \nLi Wei\nShop"));
    let found = split("你好\n发自我的iPhone");
    assert_eq!((found.fresh, found.signature), ("你好", "发自我的iPhone"));
    let found = split("Hi\n\nSent from my iPhone\n\nOn 1 Sep 2026, li@x.cn wrote:\n> old");
    assert_eq!((found.fresh, found.signature), ("Hi", "Sent from my iPhone"));
    assert_eq!(split("-- \nonly").fresh, "-- \nonly");
}

#[test]
fn html_clients() {
    for (fresh, quoted) in [
        (
            "<div dir=ltr>Yes</div><br>",
            "<div class=\"gmail_quote gmail_quote_container\"><div class=gmail_attr>On x wrote</div><blockquote>old</blockquote></div>",
        ),
        ("<p>ok</p>", "<blockquote type=\"cite\"><div>old</div></blockquote>"),
        ("<div>ok</div>", "<div id=\"appendonsend\"></div><hr><div id=\"divRplyFwdMsg\">From</div>"),
        (
            "<p>ok</p>",
            "<div style='border:none;border-top:solid #E1E1E1 1.0pt;padding:3.0pt 0cm 0cm 0cm'><p><b>From:</b> x</p></div>",
        ),
        (
            "<div>收到<div style=\"font-size:12px\">",
            "------------------&nbsp;原始邮件&nbsp;------------------</div>old</div>",
        ),
        ("<div>好的</div>", "<blockquote id=\"isReplyContent\" style=\"PADDING-LEFT:1ex\">old</blockquote>"),
        ("<div>好</div>", "<div class=\"ntes-mailmaster-quote\">old</div>"),
        ("<p>ok</p>", "<div id=\"yahoo_quoted_123\" class=\"yahoo_quoted\">old</div>"),
        ("<p>ok</p>", "<div class=\"moz-cite-prefix\">Am x</div><blockquote type=cite>old</blockquote>"),
    ] {
        let html = format!("{fresh}{quoted}");
        assert_eq!(split_html(&html), (fresh, quoted), "{html}");
    }
    for whole in [
        "<p>no quote at all</p>",
        "<div class=\"gmail_quote\"><div>---------- Forwarded message ---------</div>text</div>",
        "<p>fyi</p><div class=\"gmail_quote\"><div>---------- Forwarded message ---------</div>text</div>",
        "<blockquote type=cite>only quoted</blockquote>",
    ] {
        assert_eq!(split_html(whole), (whole, ""), "{whole}");
    }
}

#[test]
fn long_inputs_stay_linear() {
    // Each of these made a quadratic matcher of another product hang.
    for text in [
        "On ".repeat(200_000),
        "On x\n".repeat(100_000),
        "> a\nb\n".repeat(100_000),
        "From:\n".repeat(100_000),
        "发件人:\nTo:\n".repeat(50_000),
        "--\n".repeat(200_000),
    ] {
        let found = split(&text);
        assert!(found.fresh.len() <= text.len());
    }
    let html = "<div class=x>".repeat(100_000);
    assert_eq!(split_html(&html).1, "");
}
