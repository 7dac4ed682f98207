//! Who may read and write what, and whether the state folder can be written.

use std::os::unix::fs::PermissionsExt;

use crate::bench::Bench;
use crate::diagnosis::{close, doctor, state};

#[tokio::test]
async fn others_can_read_the_token_and_fix_closes_the_file() {
    let bench = Bench::new().await;
    std::fs::set_permissions(bench.configuration(), std::fs::Permissions::from_mode(0o644)).unwrap();
    let diagnosis = doctor(&bench).await;
    assert!(diagnosis.detail("file-open-to-others").ends_with("openclaw.json has mode 644"));
    let ran = bench.run(&["telephony", "doctor", "--fix", "--dry-run"]).await;
    assert!(ran.stderr.contains("Would be closed to others"), "{ran:?}");
    doctor(&bench).await.has("file-open-to-others");
    let ran = bench.run(&["telephony", "doctor", "--fix"]).await;
    assert!(ran.stderr.contains("Closed to others"), "{ran:?}");
    doctor(&bench).await.has_not("file-open-to-others");
    assert_eq!(std::fs::metadata(bench.configuration()).unwrap().permissions().mode() & 0o777, 0o600);
}
