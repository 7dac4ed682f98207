//! Parses urlencoded bodies into pairs, borrowing values that need no decoding; the caller limits their size.

use std::borrow::Cow;
use std::fmt;

/// A parameter: name and value, decoded.
pub type Pair<'a> = (Cow<'a, str>, Cow<'a, str>);

/// The parameters of an `application/x-www-form-urlencoded` body, in order.
///
/// Decoding never fails: a broken percent sequence stays as it is and bytes that are not UTF-8 become U+FFFD, as in the
/// official libraries. `Debug` shows names only, because values contain numbers and texts.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct FormParameters<'a> {
    pairs: Vec<Pair<'a>>,
}

impl<'a> FormParameters<'a> {
    /// Splits and decodes a body.
    pub fn parse(body: &'a [u8]) -> Self {
        Self { pairs: form_urlencoded::parse(body).collect() }
    }

    /// Returns the value of the first parameter with this name.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.pairs.iter().find(|(found, _)| found == name).map(|(_, value)| value.as_ref())
    }

    /// Like [`FormParameters::get`], but an empty value counts as missing, because Twilio sends unknown values as empty.
    pub fn filled(&self, name: &str) -> Option<&str> {
        self.get(name).filter(|value| !value.is_empty())
    }

    /// Returns all parameters, in order.
    pub fn pairs(&self) -> &[Pair<'a>] {
        &self.pairs
    }
}

impl fmt::Debug for FormParameters<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.pairs.iter().map(|(name, _)| name)).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_parameters_are_borrowed_from_the_body() {
        let form = FormParameters::parse(b"NumMedia=0&Body=a+b");
        assert!(matches!(form.pairs(), [(Cow::Borrowed("NumMedia"), Cow::Borrowed("0")), (_, Cow::Owned(_))]));
        assert_eq!(form.get("Body"), Some("a b"));
    }

    #[test]
    fn a_repeated_name_reads_as_its_first_value() {
        let form = FormParameters::parse(b"Digits=1&Digits=2");
        assert_eq!(form.get("Digits"), Some("1"));
        assert_eq!(form.pairs().len(), 2);
    }

    #[test]
    fn an_empty_value_is_present_but_not_filled() {
        let form = FormParameters::parse(b"FromCity=&From=%2B15550005678");
        assert_eq!((form.get("FromCity"), form.filled("FromCity")), (Some(""), None));
        assert_eq!(form.filled("From"), Some("+15550005678"));
        assert_eq!(form.get("from"), None);
    }

    #[test]
    fn broken_escapes_and_bytes_that_are_not_utf8_do_not_lose_the_rest() {
        let form = FormParameters::parse(b"a=100%&b=%FFx&c=\xFEy&=&&d");
        let pairs: Vec<_> = form.pairs().iter().map(|(name, value)| (name.as_ref(), value.as_ref())).collect();
        assert_eq!(pairs, [("a", "100%"), ("b", "\u{FFFD}x"), ("c", "\u{FFFD}y"), ("", ""), ("d", "")]);
    }

    #[test]
    fn debug_output_hides_message_texts() {
        assert_eq!(format!("{:?}", FormParameters::parse(b"Body=secret")), r#"["Body"]"#);
    }
}
