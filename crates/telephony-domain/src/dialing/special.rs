//! Special numbers: emergency and service numbers, and ranges with extra charges.

use super::Special;

/// Four-digit emergency numbers; shorter ones are recognized by their length.
const LONG_EMERGENCY: [&str; 4] = ["1122", "1669", "1919", "1990"];

/// ITU networks without a country: shared-cost and premium services, satellites, global numbers.
const NETWORKS: [&str; 8] = ["808", "870", "878", "881", "882", "883", "888", "979"];

/// Territories in which ordinary numbers have as few as four digits after the code.
const SHORT_NUMBERS: [&str; 2] = ["683", "690"];

/// Codes after which a zero belongs to the number; elsewhere it is a prefix for domestic calls.
const KEEP_ZERO: [&str; 6] = ["225", "227", "229", "241", "242", "39"];

/// Ranges of premium and shared-cost numbers, with the calling code in front: those prefixes under which libphonenumber's
/// metadata (release 9) has no other numbers. `44 70`, `41 878` and `1 900` were added by hand.
const RANGES: &str = "\
1900 2090 21289 213801 213802 213803 2138041 213805 2138061 213808 213809 216811 21682 21688 22181 22188 22709 \
23030 231332 2409 2428 24885 250900 25490 25584 25586 2559 2569 26281 26282 262884 26289 2679 2689 2698 27860 27862 \
27863 27864 27865 27866 27867 27868 27869 279 29790 29890 30801 30806 30812 3082 3085 3087 3090 3190 3270 3290 3381 \
3382 3383 3384 3385 3386 3388 3389 34803 34806 34807 34901 34902 351601 351607 351608 35164 35176 351808 351809 \
352801 352900 352901 352905 35490 355808 35590 3565004 356506 356507 356509 3565100 3565110 3565120 356513 3565140 \
356516 356518 356520 356521 356522 356523 3565240 356526 356527 356528 356529 357801 357802 357803 357804 357805 \
357806 357807 357808 357809 35790 358600 358700 359700 35990 3690 3691 370808 370900 370902 370903 370909 37091 \
37181 3719 37240 37290 373808 37390 374801 374802 374803 374804 37490 37590 3761 3769 3787 38090 38178 3819 38294 \
38295 38390 38560 38561 38564 38565 38569 38689 3869 38781 38782 3879 3895 389801 389802 389803 389804 389805 \
389806 389807 389808 389809 38981 38982 38983 38984 38985 38986 38987 38988 38989 390878 3914 3916 3984 3989 40801 \
4090 4184 41878 4190 42081 42083 42084 42090 420976 42185 42186 42187 42188 42189 421900 42197 42198 4381 4382 4386 \
4389 439 4470 4484 4487 449 4590 46649 4677 46900 46939 46944 4699 4781000 4781001 4781002 4781003 4781004 4781005 \
4781006 478102 478103 478104 478105 478106 478107 478108 4782 4870 48801 4913 49180 49900 50219 50390 5069 507822 \
507855 50786 507877 507878 507886 507900 507981 51801 51805 5230 5290 53807 5460 5530 5540 55486 \
5550 5590 5719 5790 589 59081 59082 59089 59481 59482 59489 59681 59682 59689 59790 59890 5996 6113 6119 62804 \
62809 641 64500 645030 64506 64507 6490 6709 68736 7803 7809 81990 8260 84190 852900 86160 86168 8640 86950 88620 \
90888 9089 90900 9290 96285 9629 96692 968900 971700 971900 972120 9721212 97219 97384 97387 9739";

/// Returns true if a number is special. `code_length` is the length of its calling code, if it has one.
pub(super) fn find(digits: &str, code_length: Option<usize>) -> Option<Special> {
    let (code, national) = digits.split_at_checked(code_length.unwrap_or(0)).unwrap_or((digits, ""));
    let is_long_emergency = LONG_EMERGENCY.contains(&national) && !SHORT_NUMBERS.contains(&code);
    if national.len() <= 3 || digits.len() < 5 || is_long_emergency || is_north_american_service(digits) {
        return Some(Special::Emergency);
    }
    let is_network = code_length.is_none() && NETWORKS.iter().any(|network| digits.starts_with(network));
    let at_home = national.strip_prefix('0').filter(|_| !KEEP_ZERO.contains(&code)).unwrap_or(national);
    let dialed = format!("{code}{at_home}");
    let is_in_range = RANGES.split(' ').any(|range| dialed.starts_with(range));
    (is_network || is_in_range || is_premium_exchange(digits)).then_some(Special::Premium)
}

/// Returns true for 911, 411 and the like as an area code, and for 911 as an exchange: no phone has such a number.
fn is_north_american_service(digits: &str) -> bool {
    let Some(national) = digits.strip_prefix('1') else { return false };
    let is_service = |area: &str| area.ends_with("11");
    national.get(..3).is_some_and(is_service) || national.get(3..6) == Some("911")
}

/// Returns true for the premium exchange 976 of any North American area code.
fn is_premium_exchange(digits: &str) -> bool {
    digits.starts_with('1') && digits.get(4..7) == Some("976")
}
