//! Parses server-sent events from bytes that arrive in any pieces; the caller interprets them.

use super::MAX_DOCUMENT;

/// Received bytes of an incomplete event.
#[derive(Default)]
pub(super) struct Events {
    line: Vec<u8>,
    data: Option<String>,
    after_cr: bool,
}

/// A line or an event does not end.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct EndlessEvent;

impl Events {
    /// Adds the next bytes and returns the data of the events they complete.
    pub(super) fn feed(&mut self, bytes: &[u8]) -> Result<Vec<String>, EndlessEvent> {
        let mut whole = Vec::new();
        for &byte in bytes {
            let ends_crlf = std::mem::replace(&mut self.after_cr, byte == b'\r') && byte == b'\n';
            match byte {
                b'\n' if ends_crlf => {}
                b'\n' | b'\r' => whole.extend(self.end_line()),
                _ => self.line.push(byte),
            }
            if self.line.len() + self.data.as_ref().map_or(0, String::len) > MAX_DOCUMENT {
                return Err(EndlessEvent);
            }
        }
        Ok(whole)
    }

    /// Returns the data of a last event without a blank line after it.
    pub(super) fn end(&mut self) -> Option<String> {
        self.end_line().or_else(|| self.data.take())
    }

    /// Processes the line that just ended; a blank one ends the event.
    fn end_line(&mut self) -> Option<String> {
        let bytes = std::mem::take(&mut self.line);
        let line = String::from_utf8_lossy(&bytes);
        if line.is_empty() {
            return self.data.take();
        }
        if let Some(value) = line.trim_start_matches('\u{feff}').strip_prefix("data:") {
            self.add(value.strip_prefix(' ').unwrap_or(value));
        }
        None
    }

    fn add(&mut self, value: &str) {
        match &mut self.data {
            Some(data) => {
                data.push('\n');
                data.push_str(value);
            }
            None => self.data = Some(value.to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pieces: &[&[u8]]) -> Vec<String> {
        let mut events = Events::default();
        let mut all: Vec<String> = pieces.iter().flat_map(|piece| events.feed(piece).unwrap()).collect();
        all.extend(events.end());
        all
    }

    #[test]
    fn an_event_cut_at_any_byte_is_read_the_same() {
        let text =
            "\u{feff}data: é💬\r\n\r\n: a comment\r\nevent: x\r\nid: 7\r\ndata:one\rdata: two\n\ndata:  spaced\n\n";
        let whole = read(&[text.as_bytes()]);
        assert_eq!(whole, ["é💬", "one\ntwo", " spaced"]);
        for at in 0..=text.len() {
            let (head, tail) = text.as_bytes().split_at(at);
            assert_eq!(read(&[head, tail]), whole, "cut at byte {at}");
        }
        let single: Vec<&[u8]> = text.as_bytes().chunks(1).collect();
        assert_eq!(read(&single), whole);
    }

    #[test]
    fn the_last_event_needs_no_blank_line() {
        assert_eq!(read(&[b"data: a\n\ndata: [DONE]"]), ["a", "[DONE]"]);
        assert_eq!(read(&[b"data: a\n\ndata: [DONE]\n"]), ["a", "[DONE]"]);
        assert!(read(&[b": only a comment\n\n"]).is_empty());
    }

    #[test]
    fn an_endless_line_does_not_fill_the_memory() {
        let mut events = Events::default();
        let piece = vec![b'x'; MAX_DOCUMENT / 2];
        assert_eq!(events.feed(&piece), Ok(Vec::new()));
        assert_eq!(events.feed(&piece), Ok(Vec::new()));
        assert_eq!(events.feed(b"x"), Err(EndlessEvent));
    }
}
