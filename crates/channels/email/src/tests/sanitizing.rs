//! The sanitizer against known attacks and known mails.

use crate::limits;
use crate::sanitize::{Fallback, Remote, sanitize};

fn blocked(html: &str) -> String {
    sanitize(html, Remote::Blocked, &|id| (id == "pic@1").then(|| "/files/7".to_owned())).html
}

fn allowed(html: &str) -> String {
    sanitize(html, Remote::Allowed, &|_| None).html
}

#[test]
fn keeps_what_mail_looks_like() {
    for (html, expect) in [
        ("<p>a <b>b</b><br>c</p>", "<p>a <b>b</b><br>c</p>"),
        (
            "<table><tr><td colspan=2>x</td></tr></table>",
            "<table><tbody><tr><td colspan=\"2\">x</td></tr></tbody></table>",
        ),
        (
            "<a href=\"https://x.cn/?a=1&amp;b=2\">l</a>",
            "<a href=\"https://x.cn/?a=1&amp;b=2\" target=\"_blank\" rel=\"noopener noreferrer nofollow\">l</a>",
        ),
        ("<img src=\"cid:pic%401\" alt=\"图\" width=10>", "<img src=\"/files/7\" alt=\"图\" width=\"10\">"),
        ("<font color=red face=\"微软雅黑\">红</font>", "<font color=\"red\" face=\"微软雅黑\">红</font>"),
        (
            "<p style=\"color: rgb(1,2,3); font-family:'微软雅黑',sans-serif\">x</p>",
            "<p style=\"color: rgb(1,2,3); font-family: '微软雅黑',sans-serif\">x</p>",
        ),
        ("a<o:p></o:p>b<custom>c</custom>", "abc"),
    ] {
        assert_eq!(blocked(html), expect, "{html}");
    }
}

#[test]
fn remote_content_waits_to_be_asked_for() {
    let html = "<img src=\"http://t.cn/p.gif?u=1\"><img src='//x.cn/a.png'><img src=\"data:image/png;base64,xx\"><img src=x.png><td background=https://x>";
    let safe = sanitize(html, Remote::Blocked, &|_| None);
    assert_eq!(
        safe.html,
        "<img data-remote-src=\"https://t.cn/p.gif?u=1\"><img data-remote-src=\"https://x.cn/a.png\"><img><img>"
    );
    assert_eq!(safe.remote, 2);
    assert_eq!(allowed(html), "<img src=\"https://t.cn/p.gif?u=1\"><img src=\"https://x.cn/a.png\"><img><img>");
    assert_eq!(blocked("<img src=\"cid:unknown\">"), "<img>");
}

#[test]
fn a_sender_cannot_name_our_attributes() {
    assert_eq!(allowed("<img data-remote-src=\"https://x.cn\">"), "<img>");
    assert_eq!(blocked("<div data-x=1 id=a name=b class=c onclick=d tabindex=1>t</div>"), "<div>t</div>");
}

#[test]
fn style_loads_and_moves_nothing() {
    for style in [
        "background:url(https://x.cn)",
        "background-color: url(x)",
        "position:fixed",
        "color:expression(alert(1))",
        "color:\\75rl(x)",
        "margin:-500px",
        "color:red/**/",
        "width:calc(100%)",
        "content:'x'",
        "behavior:url(#x)",
        "-moz-binding:url(x)",
        "display:none",
        "color:\"",
        "background:image-set('x')",
        "font-family:<b>",
    ] {
        assert_eq!(blocked(&format!("<p style=\"{}\">x</p>", style.replace('"', "&quot;"))), "<p>x</p>", "{style}");
    }
    assert_eq!(blocked("<p style=\"position:fixed;color:red;x\">x</p>"), "<p style=\"color: red\">x</p>");
}

