//! Attempts with an unknown outcome: the provider's own list decides what happens next.

use std::time::Duration;

use crate::time::Timestamp;

/// Shortest time between giving up on the answer and the second look: Twilio's own limit for webhooks, by which an
/// accepted message is listed. It doubles each time the part was resent without success, so that a list far behind
/// causes few copies.
const SECOND_LOOK_AFTER: Duration = Duration::from_secs(15);

/// Longest time until the second look.
const MAX_SECOND_LOOK_DELAY: Duration = Duration::from_secs(4 * 60);

/// The search starts this long before the attempt, because clocks differ.
pub const LOOK_BACK: Duration = Duration::from_secs(120);

/// After this long, a list that the provider denies stays unavailable.
const DENIED_TIMEOUT: Duration = Duration::from_secs(10 * 60);

/// Wait before fetching the list again after a failure.
const UNREACHABLE_WAIT: Duration = Duration::from_secs(10);

/// Maximum number of resends of a part with an unknown outcome. With the growing waits, the last is more than ten
/// minutes after the first.
const MAX_RESENDS: u32 = 6;

/// A part whose outcome is unknown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Doubt {
    /// Time when we gave up on the answer.
    pub since: Timestamp,
    /// Complete lists without it since then.
    pub absences: u32,
    /// Time since when the provider has continuously denied the list.
    pub denied_since: Option<Timestamp>,
    /// True if the provider answered, so the request is finished. Otherwise it may still be processed later than any
    /// list shows.
    pub is_over: bool,
    /// Number of times that the part was sent again.
    pub resends: u32,
    /// True if it was already resent after a request that may still be processed.
    pub has_left_open: bool,
    /// True if the contact has opted out meanwhile.
    pub is_opted_out: bool,
}

/// The result of a look at the provider's list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SearchResult {
    /// The list is complete and does not contain it.
    Absent,
    /// The list could not be fetched.
    Unreachable,
    /// The provider denies us the list.
    Denied,
}

/// The next step for a part in doubt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DoubtStep {
    /// Look at the list again at that time.
    LookAgainAt(Timestamp),
    /// It was not sent: resend it.
    SendAgain,
    /// It was not sent, and the contact has opted out meanwhile, so it is not resent.
    Canceled,
    /// It stays unknown for good, and the operator gets a notice.
    FinallyUnknown,
}

/// Decides the step after `finding` at `now` for a part in `doubt`.
///
/// It is only resent after two complete lists without it. A request that may still be processed is followed by one
/// resend at most: if all of them were processed in the end, the contact would get as many copies.
pub fn next(doubt: Doubt, finding: SearchResult, now: Timestamp) -> DoubtStep {
    let second_look = doubt.since + second_look_after(doubt.resends);
    match finding {
        SearchResult::Denied if is_denied_for_long(doubt, now) => DoubtStep::FinallyUnknown,
        SearchResult::Unreachable | SearchResult::Denied => DoubtStep::LookAgainAt(now + UNREACHABLE_WAIT),
        SearchResult::Absent if doubt.absences == 0 || now < second_look => {
            DoubtStep::LookAgainAt(if now < second_look { second_look } else { now + UNREACHABLE_WAIT })
        }
        SearchResult::Absent if doubt.resends >= MAX_RESENDS => DoubtStep::FinallyUnknown,
        SearchResult::Absent if doubt.has_left_open && !doubt.is_over => DoubtStep::FinallyUnknown,
        SearchResult::Absent if doubt.is_opted_out => DoubtStep::Canceled,
        SearchResult::Absent => DoubtStep::SendAgain,
    }
}

/// Returns true for a lasting denial. A list that was unreachable for long and is denied only now may be back soon.
fn is_denied_for_long(doubt: Doubt, now: Timestamp) -> bool {
    doubt.denied_since.is_some_and(|since| now.since(since) >= DENIED_TIMEOUT)
}

fn second_look_after(resends: u32) -> Duration {
    MAX_SECOND_LOOK_DELAY.min(SECOND_LOOK_AFTER * 2_u32.saturating_pow(resends.min(MAX_RESENDS)))
}

/// The content of a message, to be compared with one in the provider's list.
#[derive(Debug, Clone, Copy)]
pub struct Content<'m> {
    /// Text as it was handed to the provider.
    pub text: &'m str,
    /// Number of attached files.
    pub media: u32,
}

