//! Reads a chat-completions response as text: events or one JSON document, as the server chooses.

use super::choice::{AnswerPiece, is_word};
use super::output::Output;
use super::sse::{EndlessEvent, Events};
use super::surrogates::{Half, without_halves};
use super::{MAX_DOCUMENT, MAX_RESPONSE};

/// Finish reasons of models that stopped by themselves.
const NATURAL_ENDS: [&str; 6] = ["stop", "eos", "eos_token", "end_turn", "stop_sequence", "end_of_turn"];

/// A reply being read.
#[derive(Default)]
pub(super) struct ChatReply {
    shape: ReplyFormat,
    half: Half,
    output: Output,
    /// True if there was anything that may be an answer, even an empty one.
    has_choice: bool,
    /// True if there was anything else.
    has_others: bool,
    /// True if it arrives in pieces.
    has_delta: bool,
    finish_reason: Option<String>,
    is_complete: bool,
    received: usize,
}

/// The format of a response, recognized by its first byte, because its `Content-Type` is not reliable.
#[derive(Default)]
enum ReplyFormat {
    #[default]
    Undecided,
    Events(Events),
    Document(Vec<u8>),
}

/// A reason why the response is not an answer.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Broken {
    /// It ended before the answer did.
    Cut,
    /// The server reports an error, with its code.
    Error(Option<String>),
    /// It is empty, but not because the model chose to say nothing; with the server's reason.
    Empty(Option<String>),
    /// It does not end.
    Endless,
    /// It is a web page.
    WebPage,
    /// It is something else.
    Unreadable,
}

impl ChatReply {
    /// Returns true if the answer has ended cleanly.
    pub(super) fn is_complete(&self) -> bool {
        self.is_complete
    }

    /// Returns true after a finish reason: nothing of the answer follows.
    pub(super) fn is_finished(&self) -> bool {
        self.finish_reason.is_some()
    }

    /// Returns true if words of an answer have arrived.
    pub(super) fn has_begun(&self) -> bool {
        self.output.has_begun()
    }

    /// Returns true if the text so far is a sufficient answer although it did not end in time: the rest would not be
    /// sent.
    pub(super) fn is_enough(&self) -> bool {
        self.output.is_enough()
    }

    /// Returns the answer, once it is complete. An empty one is only silence if the model stopped by itself.
    pub(super) fn into_answer(self) -> Result<String, Broken> {
        let (answer, is_cut) = self.output.answer();
        if is_cut {
            tracing::warn!(bytes = answer.len(), "the agent's answer is too long; the rest of it is dropped");
        }
        match self.finish_reason.as_deref() {
            _ if !answer.trim().is_empty() => Ok(answer),
            _ if self.output.is_endless() => Err(Broken::Endless),
            reason if self.has_choice && reason.is_none_or(is_natural) => Ok(answer),
            reason => {
                let word = reason.filter(|reason| is_word(reason)).map(str::to_owned);
                Err(self.unless_foreign(Broken::Empty(word)))
            }
        }
    }

    /// Adds the next bytes.
    pub(super) fn feed(&mut self, bytes: &[u8]) -> Result<(), Broken> {
        self.received += bytes.len();
        if self.received > MAX_RESPONSE {
            return Err(Broken::Endless);
        }
        let bytes = match self.shape {
            ReplyFormat::Undecided => bytes.trim_ascii_start(),
            _ => bytes,
        };
        self.decide(bytes.first())?;
        match &mut self.shape {
            ReplyFormat::Undecided => Ok(()),
            ReplyFormat::Events(events) => {
                let data = events.feed(bytes)?;
                self.read_all(data)
            }
            ReplyFormat::Document(document) if document.len() + bytes.len() > MAX_DOCUMENT => Err(Broken::Endless),
            ReplyFormat::Document(document) => {
                document.extend_from_slice(bytes);
                Ok(())
            }
        }
    }

    /// Marks the end of the bytes.
    pub(super) fn end(&mut self) -> Result<(), Broken> {
        match std::mem::take(&mut self.shape) {
            ReplyFormat::Undecided => Err(Broken::Cut),
            ReplyFormat::Document(document) => self.read_document(&document),
            ReplyFormat::Events(mut events) => {
                // A cut after the finish reason does not affect the answer.
                if !self.is_finished() {
                    self.read_all(events.end())?;
                }
                self.is_complete |= self.is_finished();
                if self.is_complete { Ok(()) } else { Err(self.unless_foreign(Broken::Cut)) }
            }
        }
    }

