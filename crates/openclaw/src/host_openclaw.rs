//! Finds out whether a real OpenClaw shares the state folder, and whether it knows this channel.

use std::path::Path;

use telephony_config::{Location, outline};

/// Sections that only OpenClaw itself writes or needs.
const ITS_OWN: &[&str] = &["agents", "gateway", "meta", "models", "plugins", "session", "tools", "wizard"];

/// Traces of a real OpenClaw.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Beside {
    /// True if a real OpenClaw uses the configuration file or the state folder.
    pub has_openclaw: bool,
    /// True if our plugin is installed in it.
    pub has_plugin: bool,
    /// True if our block is in OpenClaw's own file.
    pub has_our_block: bool,
}

impl Beside {
    pub fn look(location: &Location) -> Self {
        let text = std::fs::read_to_string(&location.config).unwrap_or_default();
        let keys = outline(&text);
        let has = |path: &str| keys.iter().any(|key| key == path);
        let other_channel = |key: &String| key.starts_with("channels.") && key != "channels.telephony";
        let is_its_file = ITS_OWN.iter().any(|name| has(name)) || keys.iter().any(other_channel);
        Self {
            has_openclaw: is_its_file || location.openclaw_state.join("agents").is_dir(),
            has_plugin: has_plugin(&location.openclaw_state, &text),
            has_our_block: has("channels.telephony"),
        }
    }
}

/// Finds the plugin copied to `extensions`, unpacked into a project of its own, or loaded from its source folder.
fn has_plugin(state: &Path, config: &str) -> bool {
    let is_ours = |folder: &Path| {
        let manifest = std::fs::read_to_string(folder.join("openclaw.plugin.json")).unwrap_or_default();
        manifest.contains("\"telephony\"")
    };
    let linked = config.split(['"', '\'']).filter(|text| text.starts_with('/')).map(Path::new);
    state.join("extensions/telephony").is_dir()
        || linked.into_iter().any(is_ours)
        || folders(&state.join("npm/projects"))
            .iter()
            .flat_map(|project| folders(&project.join("node_modules")))
            .any(|package| is_ours(&package) || folders(&package).iter().any(|scoped| is_ours(scoped)))
}

fn folders(parent: &Path) -> Vec<std::path::PathBuf> {
    let entries = std::fs::read_dir(parent).into_iter().flatten().flatten();
    entries.map(|entry| entry.path()).filter(|path| path.is_dir()).collect()
}
