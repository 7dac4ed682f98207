//! File permissions, and state folders that are not writable.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use crate::bench::Bench;
use crate::diagnosis::{close, doctor};

#[tokio::test]
async fn others_can_read_the_token_and_fix_closes_the_file() {
    let bench = Bench::new().await;
    std::fs::set_permissions(bench.configuration(), std::fs::Permissions::from_mode(0o644)).unwrap();
    let diagnosis = doctor(&bench).await;
    assert!(diagnosis.detail("file-open-to-others").ends_with("openclaw.json has mode 644"));
    let ran = bench.run(&["telephony", "doctor", "--fix", "--dry-run"]).await;
    assert!(ran.stderr.contains("Would restrict access to"), "{ran:?}");
    doctor(&bench).await.has("file-open-to-others");
    let ran = bench.run(&["telephony", "doctor", "--fix"]).await;
    assert!(ran.stderr.contains("Restricted access to"), "{ran:?}");
    doctor(&bench).await.has_not("file-open-to-others");
    assert_eq!(std::fs::metadata(bench.configuration()).unwrap().permissions().mode() & 0o777, 0o600);
}

#[tokio::test]
async fn a_writable_configuration_is_reported_and_fix_restricts_it() {
    let bench = Bench::new().await;
    let (path, folder) = (bench.configuration(), bench.configuration().parent().unwrap().to_owned());
    let block = folder.join("block.json5");
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&block, text.split_once("telephony: ").unwrap().1.trim_end().trim_end_matches("} }")).unwrap();
    std::fs::write(&path, "{ channels: { telephony: { $include: './block.json5' } } }").unwrap();
    close(&block);
    let with_mode = |path: &Path, mode| std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    with_mode(&path, 0o644);
    let diagnosis = doctor(&bench).await;
    diagnosis.has_not("file-open-to-others");
    diagnosis.has_not("file-writable-by-others");
    with_mode(&path, 0o666);
    assert!(doctor(&bench).await.detail("file-writable-by-others").ends_with("openclaw.json has mode 666"));
    bench.run(&["telephony", "doctor", "--fix"]).await;
    doctor(&bench).await.has_not("file-writable-by-others");
    let mode = std::fs::metadata(&path).unwrap().permissions().mode();
    assert_eq!(mode & 0o006, 0o004, "what is to be read stays so");
    with_mode(&folder, 0o777);
    assert!(doctor(&bench).await.detail("file-writable-by-others").ends_with("has mode 777"));
    with_mode(&folder, 0o1777);
    doctor(&bench).await.has_not("file-writable-by-others");
}

#[tokio::test]
async fn the_state_folder_is_not_writable() {
    let bench = Bench::new().await;
    assert!(doctor(&bench).await.is_well("/telephony is writable"));
    assert!(!bench.configuration().with_file_name("telephony").exists(), "looking makes nothing");
    // No user can create a file there, not even root.
    std::os::unix::fs::symlink("/proc/self", bench.configuration().with_file_name("telephony")).unwrap();
    assert!(doctor(&bench).await.detail("state-not-writable").contains("/telephony: "));
}

#[tokio::test]
async fn a_copy_of_a_damaged_journal_is_reported() {
    let mut bench = Bench::new().await;
    bench.start_gateway().await;
    let copy = bench.state().join("telephony/telephony.sqlite-arrivals-damaged-1");
    std::fs::write(&copy, "?").unwrap();
    assert!(doctor(&bench).await.detail("journal-damaged").ends_with("telephony.sqlite-arrivals-damaged-1"));
}