    /// Returns `broken`, unless nothing that arrived looked like an answer.
    fn unless_foreign(&self, broken: Broken) -> Broken {
        if self.has_others && !self.has_choice { Broken::Unreadable } else { broken }
    }

    fn decide(&mut self, first: Option<&u8>) -> Result<(), Broken> {
        if let (ReplyFormat::Undecided, Some(first)) = (&self.shape, first) {
            self.shape = match first {
                b'{' | b'[' => ReplyFormat::Document(Vec::new()),
                b'<' => return Err(Broken::WebPage),
                _ => ReplyFormat::Events(Events::default()),
            };
        }
        Ok(())
    }

    fn read_all(&mut self, data: impl IntoIterator<Item = String>) -> Result<(), Broken> {
        for data in data {
            if self.is_complete {
                break;
            }
            match data.trim() {
                "" => {}
                "[DONE]" => self.is_complete = true,
                json => {
                    let json = self.half.join(json.to_owned());
                    self.read(&json)?;
                }
            }
        }
        Ok(())
    }

    fn read_document(&mut self, document: &[u8]) -> Result<(), Broken> {
        let json = without_halves(String::from_utf8_lossy(document).into_owned());
        self.read(&json)?;
        self.is_complete = true;
        Ok(())
    }

    /// Reads one JSON object; an answer that is long enough is complete. Some servers send whole answers when pieces
    /// are requested, and some repeat the whole answer after its pieces.
    fn read(&mut self, json: &str) -> Result<(), Broken> {
        let Some(choice) = AnswerPiece::read(json)? else {
            self.has_others = true;
            return Ok(());
        };
        self.has_choice = true;
        self.has_delta |= choice.delta.is_some();
        self.finish_reason = choice.finish_reason.or(self.finish_reason.take());
        let text = choice.delta.or(choice.message.filter(|_| !self.has_delta)).unwrap_or_default();
        self.output.keep(&text);
        self.is_complete |= self.output.is_full();
        Ok(())
    }
}

/// Returns true if a model with this finish reason has said everything it wanted to.
fn is_natural(reason: &str) -> bool {
    NATURAL_ENDS.iter().any(|natural| natural.eq_ignore_ascii_case(reason))
}

impl From<EndlessEvent> for Broken {
    fn from(EndlessEvent: EndlessEvent) -> Self {
        Broken::Endless
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pieces: &[&[u8]]) -> Result<String, Broken> {
        let mut reply = ChatReply::default();
        for piece in pieces {
            reply.feed(piece)?;
            if reply.is_complete() {
                return reply.into_answer();
            }
        }
        reply.end()?;
        assert!(reply.is_complete());
        reply.into_answer()
    }

    fn event(content: &str) -> String {
        format!("data: {}\n\n", serde_json::json!({"choices": [{"delta": {"content": content}}]}))
    }

    #[test]
    fn reasoning_is_not_part_of_the_answer() {
        for begin in ["<thi", "A thi"] {
            let pieces = [begin, "nk>They ", "ask.</th", "ink>\n\n", "Yes", "."].map(event);
            assert_eq!(read(&[pieces.concat().as_bytes(), b"data: [DONE]\n\n"]), Ok("Yes.".into()));
        }
    }

