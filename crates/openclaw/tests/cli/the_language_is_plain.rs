//! The texts and doc comments of our crates avoid the words that CONTRIBUTING.md replaces.

use std::path::{Path, PathBuf};

use proc_macro2::{TokenStream, TokenTree};

const WORDS: [&str; 15] = [
    "nobody",
    "somebody",
    "whoever",
    "anew",
    "in vain",
    "all the same",
    "for want of",
    "under way",
    "at work",
    "is told",
    "are told",
    "mend",
    "looked whether",
    "could not be had",
    "a new start",
];

/// Crates that work with any provider, so their texts get its name or need none.
const NEUTRAL: [&str; 3] = ["telephony-domain", "telephony-store", "telephony-gateway"];

/// Returns the source files below a folder.
fn sources(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries
        .flat_map(|entry| match entry.is_dir() {
            true => sources(&entry),
            false => vec![entry],
        })
        .filter(|file| file.extension().is_some_and(|extension| extension == "rs"))
        .collect()
}

/// Returns the literals of some code, with its doc comments, which the parser reads as literals.
fn literals(code: TokenStream) -> Vec<String> {
    code.into_iter()
        .flat_map(|token| match token {
            TokenTree::Group(group) => literals(group.stream()),
            TokenTree::Literal(literal) => vec![literal.to_string()],
            TokenTree::Ident(_) | TokenTree::Punct(_) => Vec::new(),
        })
        .collect()
}

/// Returns the words of a text in lower case, each between two spaces.
fn words(text: &str) -> String {
    let words = text.split(|c: char| !c.is_alphanumeric() && c != '\'').filter(|word| !word.is_empty());
    format!(" {} ", words.collect::<Vec<_>>().join(" ").to_lowercase())
}

fn is_plain(text: &str) -> bool {
    let text_words = words(text);
    !text.contains("(s)") && !WORDS.iter().any(|word| text_words.contains(&format!(" {word} ")))
}

/// Returns the code without its modules of tests.
fn without_tests(code: TokenStream) -> TokenStream {
    let tokens: Vec<_> = code.into_iter().collect();
    let is = |token: Option<&TokenTree>, name: &str| matches!(token, Some(TokenTree::Ident(ident)) if ident == name);
    let is_of_tests = |at: usize| at >= 2 && is(tokens.get(at - 2), "mod") && is(tokens.get(at - 1), "tests");
    (0..tokens.len()).filter(|at| !is_of_tests(*at)).map(|at| tokens[at].clone()).collect()
}

fn names_a_provider(text: &str) -> bool {
    text.contains("Twilio") || words(text).contains(" the provider ") || words(text).contains(" the provider's ")
}

#[test]
fn texts_of_crates_for_any_provider_do_not_name_it() {
    assert!(names_a_provider("Twilio's list") && names_a_provider("The provider's list"));
    assert!(!names_a_provider("{company}'s list") && !names_a_provider("https://demo.twilio.com/"));
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    for file in NEUTRAL.iter().flat_map(|name| sources(&crates.join(name).join("src"))) {
        let code = std::fs::read_to_string(&file).unwrap();
        // Comments may speak of the provider.
        let lines = code.lines().filter(|line| !line.trim_start().starts_with("//"));
        let code: TokenStream = lines.collect::<Vec<_>>().join("\n").parse().unwrap();
        let named: Vec<_> = literals(without_tests(code)).into_iter().filter(|text| names_a_provider(text)).collect();
        assert!(named.is_empty() || file.ends_with("tests.rs"), "{}: {named:#?}", file.display());
    }
}

#[test]
fn texts_and_doc_comments_use_plain_words() {
    assert!(is_plain("1 message, at workstations") && !is_plain("1 message(s)") && !is_plain("It is\ntold."));
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let folders = std::fs::read_dir(crates).unwrap().map(|folder| folder.unwrap().path().join("src"));
    let files: Vec<_> = folders.flat_map(|folder| sources(&folder)).collect();
    assert!(files.len() > 100, "{files:?}");
    for file in files {
        let code: TokenStream = std::fs::read_to_string(&file).unwrap().parse().unwrap();
        let odd: Vec<_> = literals(code).into_iter().filter(|text| !is_plain(text)).collect();
        assert!(odd.is_empty(), "{}: {odd:#?}", file.display());
    }
}
