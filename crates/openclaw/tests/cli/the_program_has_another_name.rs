//! The program runs as `openclaw-telephony` next to a real OpenClaw, whose `openclaw` does not know our commands.

use std::process::Command;

use crate::bench::{ALICE, Bench, Ran, client};

fn named(bench: &Bench) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_openclaw-telephony"));
    command.env_clear().env("HOME", "/nonexistent").env("OPENCLAW_STATE_DIR", bench.state());
    command
}

async fn run(bench: &Bench, arguments: &[&str]) -> Ran {
    let mut command = named(bench);
    command.args(arguments);
    tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap().into()
}

#[tokio::test]
async fn hints_and_doctor_name_it() {
    let bench = Bench::new().await;
    let status = run(&bench, &["telephony", "status"]).await;
    assert!(status.stdout.contains("start it with `openclaw-telephony gateway`"), "{status:?}");
    let missing = run(&bench, &["telephony", "messages", "out-77"]).await;
    assert!(missing.stderr.contains("hint: `openclaw-telephony telephony messages`"), "{missing:?}");
    for arguments in [["telephony", "doctor"].as_slice(), &["telephony", "--help"], &["pairing", "approve", "--help"]] {
        let ran = run(&bench, arguments).await;
        let said = ran.stdout + &ran.stderr;
        for command in ["openclaw telephony", "openclaw pairing", "openclaw gateway"] {
            assert!(!said.contains(command), "{arguments:?}: {said}");
        }
    }
}

#[tokio::test]
async fn every_hint_names_it() {
    let bench = Bench::new().await;
    let doctor = run(&bench, &["telephony", "doctor", "--json"]).await;
    assert!(doctor.stdout.contains("Start it with `openclaw-telephony gateway`"), "{doctor:?}");
    for arguments in [
        ["telephony", "doctor", "--json"].as_slice(),
        &["telephony", "doctor", "--explain", "gateway-not-running"],
        &["telephony", "doctor", "--explain", "turns-dead"],
        &["telephony", "status", "--json"],
        &["telephony", "simulate", "--help"],
        &["completions", "--help"],
        &["man", "--help"],
    ] {
        let ran = run(&bench, arguments).await;
        let said = ran.stdout + &ran.stderr;
        for command in ["telephony", "pairing", "gateway", "completions", "man"].map(|word| format!("openclaw {word}"))
        {
            assert!(!said.contains(&command), "{arguments:?}: {said}");
        }
    }
}

#[tokio::test]
async fn shells_complete_it() {
    let bench = Bench::new().await;
    for (shell, words) in [
        ("bash", "-o default openclaw-telephony\n"),
        ("zsh", "#compdef openclaw-telephony\n"),
        ("fish", "complete -c openclaw-telephony "),
    ] {
        let script = run(&bench, &["completions", shell]).await.stdout;
        assert!(script.contains(words), "{shell}: {script}");
    }
}

#[tokio::test]
async fn the_manual_names_it() {
    let bench = Bench::new().await;
    let folder = bench.state().join("man1");
    let ran = run(&bench, &["man", folder.to_str().unwrap()]).await;
    assert!(ran.stderr.contains("`man openclaw-telephony`"), "{ran:?}");
    let mut pages = 0;
    for page in std::fs::read_dir(&folder).unwrap() {
        let page = page.unwrap();
        let name = page.file_name().into_string().unwrap();
        assert!(name.starts_with("openclaw-telephony"), "{name}");
        let text = std::fs::read_to_string(page.path()).unwrap().replace("\\-", "-");
        for wrong in ["telephony", "pairing", "gateway", "completions", "man"] {
            for wrong in [format!("openclaw {wrong}"), format!("\nopenclaw-{wrong}(")] {
                assert!(!text.contains(&wrong), "{name}: {wrong}\n{text}");
            }
        }
        pages += 1;
    }
    assert!(pages > 30, "{pages}");
    assert!(folder.join("openclaw-telephony-telephony-send.1").is_file());
    let first = run(&bench, &["man"]).await.stdout;
    assert!(first.contains(".TH openclaw-telephony 1"), "{first}");
}

#[tokio::test]
async fn metrics_name_it() {
    let mut bench = Bench::new().await;
    bench.configure("metrics: { port: 0 },");
    bench.start(named(&bench)).await;
    let status = bench.json(&["telephony", "status", "--json"]).await;
    let url = format!("http://{}/metrics", status["gateway"]["metrics"].as_str().unwrap());
    let page = client().get(url).send().await.unwrap().text().await.unwrap();
    assert!(page.contains("`openclaw-telephony telephony status` has their texts"), "{page}");
}

#[tokio::test]
async fn the_log_names_it() {
    let mut bench = Bench::new().await;
    bench.start(named(&bench)).await;
    let alive = bench.json(&["telephony", "status", "--json"]).await;
    let url = format!("http://{}/elsewhere", alive["gateway"]["listening"].as_str().unwrap());
    let request = client().post(url).header("X-Twilio-Signature", "invalid").send();
    assert_eq!(request.await.unwrap().status(), 404);
    let hint = "`openclaw-telephony telephony webhook sync`";
    bench.wait_for(|_| bench.gateway_log().contains(hint)).await;
}

#[tokio::test]
async fn the_pairing_text_names_it() {
    let mut bench = Bench::new().await;
    bench.start(named(&bench)).await;
    bench.text(ALICE, "hello?").await;
    let text = bench.texts(ALICE, 1).await.remove(0);
    let code = text.split_whitespace().last().unwrap();
    assert!(text.ends_with(&format!("\nopenclaw-telephony pairing approve telephony {code}")), "{text}");
}
