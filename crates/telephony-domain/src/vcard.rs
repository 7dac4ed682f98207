//! Contact cards (vCard) that contacts send: names and addresses.

/// The content of a card, as far as it fits a text message.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Card {
    /// Name of the person, from `FN` or `N`.
    pub name: String,
    /// Phone numbers as written.
    pub phones: Vec<String>,
    /// E-mail addresses.
    pub emails: Vec<String>,
    /// Name of the organization, from `ORG`.
    pub organization: Option<String>,
}

/// Maximum number of cards read from a file.
const MAX_CARDS: usize = 20;

/// Longest line read (characters); longer ones contain pictures.
const MAX_LINE: usize = 500;

/// Parses the cards in a file; vCard 2.1 to 4.0, names and addresses only.
pub fn read(text: &str) -> Vec<Card> {
    let mut cards = Vec::new();
    let mut open: Option<Card> = None;
    for line in unfolded(text) {
        let Some((property, value)) = line.split_once(':') else { continue };
        let name = property.split(';').next().unwrap_or_default();
        let name = name.rsplit('.').next().unwrap_or_default().to_ascii_uppercase();
        let value = plain(value);
        match (name.as_str(), &mut open) {
            ("BEGIN", _) => open = Some(Card::default()),
            ("END", _) => cards.extend(open.take()),
            ("FN", Some(card)) => card.name = value,
            ("N", Some(card)) if card.name.is_empty() => card.name = in_order(&value),
            ("TEL", Some(card)) => card.phones.push(value.trim_start_matches("tel:").to_owned()),
            ("EMAIL", Some(card)) => card.emails.push(value),
            ("ORG", Some(card)) => card.organization = Some(value.trim_end_matches(';').replace(';', ", ")),
            _ => {}
        }
    }
    cards.extend(open);
    cards.truncate(MAX_CARDS);
    cards
}

impl Card {
    /// Formats the card on one line.
    pub fn line(&self) -> String {
        let name = if self.name.is_empty() { "no name" } else { &self.name };
        let rest = self.organization.iter().chain(&self.phones).chain(&self.emails);
        std::iter::once(name).chain(rest.map(String::as_str)).collect::<Vec<_>>().join(", ")
    }
}

/// Joins folded lines, which continue with a blank at the start of the next one.
fn unfolded(text: &str) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for line in text.lines() {
        match (line.strip_prefix([' ', '\t']), lines.last_mut()) {
            (Some(rest), Some(last)) if last.len() < MAX_LINE => last.push_str(rest),
            (Some(_), _) => {}
            (None, _) => lines.push(line.chars().take(MAX_LINE).collect()),
        }
    }
    lines
}

fn plain(value: &str) -> String {
    let value = value.replace("\\n", " ").replace("\\N", " ").replace("\\,", ",").replace("\\;", ";");
    value.chars().filter(|c| !c.is_control()).collect::<String>().trim().to_owned()
}

/// Reorders `Roe;Jane;;Dr.;` the way people say it.
fn in_order(name: &str) -> String {
    let parts: Vec<&str> = name.split(';').map(str::trim).collect();
    let order = [3, 1, 2, 0, 4].into_iter().filter_map(|at| parts.get(at).copied());
    order.filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_card_of_a_phone_is_one_line() {
        let text = "BEGIN:VCARD\r\nVERSION:3.0\r\nN:Roe;Jane;;;\r\nFN:Jane Roe\r\nORG:Acme\\, Inc.;\r\n\
                    item1.TEL;type=CELL;type=pref:+1 555 000 1111\r\nEMAIL:jane@\r\n example.com\r\n\
                    PHOTO;ENCODING=b:/9j/4AAQ\r\n SkZJRg\r\nEND:VCARD\r\n";
        let cards = read(text);
        assert_eq!(cards.len(), 1);
        assert_eq!(cards[0].line(), "Jane Roe, Acme, Inc., +1 555 000 1111, jane@example.com");
    }

    #[test]
    fn a_card_without_a_full_name_has_its_parts_in_order() {
        let cards = read("BEGIN:VCARD\nN:Roe;Jane;Q.;Dr.;\nTEL;VALUE=uri:tel:+15550001111\nEND:VCARD\nBEGIN:VCARD\n");
        let lines: Vec<String> = cards.iter().map(Card::line).collect();
        assert_eq!(lines, ["Dr. Jane Q. Roe, +15550001111", "no name"]);
    }

    proptest::proptest! {
        #[test]
        fn no_card_causes_a_panic(text in "(BEGIN:VCARD\n)?(\\PC|\n| |;|:){0,200}") {
            for card in read(&text) {
                proptest::prop_assert!(!card.line().contains('\n'));
            }
        }
    }
}
