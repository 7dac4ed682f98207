//! Readable names for requests: "send", "text in", "status: delivered".

use axum::http::Method;

/// API collections with their singular and plural nouns.
const NOUNS: [(&str, &str, &str); 12] = [
    ("Messages", "message", "messages"),
    ("Media", "picture", "pictures"),
    ("IncomingPhoneNumbers", "number", "numbers"),
    ("Calls", "call", "calls"),
    ("Keys", "key", "keys"),
    ("OutgoingCallerIds", "verified number", "verified numbers"),
    ("Accounts", "account", "accounts"),
    ("Services", "messaging service", "messaging services"),
    ("PhoneNumbers", "number of a service", "numbers of a service"),
    ("ShortCodes", "short code", "short codes"),
    ("Usa2p", "campaign", "campaigns"),
    ("Alerts", "alert", "alerts"),
];

/// Returns the name of an API request.
pub(crate) fn of_request(method: &Method, target: &str) -> String {
    let path = target.split('?').next().unwrap_or_default().trim_end_matches(".json");
    let words: Vec<&str> = path.split('/').filter(|word| !word.is_empty()).collect();
    if words.last() == Some(&"Balance") {
        return "fetch balance".to_owned();
    }
    let find = |(index, word): (usize, &&str)| {
        let (_, one, several) = NOUNS.iter().find(|(name, ..)| name == word)?;
        Some((index + 1 == words.len(), *one, *several))
    };
    let Some((is_collection, one, several)) = words.iter().enumerate().rev().find_map(find) else {
        return "unknown request".to_owned();
    };
    match (method.as_str(), is_collection) {
        ("POST", true) if one == "message" => "send".to_owned(),
        ("POST", true) => format!("create {one}"),
        ("POST", false) => format!("update {one}"),
        ("DELETE", _) => format!("delete {one}"),
        (_, true) => format!("list {several}"),
        (_, false) => format!("fetch {one}"),
    }
}

/// Returns the name of a webhook and the phone it concerns.
pub(crate) fn of_webhook(parameters: &[(String, String)]) -> (String, Option<String>) {
    let get = |name: &str| parameters.iter().find(|(key, _)| key == name).map(|(_, value)| value.clone());
    match (get("MessageStatus"), get("CallStatus")) {
        (Some(status), _) => (format!("status: {status}"), get("To")),
        (None, Some(status)) if get("CallbackSource").is_some() => (format!("call status: {status}"), get("From")),
        (None, Some(_)) if get("Direction").is_some_and(|direction| direction != "inbound") => {
            ("call instructions".to_owned(), get("To"))
        }
        (None, Some(_)) => ("call in".to_owned(), get("From")),
        (None, None) => ("text in".to_owned(), get("From")),
    }
}

/// Returns the name of a request for a file.
pub(crate) fn of_file(method: &Method) -> String {
    let verb = if method == Method::HEAD { "check" } else { "fetch" };
    format!("{verb} picture")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn api_requests_have_names() {
        let account = "/2010-04-01/Accounts/AC0123456789abcdef0123456789abcdef";
        for (method, target, name) in [
            ("POST", format!("{account}/Messages.json"), "send"),
            ("GET", format!("{account}/Messages.json?To=%2B1&PageSize=50"), "list messages"),
            ("GET", format!("{account}/Messages/SM1.json"), "fetch message"),
            ("POST", format!("{account}/Messages/SM1.json"), "update message"),
            ("DELETE", format!("{account}/Messages/SM1.json"), "delete message"),
            ("GET", format!("{account}/Messages/MM1/Media.json"), "list pictures"),
            ("GET", format!("{account}/Messages/MM1/Media/ME1"), "fetch picture"),
            ("GET", format!("{account}.json"), "fetch account"),
            ("GET", format!("{account}/Balance.json"), "fetch balance"),
            ("POST", format!("{account}/IncomingPhoneNumbers/PN1.json"), "update number"),
            ("POST", format!("{account}/Calls.json"), "create call"),
            ("GET", "/v1/Services/MG1/PhoneNumbers".to_owned(), "list numbers of a service"),
            ("GET", "/v1/Services/MG1/Compliance/Usa2p".to_owned(), "list campaigns"),
            ("GET", "/v1/Alerts?PageSize=1".to_owned(), "list alerts"),
            ("GET", "/nothing".to_owned(), "unknown request"),
        ] {
            assert_eq!(of_request(&method.parse().unwrap(), &target), name, "{method} {target}");
        }
    }
}
