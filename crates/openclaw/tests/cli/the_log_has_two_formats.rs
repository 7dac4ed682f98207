use crate::bench::{Bench, Ran};

/// Runs a gateway that cannot start and returns its log.
async fn logged(variables: &[(&str, &str)]) -> Ran {
    let bench = Bench::new().await;
    let mut command = bench.command();
    command.args(["gateway", "--config", "/nonexistent/openclaw.json"]).envs(variables.iter().copied());
    tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap().into()
}

#[tokio::test]
async fn an_invalid_variable_is_the_first_log_line() {
    let ran = logged(&[("OPENCLAW_LOG_FORMAT", "yaml"), ("OPENCLAW_LOG", "a=b=c")]).await;
    let lines: Vec<&str> = ran.stderr.lines().collect();
    assert!(lines[0].starts_with('{') && lines[0].contains("OPENCLAW_LOG=a=b=c is not a valid filter"), "{lines:?}");
    assert!(lines[1].contains("OPENCLAW_LOG_FORMAT=yaml is not a format: use `text` or `json`"), "{lines:?}");
}

#[tokio::test]
async fn text_format_can_be_forced_in_a_pipe_without_colors() {
    let ran = logged(&[("OPENCLAW_LOG_FORMAT", "text"), ("OPENCLAW_LOG", "a=b=c")]).await;
    let first = ran.stderr.lines().next().unwrap();
    assert!(first.contains(" ERROR OPENCLAW_LOG=a=b=c is not a valid filter"), "{first:?}");
    assert!(!ran.stderr.contains('\u{1b}'), "{first:?}");
}