/// Returns true if a `listed` message, created at `created`, can be the part `ours`, first attempted at `attempted`.
/// The provider may have added words in front of the text, which begin with `added`.
pub fn is_match(listed: Content<'_>, created: Timestamp, ours: Content<'_>, attempted: Timestamp, added: &str) -> bool {
    let says_ours = match ours.text.trim() {
        "" => listed.text.trim().is_empty() || listed.text.starts_with(added),
        text => listed.text == ours.text || listed.text.trim_end().ends_with(text),
    };
    says_ours && listed.media == ours.media && created >= attempted - LOOK_BACK
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SINCE: Timestamp = Timestamp(100_000);

    const ADDED: &str = "Sent from a trial account";

    fn doubt(absences: u32) -> Doubt {
        Doubt {
            since: SINCE,
            absences,
            denied_since: None,
            is_over: false,
            resends: 0,
            has_left_open: false,
            is_opted_out: false,
        }
    }

    #[test]
    fn nothing_is_sent_again_before_two_complete_lists_the_second_late_enough() {
        let early = SINCE + Duration::from_secs(2);
        let late = SINCE + SECOND_LOOK_AFTER;
        for is_over in [false, true] {
            let doubt = |absences| Doubt { is_over, ..doubt(absences) };
            assert_eq!(next(doubt(0), SearchResult::Absent, early), DoubtStep::LookAgainAt(late));
            assert_eq!(next(doubt(1), SearchResult::Absent, early), DoubtStep::LookAgainAt(late));
            assert!(matches!(next(doubt(0), SearchResult::Absent, late), DoubtStep::LookAgainAt(_)));
            assert_eq!(next(doubt(1), SearchResult::Absent, late), DoubtStep::SendAgain);
        }
    }

    #[test]
    fn a_list_that_is_denied_for_ten_minutes_leaves_it_unknown_for_good() {
        let began = SINCE + Duration::from_secs(6000);
        let denied = |since| Doubt { denied_since: since, ..doubt(0) };
        let after = |seconds| next(denied(Some(began)), SearchResult::Denied, began + Duration::from_secs(seconds));
        assert!(matches!(after(599), DoubtStep::LookAgainAt(_)));
        assert_eq!(after(600), DoubtStep::FinallyUnknown);
        assert!(
            matches!(next(denied(None), SearchResult::Denied, began), DoubtStep::LookAgainAt(_)),
            "it was out of reach before"
        );
        let unreachable = next(doubt(0), SearchResult::Unreachable, SINCE + Duration::from_secs(6000));
        assert!(matches!(unreachable, DoubtStep::LookAgainAt(_)));
    }

    #[test]
    fn a_part_is_resent_only_once_while_a_request_may_be_in_flight() {
        let late = SINCE + second_look_after(1);
        let open = Doubt { resends: 1, has_left_open: true, ..doubt(1) };
        assert_eq!(next(open, SearchResult::Absent, late), DoubtStep::FinallyUnknown);
        assert_eq!(next(Doubt { is_over: true, ..open }, SearchResult::Absent, late), DoubtStep::SendAgain);
        let often = Doubt { is_over: true, resends: MAX_RESENDS, ..doubt(1) };
        assert_eq!(next(often, SearchResult::Absent, SINCE + MAX_SECOND_LOOK_DELAY), DoubtStep::FinallyUnknown);
    }

    #[test]
    fn an_opted_out_contact_gets_no_resend_and_the_part_counts_as_unsent() {
        let opted_out = |absences| Doubt { is_opted_out: true, ..doubt(absences) };
        let late = SINCE + SECOND_LOOK_AFTER;
        assert!(matches!(next(opted_out(0), SearchResult::Absent, late), DoubtStep::LookAgainAt(_)));
        assert_eq!(next(opted_out(1), SearchResult::Absent, late), DoubtStep::Canceled);
        let open = Doubt { resends: 1, has_left_open: true, ..opted_out(1) };
        assert_eq!(next(open, SearchResult::Absent, SINCE + MAX_SECOND_LOOK_DELAY), DoubtStep::FinallyUnknown);
    }

    #[test]
    fn six_resends_take_more_than_ten_minutes() {
        let waits: Duration = (0..MAX_RESENDS).map(second_look_after).sum();
        assert!(waits >= Duration::from_secs(10 * 60), "{waits:?}");
    }

    #[test]
    fn an_unreachable_list_decides_nothing() {
        let much_later = SINCE + Duration::from_secs(100_000);
        assert!(matches!(next(doubt(5), SearchResult::Unreachable, much_later), DoubtStep::LookAgainAt(_)));
    }

    #[test]
    fn a_trial_prefix_still_matches_and_an_older_twin_does_not() {
        let matches = |listed, created, ours| is_match(sms(listed), created, sms(ours), SINCE, ADDED);
        let prefixed = "Sent from a trial account - hello";
        assert!(matches(prefixed, SINCE, "hello"));
        assert!(matches("hello", SINCE - LOOK_BACK, "hello"));
        assert!(!matches("hello", SINCE - LOOK_BACK - Duration::from_secs(1), "hello"));
        assert!(!matches("hello!", SINCE, "hello"));
        assert!(matches("hello", SINCE, " hello\n"), "a provider trims");
    }

    fn sms(text: &str) -> Content<'_> {
        Content { text, media: 0 }
    }

    #[test]
    fn a_picture_without_text_is_matched_by_number_and_time() {
        let mms = |text, media| Content { text, media };
        let matches = |listed, ours| is_match(listed, SINCE, ours, SINCE, ADDED);
        assert!(matches(mms("", 1), mms("", 1)));
        assert!(matches(mms("Sent from a trial account - ", 1), mms("", 1)));
        assert!(!matches(mms("", 2), mms("", 1)));
        assert!(!matches(mms("hello", 1), mms("", 1)));
        assert!(!matches(mms("hello", 0), mms("hello", 1)));
        assert!(!matches(mms("hello", 1), mms("hello", 0)));
        assert!(!is_match(mms("", 1), SINCE - LOOK_BACK - Duration::from_secs(1), mms("", 1), SINCE, ADDED));
    }

    /// A request during an outage of the provider.
    #[derive(Debug, Clone, Copy)]
    struct Request {
        /// Seconds from the request until its message is listed; none if it is not accepted.
        listed_after: Option<u8>,
        /// True if we get an answer, even an error.
        is_answered: bool,
    }

    /// Sends one part by the rules while all of these requests fail and the next succeeds, with the list unreachable
    /// for some looks. Returns how many messages the contact gets, and whether we know of one.
    fn send(requests: &[Request], unreachable: &[bool]) -> (usize, bool) {
        let (mut now, mut listed_at) = (Timestamp(0), Vec::new());
        let (mut resends, mut has_left_open) = (0, false);
        let mut unreachable = unreachable.iter();
        for request in requests {
            listed_at.extend(request.listed_after.map(|seconds| now + Duration::from_secs(seconds.into())));
            now = now + Duration::from_secs(if request.is_answered { 1 } else { 30 });
            let is_over = request.is_answered;
            let mut doubt = Doubt { since: now, is_over, resends, has_left_open, ..doubt(0) };
            loop {
                if unreachable.next() == Some(&true) {
                    now = now + UNREACHABLE_WAIT;
                    continue;
                }
                if listed_at.iter().any(|at| *at <= now) {
                    return (listed_at.len(), true);
                }
                match next(doubt, SearchResult::Absent, now) {
                    DoubtStep::LookAgainAt(due) => now = due,
                    DoubtStep::SendAgain => break,
                    DoubtStep::FinallyUnknown | DoubtStep::Canceled => return (listed_at.len(), false),
                }
                doubt.absences += 1;
            }
            resends += 1;
            has_left_open |= !request.is_answered;
        }
        (listed_at.len() + 1, true)
    }

    fn request() -> impl Strategy<Value = Request> {
        // An accepted message is listed before the second look.
        let answered = (proptest::option::of(0u8..15), Just(true));
        let open = (proptest::option::of(0u8..45), Just(false));
        prop_oneof![4 => answered, 1 => open]
            .prop_map(|(listed_after, is_answered)| Request { listed_after, is_answered })
    }

    proptest! {
        #[test]
        fn a_part_is_delivered_at_most_once_and_a_loss_is_known(
            requests in proptest::collection::vec(request(), 0..60),
            unreachable in proptest::collection::vec(any::<bool>(), 0..60),
        ) {
            let (messages, is_known) = send(&requests, &unreachable);
            prop_assert_eq!(messages, usize::from(is_known));
        }

        #[test]
        fn six_refusals_lose_nothing(refusals in 0usize..=6, unreachable in proptest::collection::vec(any::<bool>(), 0..40)) {
            let refused = Request { listed_after: None, is_answered: true };
            prop_assert_eq!(send(&vec![refused; refusals], &unreachable), (1, true));
        }

        #[test]
        fn a_list_that_lags_behind_costs_few_copies(lag in 0u8..=200) {
            let refused = Request { listed_after: Some(lag), is_answered: true };
            let copies = send(&[refused; 60], &[]).0;
            // Resent after 15, 45, 105 and 225 s at the earliest.
            let expected = 1 + [15, 45, 105, 225].iter().filter(|seconds| **seconds < usize::from(lag)).count();
            prop_assert!(copies <= expected, "{} copies of {}", copies, expected);
        }

        #[test]
        fn at_most_two_copies_are_sent_however_late_the_provider_processes_requests(open in 2usize..20) {
            let hangs = Request { listed_after: Some(u8::MAX), is_answered: false };
            prop_assert_eq!(send(&vec![hangs; open], &[]).0, 2);
        }
    }
}
