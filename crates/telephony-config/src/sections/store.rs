//! `store`: the message store and retention.

use std::path::PathBuf;

use serde_json::{Value as Json, json};

use crate::document::{Node, quote};
use crate::form::numbers::Whole;
use crate::form::{At, Form};
use crate::keys::ObjectKeys;
use crate::web_address::hide_userinfo;

/// The message store and retention.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoreConfig {
    /// SQLite file; none for the default one in the state folder.
    pub file: Option<PathBuf>,
    /// Days until messages are deleted.
    pub retention_days: u32,
}

impl StoreConfig {
    pub(crate) fn read(keys: &mut ObjectKeys<'_, '_>) -> Self {
        let url = "The database; only SQLite is supported.";
        let url = keys.key("url", url, SqliteUrl).optional_by_rule("SQLite in the state folder", None);
        let days = "Days until messages are deleted.";
        Self {
            file: url.map(|path| keys.reading.environment.expand(&path)),
            retention_days: keys.key("retentionDays", days, Whole { from: 1, to: 36_500_u32 }).or(365),
        }
    }
}

/// `sqlite:` and a path; the value is the path.
struct SqliteUrl;

impl Form for SqliteUrl {
    type Value = String;

    fn expected(&self) -> String {
        "\"sqlite:\" and an absolute path, such as \"sqlite:/var/lib/telephony.sqlite\"".to_owned()
    }

    fn schema(&self) -> Json {
        json!({"type": "string", "pattern": "^sqlite:(//)?[/~]"})
    }

    fn read(&self, node: &Node, at: &mut At<'_>) -> Option<String> {
        let text = at.text(node, &self.expected())?;
        let path = text.strip_prefix("sqlite:").map(|path| path.strip_prefix("//").unwrap_or(path));
        match path.filter(|path| path.starts_with('/') || path.starts_with("~/")) {
            Some(path) => Some(path.to_owned()),
            None => at.wrong(node, format!("found {}, expected {}", quote(&hide_userinfo(&text)), self.expected())),
        }
    }

    fn show(&self, value: &String) -> Json {
        json!(format!("sqlite:{value}"))
    }
}
