//! Doctor's findings, and ways to provoke them.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use serde_json::Value;
use telephony_store::sqlite::{Mode, SqliteStore};

use crate::bench::{Bench, Ran};
use crate::proxy::Proxy;

/// Doctor's report.
pub struct Diagnosis {
    pub code: i32,
    pub report: Value,
}

impl Diagnosis {
    pub fn ids(&self) -> Vec<&str> {
        self.report["findings"].as_array().unwrap().iter().map(|row| row["id"].as_str().unwrap()).collect()
    }

    /// Returns the finding's detail; panics if there is no such finding.
    #[track_caller]
    pub fn detail(&self, id: &str) -> &str {
        let rows = self.report["findings"].as_array().unwrap();
        let row = rows.iter().find(|row| row["id"] == id);
        row.unwrap_or_else(|| panic!("no {id} in {:#}", self.report))["detail"].as_str().unwrap()
    }

    #[track_caller]
    pub fn has(&self, id: &str) {
        self.detail(id);
    }

    #[track_caller]
    pub fn has_not(&self, id: &str) {
        assert!(!self.ids().contains(&id), "{:#}", self.report);
    }

    pub fn is_well(&self, text: &str) -> bool {
        self.report["checked"].to_string().contains(text)
    }
}

pub async fn doctor(bench: &Bench) -> Diagnosis {
    diagnosis(bench.run(&["telephony", "doctor", "--json"]).await)
}

/// Parses the report of a finished doctor.
pub fn diagnosis(ran: Ran) -> Diagnosis {
    let report = serde_json::from_str(&ran.stdout).unwrap_or_else(|_| panic!("{ran:?}"));
    let diagnosis = Diagnosis { code: ran.code, report };
    let has_error = diagnosis.report["findings"].as_array().unwrap().iter().any(|row| row["severity"] == "error");
    assert_eq!((diagnosis.code == 1, &diagnosis.report["ok"]), (has_error, &Value::Bool(!has_error)));
    diagnosis
}

pub fn edit(bench: &Bench, from: &str, to: &str) {
    let text = std::fs::read_to_string(bench.configuration()).unwrap();
    assert!(text.contains(from), "{text}");
    std::fs::write(bench.configuration(), text.replace(from, to)).unwrap();
}

pub fn state(bench: &Bench) -> PathBuf {
    let state = bench.configuration().parent().unwrap().join("telephony");
    std::fs::create_dir_all(&state).unwrap();
    state
}

pub fn store(bench: &Bench) -> SqliteStore {
    SqliteStore::open(&state(bench).join("telephony.sqlite"), Mode::Gateway).unwrap()
}

pub fn close(path: &Path) {
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).unwrap();
}

/// Starts a gateway behind a proxy whose address is the public URL.
pub async fn behind_a_proxy() -> (Bench, Proxy, String) {
    let (mut bench, proxy) = (Bench::new().await, Proxy::start().await);
    bench.configure(&format!("publicUrl: 'http://{}',", proxy.address));
    bench.start_gateway().await;
    let gateway = bench.json(&["telephony", "status", "--json"]).await["gateway"]["listening"].clone();
    let gateway = gateway.as_str().unwrap().to_owned();
    proxy.leads_to(&gateway);
    bench.done(&["telephony", "webhook", "sync", "--yes"]).await;
    (bench, proxy, gateway)
}