    #[test]
    fn an_incomplete_answer_is_an_error() {
        let cut = event("half of ");
        assert_eq!(read(&[cut.as_bytes()]), Err(Broken::Cut));
        assert_eq!(read(&[&cut.as_bytes()[..20]]), Err(Broken::Unreadable));
        assert_eq!(read(&[]), Err(Broken::Cut));
        assert_eq!(read(&[b" \r\n"]), Err(Broken::Cut));
        assert_eq!(read(&[br#"{"choices":[{"message":{"cont"#]), Err(Broken::Unreadable));
    }

    #[test]
    fn an_answer_cut_at_any_byte_and_joined_again_is_the_same() {
        let stream =
            format!(" \r\n: hi\r\n\r\n{}{}data: [DONE]\r\n\r\n", event("é "), event("💬").replace('\n', "\r\n"));
        for at in 0..=stream.len() {
            let (head, tail) = stream.as_bytes().split_at(at);
            assert_eq!(read(&[head, tail]), Ok("é 💬".into()), "cut at byte {at}");
        }
    }

    #[test]
    fn a_character_cut_in_two_is_put_together() {
        let cut = event("hi H").replace('H', r"\ud83d") + &event("L!").replace('L', r"\udcac") + "data: [DONE]\n\n";
        assert_eq!(read(&[cut.as_bytes()]), Ok("hi 💬!".into()));
    }

    #[test]
    fn an_incomplete_character_does_not_lose_the_answer() {
        let document = br#"{"choices":[{"message":{"content":"hi \ud83d"}}]}"#;
        assert_eq!(read(&[document]), Ok("hi \u{fffd}".into()));
        let alone = event("hi H!").replace('H', r"\ud83d") + "data: [DONE]\n\n";
        assert_eq!(read(&[alone.as_bytes()]), Ok("hi \u{fffd}!".into()));
    }

    #[test]
    fn a_finish_reason_ends_an_answer_as_well_as_done() {
        let finish = r#"data: {"choices":[{"delta":{},"finish_reason":"stop"}]}"#;
        assert_eq!(read(&[event("all").as_bytes(), finish.as_bytes()]), Ok("all".into()));
        assert_eq!(read(&[event("all").as_bytes(), b"data: [DONE]\n\n", b"junk"]), Ok("all".into()));
        let cut_behind = format!("{}{finish}\n\ndata: {{\"usage\":{{", event("all"));
        assert_eq!(read(&[cut_behind.as_bytes()]), Ok("all".into()));
    }

    #[test]
    fn content_other_than_text_is_skipped() {
        let stream = concat!(
            ": keep-alive\n\n",
            "data: {\"choices\":[]}\n\n",
            "data: {\"choices\":[{\"delta\":{\"role\":\"assistant\",\"content\":null}}],\"error\":null}\n\n",
            "data: {\"choices\":[{\"delta\":{\"reasoning_content\":\"hm\"}}]}\n\n",
            "data: {\"choices\":[{\"delta\":{\"content\":\"yes\"}}]}\n\n",
            "data: {\"choices\":[],\"usage\":{\"total_tokens\":3}}\n\n",
            "data: {\"choices\":null,\"usage\":{\"total_tokens\":3}}\n\n",
            "data: {\"sources\":[]}\n\n",
            "data: [DONE]\n\n",
        );
        assert_eq!(read(&[stream.as_bytes()]), Ok("yes".into()));
    }

    #[test]
    fn one_json_document_is_an_answer_too() {
        let plain = br#" {"choices":[{"message":{"content":"plain"}}]}"#;
        assert_eq!(read(&[b" ", plain]), Ok("plain".into()));
        let parts = br#"{"choices":[{"message":{"content":[{"type":"thinking"},{"type":"text","text":"part"}]}}]}"#;
        assert_eq!(read(&[parts]), Ok("part".into()));
        assert_eq!(read(&[br#"{"choices":[{"message":{"content":null}}]}"#]), Ok(String::new()));
    }

    #[test]
    fn an_empty_answer_is_silence_only_where_the_model_stopped_by_itself() {
        let finished = |message: &str, reason: &str| {
            let document = format!(r#"{{"choices":[{{"message":{message},"finish_reason":{reason}}}]}}"#);
            let events = document.replace("message", "delta");
            let answer = read(&[document.as_bytes()]);
            assert_eq!(read(&[b"data: ", events.as_bytes(), b"\n\ndata: [DONE]\n\n"]), answer, "{document}");
            answer
        };
        let empty = |word: &str| Err(Broken::Empty(Some(word.into())));
        assert_eq!(finished(r#"{"content":"","reasoning_content":"hm"}"#, r#""length""#), empty("length"));
        assert_eq!(finished(r#"{"content":"<think>hm"}"#, r#""length""#), empty("length"));
        assert_eq!(finished(r#"{"content":"hm</think>"}"#, r#""length""#), empty("length"));
        assert_eq!(finished(r#"{"content":"\n\n"}"#, r#""length""#), empty("length"));
        assert_eq!(finished(r#"{"content":null}"#, r#""content_filter""#), empty("content_filter"));
        assert_eq!(finished(r#"{"content":null}"#, r#""You said: no""#), Err(Broken::Empty(None)));
        assert_eq!(finished(r#"{"content":null}"#, r#""abort""#), empty("abort"));
        for stopped in [r#""stop""#, r#""STOP""#, r#""eos""#, r#""end_turn""#, "null", r#""""#] {
            assert_eq!(finished(r#"{"content":null}"#, stopped), Ok(String::new()), "{stopped}");
        }
        assert_eq!(finished(r#"{"content":"as far as"}"#, r#""length""#), Ok("as far as".into()));
        assert_eq!(read(&[b"data: [DONE]\n\n"]), Err(Broken::Empty(None)));
    }

    #[test]
    fn an_event_with_a_whole_answer_is_one_unless_it_repeats_the_pieces() {
        let whole = br#"data: {"choices":[{"message":{"content":"all"},"finish_reason":"stop"}]}"#;
        assert_eq!(read(&[whole]), Ok("all".into()));
        assert_eq!(read(&[event("a").as_bytes(), event("ll").as_bytes(), whole]), Ok("all".into()));
    }

    #[test]
    fn a_response_that_is_no_answer_is_recognized() {
        assert_eq!(read(&[b"<!doctype html>"]), Err(Broken::WebPage));
        for foreign in [r#"{"models":[]}"#, r#"{"choices":[]}"#, "[1]"] {
            assert_eq!(read(&[foreign.as_bytes()]), Err(Broken::Unreadable), "{foreign}");
            assert_eq!(read(&[b"data: ", foreign.as_bytes()]), Err(Broken::Unreadable), "{foreign}");
            assert_eq!(read(&[b"data: ", foreign.as_bytes(), b"\n\ndata: [DONE]\n\n"]), Err(Broken::Unreadable));
        }
        assert_eq!(read(&[b"data: not json\n\n"]), Err(Broken::Unreadable));
    }

    #[test]
    fn an_endless_answer_is_cut() {
        let mut reply = ChatReply::default();
        let piece = event(&"é".repeat(1000));
        while !reply.is_complete() {
            reply.feed(piece.as_bytes()).unwrap();
        }
        assert_eq!(reply.into_answer().unwrap().len(), 64 * 1024);
    }

    #[test]
    fn endless_reasoning_is_cut_and_yields_no_answer() {
        let mut reply = ChatReply::default();
        reply.feed(event("<think>").as_bytes()).unwrap();
        let piece = event(&"hm ".repeat(10_000));
        while !reply.is_complete() {
            reply.feed(piece.as_bytes()).unwrap();
        }
        assert!(!reply.has_begun());
        assert_eq!(reply.into_answer(), Err(Broken::Endless));
    }

    #[test]
    fn long_reasoning_does_not_reduce_the_answer() {
        let thought = event(&"hm ".repeat(100_000));
        let stream = event("<think>") + &thought + &event("</think>") + &event("Yes.") + "data: [DONE]\n\n";
        assert_eq!(read(&[stream.as_bytes()]), Ok("Yes.".into()));
    }

    #[test]
    fn a_large_picture_is_an_answer_in_one_event_or_document() {
        let picture = format!("![](data:image/png;base64,{}) there", "A".repeat(5_000_000));
        let in_event = event(&picture) + "data: [DONE]\n\n";
        assert_eq!(read(&[in_event.as_bytes()]).as_ref(), Ok(&picture));
        let document = serde_json::json!({"choices": [{"message": {"content": picture}}]}).to_string();
        assert_eq!(read(&[document.as_bytes()]).as_ref(), Ok(&picture));
    }

    #[test]
    fn an_endless_document_does_not_fill_the_memory() {
        let mut reply = ChatReply::default();
        reply.feed(b"{").unwrap();
        let piece = vec![b' '; MAX_DOCUMENT];
        assert_eq!(reply.feed(&piece), Err(Broken::Endless));
    }

    #[test]
    fn a_response_without_an_answer_ends_whatever_fills_it() {
        for filler in [" ", "\n", ": ping\n\n", "data:\n\n", "data: {\"choices\":[{\"delta\":{}}]}\n\n", "x: y\r\n"] {
            let mut reply = ChatReply { received: MAX_RESPONSE - 3 * filler.len(), ..ChatReply::default() };
            assert!((0..3).all(|_| reply.feed(filler.as_bytes()).is_ok()), "{filler:?}");
            assert_eq!(reply.feed(filler.as_bytes()), Err(Broken::Endless), "{filler:?}");
        }
    }
}
