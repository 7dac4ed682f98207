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
