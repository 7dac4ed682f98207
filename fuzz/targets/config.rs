//! Any configuration file yields a configuration or problems, each with its position, and reveals no secret. The input
//! is the file and, after a NUL, the `.env` beside it.
#![no_main]

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use telephony_config::{Environment, Place, Problem, load};

const TOKEN: &str = "0123456789abcdef0123456789abcdef";

/// A home folder for this process.
static HOME: LazyLock<PathBuf> = LazyLock::new(|| {
    let home = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("target/homes/{}", std::process::id()));
    fs::create_dir_all(home.join(".openclaw")).expect("a home folder");
    home
});

fuzz_target!(|input: &[u8]| {
    let text = String::from_utf8_lossy(input);
    // Secrets can come from programs, which must not run here.
    if text.contains("exec") {
        return;
    }
    let (config, dotenv) = text.split_once('\0').unwrap_or((&text, ""));
    let folder = HOME.join(".openclaw");
    fs::write(folder.join("openclaw.json"), config).expect("a file");
    fs::write(folder.join(".env"), dotenv).expect("a file");
    judge(&text, &[("openclaw.json", config), (".env", dotenv)]);
});

fn judge(text: &str, files: &[(&str, &str)]) {
    let variables = [("TWILIO_AUTH_TOKEN", TOKEN), ("NGROK_AUTHTOKEN", TOKEN)];
    let environment = Environment::new(variables.map(|(name, value)| (name.to_owned(), value.to_owned())), &*HOME);
    let shown = match load(&environment, None) {
        Ok(loaded) => {
            loaded.warnings.iter().for_each(|warning| is_placed(warning, files));
            assert_eq!(loaded.sources[0], HOME.join(".openclaw/openclaw.json"));
            assert!(!loaded.telephony.enabled || loaded.check_complete().is_ok());
            let shown = loaded.show();
            assert!(shown.iter().all(|key| key.path.starts_with("channels.telephony.")));
            let values: String = shown.iter().map(|key| format!("{key:?}")).collect();
            loaded.warnings.iter().fold(format!("{loaded:?}{values}"), |text, warning| format!("{text}{warning}"))
        }
        Err(problems) => {
            assert!(problems.iter().next().is_some());
            problems.iter().for_each(|problem| is_placed(problem, files));
            format!("{problems}{problems:?}")
        }
    };
    // A user who puts `${TWILIO_AUTH_TOKEN}` into a field that is not secret has revealed it.
    assert!(text.contains('$') || text.contains(TOKEN) || !shown.contains(TOKEN), "a secret is shown: {shown}");
}

/// Checks that the position is a character of one of the files, or the end of a line.
fn is_placed(problem: &Problem, files: &[(&str, &str)]) {
    assert!(!problem.message.is_empty());
    match problem.place.as_ref().expect("a place") {
        Place::Variable { .. } => {}
        Place::File { file, line, column } => {
            let name = file.file_name().and_then(|name| name.to_str()).expect("a file name");
            let (_, text) = files.iter().find(|(known, _)| *known == name).expect("one of our files");
            let text = text.split('\n').nth(line - 1).expect("a line of the file");
            assert!((1..=text.len() + 1).contains(column), "{problem}");
        }
    }
}
