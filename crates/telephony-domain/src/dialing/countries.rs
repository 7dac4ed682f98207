//! The country of a phone number by its first digits, from the ITU's list of assigned codes (E.164, as of 2023-11) and
//! the North American list of area codes (as of 2026-06).
//!
//! The table has only prefixes that decide: if two countries share a code, it has the code for one and the other's
//! prefixes, and the longest prefix wins.

/// Prefixes, each with its country's ISO code.
const PREFIXES: &str = "\
20 EG|211 SS|212 MA|213 DZ|216 TN|218 LY|220 GM|221 SN|222 MR|223 ML|224 GN|225 CI|226 BF|227 NE|228 TG|229 BJ|230 MU|\
231 LR|232 SL|233 GH|234 NG|235 TD|236 CF|237 CM|238 CV|239 ST|240 GQ|241 GA|242 CG|243 CD|244 AO|245 GW|246 IO|247 AC|\
248 SC|249 SD|250 RW|251 ET|252 SO|253 DJ|254 KE|255 TZ|256 UG|257 BI|258 MZ|260 ZM|261 MG|262 RE|262269 YT|262639 YT|\
263 ZW|264 NA|265 MW|266 LS|267 BW|268 SZ|269 KM|27 ZA|290 SH|291 ER|297 AW|298 FO|299 GL|\
30 GR|31 NL|32 BE|33 FR|34 ES|350 GI|351 PT|352 LU|353 IE|354 IS|355 AL|356 MT|357 CY|358 FI|35818 AX|359 BG|36 HU|\
370 LT|371 LV|372 EE|373 MD|374 AM|375 BY|376 AD|377 MC|378 SM|379 VA|380 UA|381 RS|382 ME|383 XK|385 HR|386 SI|387 BA|\
389 MK|39 IT|3906698 VA|40 RO|41 CH|420 CZ|421 SK|423 LI|43 AT|44 GB|441481 GG|447781 GG|447839 GG|\
441534 JE|447509 JE|4477003 JE|447797 JE|447829 JE|447937 JE|441624 IM|447524 IM|447624 IM|447924 IM|45 DK|46 SE|47 NO|\
4779 SJ|48 PL|49 DE|500 FK|501 BZ|502 GT|503 SV|504 HN|505 NI|506 CR|507 PA|508 PM|509 HT|51 PE|52 MX|53 CU|54 AR|55 BR|\
56 CL|57 CO|58 VE|590 GP|591 BO|592 GY|593 EC|594 GF|595 PY|596 MQ|597 SR|598 UY|599 BQ|5999 CW|\
60 MY|61 AU|6189162 CC|6189164 CX|62 ID|63 PH|64 NZ|65 SG|66 TH|670 TL|6721 AQ|6723 NF|673 BN|674 NR|675 PG|676 TO|677 SB|\
678 VU|679 FJ|680 PW|681 WF|682 CK|683 NU|685 WS|686 KI|687 NC|688 TV|689 PF|690 TK|691 FM|692 MH|7 RU|76 KZ|77 KZ|\
81 JP|82 KR|84 VN|850 KP|852 HK|853 MO|855 KH|856 LA|86 CN|880 BD|886 TW|90 TR|91 IN|92 PK|93 AF|94 LK|95 MM|960 MV|\
961 LB|962 JO|963 SY|964 IQ|965 KW|966 SA|967 YE|968 OM|970 PS|971 AE|972 IL|973 BH|974 QA|975 BT|976 MN|977 NP|98 IR|\
992 TJ|993 TM|994 AZ|995 GE|996 KG|998 UZ|\
1 US|1242 BS|1246 BB|1264 AI|1268 AG|1284 VG|1340 VI|1345 KY|1441 BM|1473 GD|1649 TC|1658 JM|1664 MS|1670 MP|1671 GU|\
1684 AS|1721 SX|1758 LC|1767 DM|1784 VC|1787 PR|1809 DO|1829 DO|1849 DO|1868 TT|1869 KN|1876 JM|1939 PR|\
1204 CA|1226 CA|1236 CA|1249 CA|1250 CA|1257 CA|1263 CA|1289 CA|1306 CA|1343 CA|1354 CA|1365 CA|1367 CA|1368 CA|1382 CA|\
1403 CA|1416 CA|1418 CA|1428 CA|1431 CA|1437 CA|1438 CA|1450 CA|1468 CA|1474 CA|1506 CA|1514 CA|1519 CA|1548 CA|1579 CA|\
1581 CA|1584 CA|1587 CA|1600 CA|1604 CA|1613 CA|1622 CA|1639 CA|1647 CA|1672 CA|1683 CA|1705 CA|1709 CA|1742 CA|1753 CA|\
1778 CA|1780 CA|1782 CA|1807 CA|1819 CA|1825 CA|1867 CA|1873 CA|1879 CA|1902 CA|1905 CA|1942 CA";

/// A matched country. Codes of networks without a country, such as +881, have none.
pub(super) struct MatchedCountry {
    pub(super) country: &'static str,
    /// The length of the calling code, such as 1 for +1.
    pub(super) code_length: usize,
}

/// Finds the country of a number's digits.
pub(super) fn find(digits: &str) -> Option<MatchedCountry> {
    let fitting = entries().filter(|(prefix, _)| digits.starts_with(prefix));
    let (longest, country) = fitting.clone().max_by_key(|(prefix, _)| prefix.len())?;
    // The shortest prefix is the calling code. Only +672 has nothing but longer ones.
    let shortest = fitting.map(|(prefix, _)| prefix.len()).min().unwrap_or(longest.len());
    Some(MatchedCountry { country, code_length: shortest.min(3) })
}

/// Returns true if the country with this code has phone numbers.
pub(super) fn is_known(code: &str) -> bool {
    entries().any(|(_, country)| country == code)
}

fn entries() -> impl Iterator<Item = (&'static str, &'static str)> + Clone {
    PREFIXES.split('|').filter_map(|entry| entry.split_once(' '))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn country(digits: &str) -> Option<&'static str> {
        find(digits).map(|found| found.country)
    }

    #[test]
    fn countries_that_share_a_code_are_distinguished() {
        for (digits, expected) in [
            ("15550001234", "US"),
            ("12045550123", "CA"),
            ("18095550123", "DO"),
            ("18765550123", "JM"),
            ("447700300123", "JE"),
            ("447700900123", "GB"),
            ("442079460123", "GB"),
            ("441534555012", "JE"),
            ("77015550123", "KZ"),
            ("74955550123", "RU"),
            ("390669812345", "VA"),
            ("390612345678", "IT"),
            ("59995550123", "CW"),
            ("5997155501", "BQ"),
            ("6723255501", "NF"),
        ] {
            assert_eq!(country(digits), Some(expected), "{digits}");
        }
        // Networks that belong to no country, and codes that are not assigned.
        for digits in ["8815550123", "8835550123", "979555012", "2105550123", "9995550123", "", "0155501"] {
            assert_eq!(country(digits), None, "{digits}");
        }
    }

    #[test]
    fn the_prefixes_are_well_formed_and_each_once() {
        let mut seen = std::collections::HashSet::new();
        for entry in PREFIXES.split('|') {
            let (prefix, country) = entry.split_once(' ').unwrap();
            assert!(prefix.bytes().all(|byte| byte.is_ascii_digit()) && seen.insert(prefix), "{entry}");
            assert!(country.len() == 2 && country.bytes().all(|byte| byte.is_ascii_uppercase()), "{entry}");
        }
    }
}
