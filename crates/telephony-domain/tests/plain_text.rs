//! Markdown of agents read on a phone, and ordinary text that only looks like Markdown.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use proptest::prelude::*;
use proptest::sample::select;
use telephony_domain::plain_text::from_markdown;

#[track_caller]
fn reads(markdown: &str, expected: &str) {
    assert_eq!(from_markdown(markdown), expected);
}

#[test]
fn emphasis_loses_its_marks() {
    reads(
        "**bold**, *italic*, __bold__, _italic_, ***both*** and ~~gone~~",
        "bold, italic, bold, italic, both and gone",
    );
    reads("**Step 1:** take _two_ **big *red* apples**.", "Step 1: take two big red apples.");
    reads("(*see below*) \"**quoted**\" **重要**です", "(see below) \"quoted\" 重要です");
    reads("**Yes**/**No**, **bold**s, **https://example.com/a_b_c**", "Yes/No, bolds, https://example.com/a_b_c");
}

#[test]
fn a_link_shows_its_address_once() {
    reads("[the docs](https://example.com/a_b_c)", "the docs (https://example.com/a_b_c)");
    reads("[**the** docs](https://example.com \"Title\"), ok", "the docs (https://example.com), ok");
    reads("[https://example.com/](https://example.com)", "https://example.com");
    reads("[example.com](https://www.example.com/)", "https://www.example.com/");
    reads("<https://example.com/_x_> <me@example.com>", "https://example.com/_x_ me@example.com");
    reads(
        "[Call us](tel:+15550001234) [me@example.com](mailto:me@example.com)",
        "Call us (+15550001234) me@example.com",
    );
    reads("[Up](#top) [](https://example.com)", "Up https://example.com");
    reads(
        "![a cat](https://example.com/cat.png) ![](data:image/png;base64,AAAA)",
        "a cat (https://example.com/cat.png)",
    );
    reads(
        "[![logo](https://a.example/l.png)](https://b.example)",
        "logo (https://a.example/l.png) (https://b.example)",
    );
}

#[test]
fn code_loses_its_fences_and_stays_unchanged() {
    reads("Run `ls -l *.txt` now", "Run ls -l *.txt now");
    reads("``a ` b``", "a ` b");
    reads(
        "Do:\n\n```sh\n  echo **hi** # <b>x</b>\n> out_put_\n```\n\nDone.",
        "Do:\n\n  echo **hi** # <b>x</b>\n> out_put_\n\nDone.",
    );
    reads("```\na\n\n    b", "a\n\n    b");
    reads("~~~\n*a*\n~~~", "*a*");
    reads("1. First:\n   ```\n   code\n   ```\n2. Second", "1. First:\n   code\n2. Second");
}

#[test]
fn headings_quotes_and_rules_lose_their_marks() {
    reads("# Title\n\nText\n\n## Part two ##\nMore C# and #1", "Title\n\nText\n\nPart two\nMore C# and #1");
    reads("Title\n=====\n\nPart\n---\ntext", "Title\n\nPart\ntext");
    reads("above\n\n---\n\nbelow\n***\nend\n\n* * *\n", "above\n\nbelow\nend");
    reads("> Quoted\n> **text**\n>\n> > deeper\nlazy\n\nmine", "Quoted\ntext\n\ndeeper\nlazy\n\nmine");
    reads("> Say:\n> ```\n> a > b\n> ```", "Say:\na > b");
}

#[test]
fn lists_keep_their_order_and_their_lines() {
    reads("* one\n* *two*\n  * deep\n\n+ plus\n- dash", "- one\n- two\n  - deep\n\n+ plus\n- dash");
    reads("1. one\n2. **two**\n10) ten", "1. one\n2. two\n10) ten");
    reads("- [ ] open\n- [x] done", "- [ ] open\n- [x] done");
}

#[test]
fn a_table_becomes_one_line_per_row() {
    reads(
        "| Name | **Age** |\n|:-----|----:|\n| Ann | `5\\|6` |\n| Bo |\n|  | 7 |\n\nEnd",
        "Name | Age\nAnn | 5|6\nBo\n | 7\n\nEnd",
    );
    reads("a|b\n-|-\n1|2", "a | b\n1 | 2");
    reads("> |a|b|\n> |-|-|\n> |1|2|", "a | b\n1 | 2");
    reads("|a|b|\n|-|-|\n\nno rows", "a | b\n\nno rows");
}

#[test]
fn formatting_html_tags_are_removed() {
    reads("one<br>two<br/>\nthree<BR />four", "one\ntwo\nthree\nfour");
    reads("<b>bold</b> H<sub>2</sub>O <u>x</U>", "bold H2O x");
    reads("<div>\n<p>text</p>\n</div>", "text");
}

#[test]
fn escapes_and_entities_are_resolved() {
    reads("5 \\* 3, snake\\_case, \\#1, \\[x\\]", "5 * 3, snake_case, #1, [x]");
    reads("AT&amp;T, 1&nbsp;km, a &lt; b", "AT&T, 1 km, a < b");
}