#[test]
fn attacks_leave_nothing_active() {
    let attacks = [
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "<svg onload=alert(1)>",
        "<svg><script>alert(1)</script></svg>",
        "<a href=\"javascript:alert(1)\">x</a>",
        "<a href=\"&#106;avascript:alert(1)\">x</a>",
        "<a href=\" java\nscript:alert(1)\">x</a>",
        "<a href='data:text/html,<script>alert(1)</script>'>x</a>",
        "<iframe src=javascript:alert(1)>",
        "<object data=x><embed src=x>",
        "<form action=//x><input name=a><button formaction=javascript:x>",
        "<math><mi xlink:href=javascript:x>",
        "<meta http-equiv=refresh content='0;url=//x'>",
        "<base href=//x>",
        "<link rel=stylesheet href=//x>",
        "<style>@import '//x'</style>",
        "<img src=`x`onerror=alert(1)>",
        "<noscript><p title=\"</noscript><img src=x onerror=alert(1)>\">",
        "<svg></p><style><a id=\"</style><img src=1 onerror=alert(1)>\">",
        "<math><mtext><table><mglyph><style><!--</style><img title=\"--&gt;&lt;img src=1 onerror=alert(1)&gt;\">",
        "<!--><img src=x onerror=alert(1)>-->",
        "<select><template><img src=x onerror=alert(1)>",
        "<p title=\"a\" onmouseover=\"x\" title='\"><img onerror=x>'>",
        "<scr<script>ipt>alert(1)</scr</script>ipt>",
        "<<img src=x onerror=alert(1)//",
        "<x onclick=alert(1)>",
        "<video src=x onerror=alert(1)>",
        "<a href=vbscript:x>",
        "<img srcset=\"https://x 1x\">",
        "<td background=javascript:x>",
        "<body onload=alert(1)>",
        "<details open ontoggle=alert(1)>",
        "<a href=\"//x.cn\">rel</a>",
        "<img src=\"cid:x\" onload=\"x\">",
        "<marquee onstart=alert(1)>",
        "<xmp><img src=x onerror=alert(1)></xmp>",
        "<textarea></textarea><img src=x onerror=alert(1)>",
    ];
    for attack in attacks {
        for html in [blocked(attack), allowed(attack)] {
            let mut inert = html.clone();
            // Text may say anything; only tags count.
            for (_, token) in crate::markup::tokens(&html) {
                if let crate::markup::Token::Open(tag) = token {
                    assert!(crate::flatten::tags().any(|known| known == tag.name), "{attack} -> {html}");
                    for (name, value) in &tag.attributes {
                        let plain = crate::flatten::attributes().any(|known| known == *name)
                            || ["data-remote-src", "target", "rel"].contains(&name.as_str());
                        assert!(plain, "{attack} -> {html}");
                        let value = value.to_lowercase();
                        assert!(
                            !["javascript", "data:", "vbscript"].iter().any(|bad| value.trim_start().starts_with(bad)),
                            "{attack} -> {html}"
                        );
                    }
                }
            }
            inert.make_ascii_lowercase();
            assert!(
                !inert.contains("<script") && !inert.contains("<iframe") && !inert.contains("<form"),
                "{attack} -> {html}"
            );
        }
    }
}

#[test]
fn nesting_bombs_are_flattened_with_their_text() {
    for tag in ["div", "b", "ul><li", "table><tr><td", "a href=x", "p"] {
        let html = format!("{}deep text", format!("<{tag}>").repeat(195 * 1024 / (tag.len() + 2)));
        let safe = sanitize(&html, Remote::Blocked, &|_| None);
        assert!(safe.html.contains("deep text"), "{tag}");
        assert!(
            safe.work <= limits::HTML_NODES as u64
                && (safe.flattened > 0 || safe.fallback.is_some() || tag == "p" || tag.starts_with("a ")),
            "{tag}: {} {}",
            safe.work,
            safe.flattened
        );
    }
    let closers = format!("x{}y", "</p></b></div>".repeat(20_000));
    assert!(blocked(&closers).ends_with('y'));
}

#[test]
fn every_trick_of_the_tree_builder_stays_in_budget() {
    let tricks = [
        // Formatting elements left open by their block are rebuilt in each next one.
        (0..1_500).map(|n| format!("<div><b title={n}></div>")).collect::<String>(),
        (0..1_500).map(|n| format!("<p><font title={n}>x")).collect(),
        // Adoption agency: every end tag moves the block's children.
        format!(
            "{}<p>{}{}",
            (0..200).map(|n| format!("<b title={n}>")).collect::<String>(),
            "x<br>".repeat(1_500),
            "</b>".repeat(200)
        ),
        // More than eight blocks above a formatting element stay open.
        "<b><div><div><div><div><div><div><div><div><div></b>".repeat(500),
        // Foster parenting inserts before the table, searching its place each time.
        format!("<table>{}", "<br>x<b>".repeat(6_000)),
        "<div><table><tr><td></div>".repeat(1_500),
        "<table><caption><table><tbody><p>".repeat(1_000),
        "<a href=1><p>".repeat(4_000),
        "<span><div></span>".repeat(4_000),
        "<li><ul>".repeat(4_000),
        "<h1><h2></h1>".repeat(4_000),
        "<colgroup><col><table><col>".repeat(1_500),
        "<b></p>".repeat(6_000),
    ];
    for html in tricks {
        let safe = sanitize(&html, Remote::Blocked, &|_| None);
        assert!(safe.work <= limits::HTML_NODES as u64, "{}", &html[..40]);
        let depth = depth_of(&safe.html);
        assert!(depth <= limits::HTML_DEPTH, "{depth} {}", &html[..40]);
    }
}

/// Open elements in well-formed output.
fn depth_of(html: &str) -> usize {
    let (mut open, mut deepest) = (0_usize, 0_usize);
    for (_, token) in crate::markup::tokens(html) {
        match token {
            crate::markup::Token::Open(tag) if !["br", "img", "hr", "col", "wbr"].contains(&tag.name.as_str()) => {
                open += 1
            }
            crate::markup::Token::Close(_) => open = open.saturating_sub(1),
            _ => {}
        }
        deepest = deepest.max(open);
    }
    deepest
}

#[test]
fn over_budget_shows_text() {
    let html = format!("<p>start</p>{}", "<i>x</i>".repeat(limits::HTML_NODES));
    let safe = sanitize(&html, Remote::Blocked, &|_| None);
    assert_eq!(safe.fallback, Some(Fallback::Nodes));
    assert!(safe.html.starts_with("<p>start"));
    let exactly = format!("<p>{}</p>", "x".repeat(limits::HTML_BYTES - 7));
    assert_eq!(sanitize(&exactly, Remote::Blocked, &|_| None).fallback, None);
    assert_eq!(sanitize(&format!("{exactly} "), Remote::Blocked, &|_| None).fallback, Some(Fallback::Bytes));
}
