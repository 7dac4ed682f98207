//! Pictures in an agent's answer: removed from its Markdown, to be sent as attachments.

use std::ops::Range;

use pulldown_cmark::{Event, Parser, Tag};

/// Prefix of a line with which OpenClaw's agents attach a file.
const MEDIA_LINE: &str = "MEDIA:";

/// Stands for a picture that was cut off.
const BROKEN: &str = "data:";

/// Returns the answer without its pictures, and the address of each: `https:`, or `data:` with the picture itself
/// (empty if it was cut off). Pictures with other addresses stay.
pub fn take_pictures(markdown: &str) -> (String, Vec<String>) {
    let mut found = images(markdown);
    found.extend(media_lines(markdown));
    found.sort_by_key(|(range, _)| range.start);
    let (mut rest, mut addresses, mut end) = (String::new(), Vec::new(), 0);
    for (range, address) in found {
        // A picture inside another, such as a line in an image's description, was removed with it.
        if range.start >= end {
            rest.push_str(&markdown[end..range.start]);
            end = range.end;
            addresses.push(address);
        }
    }
    rest.push_str(&markdown[end..]);
    if let Some(begin) = broken(&rest) {
        rest.truncate(begin);
        addresses.push(BROKEN.to_owned());
    }
    (rest, addresses)
}

fn images(markdown: &str) -> Vec<(Range<usize>, String)> {
    let events = Parser::new(markdown).into_offset_iter();
    let images = events.filter_map(|(event, range)| match event {
        Event::Start(Tag::Image { dest_url, .. }) => Some((range, dest_url.into_string())),
        _ => None,
    });
    images.filter(|(_, address)| is_of_picture(address)).collect()
}

fn is_of_picture(address: &str) -> bool {
    ["https://", "data:"]
        .iter()
        .any(|scheme| address.get(..scheme.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(scheme)))
}

fn media_lines(text: &str) -> Vec<(Range<usize>, String)> {
    let mut start = 0;
    let mut found = Vec::new();
    for line in text.split_inclusive('\n') {
        let address = line.trim().strip_prefix(MEDIA_LINE).map(|rest| rest.trim().trim_matches(['`', '"', '<', '>']));
        if let Some(address) =
            address.filter(|address| is_of_picture(address) && !address.contains(char::is_whitespace))
        {
            found.push((start..start + line.len(), address.to_owned()));
        }
        start += line.len();
    }
    found
}

/// Returns the start of a picture that was cut off at the end, which is not text either.
fn broken(text: &str) -> Option<usize> {
    let at = text.rfind("](data:").filter(|at| !text[*at..].contains(')'))?;
    Some(text[..at].rfind("![").unwrap_or(at))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(markdown: &str) -> (String, Vec<String>) {
        let (rest, addresses) = take_pictures(markdown);
        (rest.trim().to_owned(), addresses)
    }

    #[test]
    fn pictures_are_removed_from_the_text() {
        let (rest, addresses) =
            taken("Here: ![a cat](https://a.b/1.png \"Cat\") and\n\n![](data:image/gif;base64,R0lG)\n");
        assert_eq!(rest, "Here:  and");
        assert_eq!(addresses, ["https://a.b/1.png", "data:image/gif;base64,R0lG"]);
    }

    #[test]
    fn a_line_of_openclaw_is_a_picture_too() {
        let (rest, addresses) = taken("Look\nMEDIA:https://a.b/1.png\n MEDIA: `https://a.b/2.png`\nbye");
        assert_eq!((rest.as_str(), addresses.len()), ("Look\nbye", 2));
        assert_eq!(addresses[1], "https://a.b/2.png");
    }

    #[test]
    fn links_that_are_not_public_pictures_stay() {
        for text in [
            "![x](http://a.b/1.png)",
            "![x](file:///etc/passwd)",
            "![x](/etc/passwd)",
            "MEDIA:/etc/passwd",
            "MEDIA: none of it",
            "[x](https://a.b/1.png)",
            "`![x](https://a.b/1.png)`",
            "```\n![x](https://a.b/1.png)\n```",
        ] {
            assert_eq!(taken(text), (text.to_owned(), Vec::new()));
        }
    }

    #[test]
    fn a_truncated_picture_is_removed() {
        let cut = "Look: ![x](data:image/png;base64,iVBORw0KGgoAAA";
        assert_eq!(taken(cut), ("Look:".to_owned(), vec![BROKEN.to_owned()]));
    }

    proptest::proptest! {
        #[test]
        fn the_remaining_text_is_unchanged(text in "(!\\[x\\]\\(https://a\\.b/1\\)|MEDIA:https://a|\n|`| |\\PC){0,30}") {
            let (rest, addresses) = take_pictures(&text);
            proptest::prop_assert!(rest.len() <= text.len());
            proptest::prop_assert_eq!(addresses.is_empty(), rest == text);
        }
    }
}