#[test]
fn ordinary_text_stays_unchanged() {
    for text in [
        "2*3*4 = 24 and 5 * 3 * 2",
        "2**3 and 4**2",
        "f(*args, **kwargs)",
        "3 *4*5",
        "a*b*c",
        "snake_case_name a_b __init__.py obj.__dict__ __main__()",
        "_a_.b",
        "1. c******ll@g****.com",
        "user***name***x and p**ss**w0rd, Ab*9*c~~1~~d",
        "**** **** **** 1234",
        "****-****-****-1234 and ****1234****",
        "**not closed* and **neither",
        "__init__ of __main__, __wakeup_all__",
        "2*3*4=24",
        "Tr0ub`4dor`3 and $`ab`1",
        "C:\\dir\\_old C:\\*.txt \\\\server\\share",
        "I <3 you",
        "a < b > c",
        "<name> <CODE> <b>",
        "#hashtag #1",
        "Price* is final",
        "*",
        "**",
        "***bold",
        "_",
        "~5 to 6~ km",
        "~~",
        "1. ",
        "1.",
        "1) one",
        "- one",
        "+ 5\n= 8",
        "2024. A good year",
        "https://example.com/_foo_/*bar*?q=_x_&a=1&copy=2#_y_",
        "ls /usr/*/lib/*/x src/**/*.rs",
        "*.rs and *.toml",
        "don`t and won`t",
        "`",
        "```",
        "x[i](e) and a[0](b.c)",
        "[1]",
        "[x](y z)",
        "[text][ref]",
        "[ref]: https://example.com",
        "^_^ and ^_^",
        "*_*",
        ">_< and >_<",
        ">:( no",
        "> 5 is more",
        ">= 5",
        ">>> print(1)",
        "¯\\_(ツ)_/¯",
        "-_- and -_-",
        " /\\_/\\\n( o.o )\n > ^ <",
        "  indented\n\n      more *code*\n\ttab &amp;",
        "a  \nb   c\n\n\n\nd",
        "cmd \\\n  --flag",
        "yes\n--\nAnn",
        "x\n=\ny",
        "a | b\n1 | 2",
        "👍🏿 **",
        "~~~~~~\ntext",
        "&nosuch; &",
        "a\0b",
        "\u{feff}x",
        "line\r\nline",
        "  spaces  ",
        "\n",
    ] {
        reads(text, text);
    }
}

fn fragments(pool: &'static [&'static str]) -> impl Strategy<Value = String> {
    prop::collection::vec(select(pool), 0..60).prop_map(|fragments| fragments.concat())
}

const MARKS: &[&str] = &[
    "*",
    "**",
    "_",
    "__",
    "~~",
    "`",
    "```",
    "\n",
    "\n\n",
    " ",
    "> ",
    "# ",
    "- ",
    "* ",
    "1. ",
    "|",
    "|-|-|\n",
    "[",
    "]",
    "](",
    ")",
    "!",
    "<",
    ">",
    "</b>",
    "<b>",
    "<br>",
    "<!--",
    "-->",
    "https://a.b/",
    "&amp;",
    "\\",
    "---\n",
    "===\n",
    "~~~",
    "    ",
    "\t",
    "\r\n",
    "a",
    "Word",
    "é",
    "漢",
    "👨\u{200d}👩\u{200d}👧",
    "\u{301}",
    "\0",
    "5",
    ".",
    "data:",
    "#",
];

/// Marks without words of their own.
const QUIET_MARKS: &[&str] = &[
    "*", "**", "_", "__", "~~", "`", "\n", "\n\n", " ", "> ", "# ", "- ", "* ", "1. ", "|", "|-|-|\n", "a", "Word",
    "漢", "5", ".", "---\n", "    ",
];

fn words(text: &str) -> String {
    text.chars().filter(|c| c.is_alphanumeric()).collect()
}

proptest! {
    #[test]
    fn no_text_causes_a_panic(text in prop_oneof![fragments(MARKS), any::<String>()]) {
        from_markdown(&text);
    }

    #[test]
    fn words_among_marks_are_kept(text in fragments(QUIET_MARKS)) {
        prop_assume!(!text.contains("```") && !text.contains("~~~"), "the language of a fence goes");
        prop_assert_eq!(words(&from_markdown(&text)), words(&text));
    }

    /// Runs of marks inside words, as in masked addresses, passwords and file names, stay.
    #[test]
    fn marks_within_words_are_kept(text in "([a-z0-9]{1,4}(\\*{1,6}|_{1,4}|~{1,3})[a-z0-9@.]{0,3}[a-z0-9]( |, |\n)?){1,12}") {
        let text = format!("see {text}");
        prop_assert_eq!(from_markdown(&text), text);
    }

    /// Runs of asterisks without an equal run that closes them stay.
    #[test]
    fn marks_without_an_equal_partner_are_kept(opening in 1usize..7, closing in 1usize..7, word in "[a-z]{1,8}( [a-z]{1,8})?") {
        prop_assume!(opening != closing);
        let text = format!("say {}{word}{} now", "*".repeat(opening), "*".repeat(closing));
        prop_assert_eq!(from_markdown(&text), text);
    }

    #[test]
    fn emphasized_words_lose_their_marks(marks in select(vec!["*", "**", "***", "_", "__", "~~"]), word in "[A-Z][a-z]{1,8}( [a-z]{1,8})?") {
        let text = format!("say {marks}{word}{marks} now");
        prop_assert_eq!(from_markdown(&text), format!("say {word} now"));
    }

    #[test]
    fn text_without_marks_stays_unchanged(text in "[\\p{L}\\p{N} .,;:!?()'\"\n/@%+=€-]{0,200}") {
        // Dashes and equals signs alone on a line are a rule or an underline, so each line here starts with a letter.
        let text: String = text.lines().map(|line| format!("a{line}\n")).collect();
        prop_assert_eq!(from_markdown(&text), text);
    }
}
