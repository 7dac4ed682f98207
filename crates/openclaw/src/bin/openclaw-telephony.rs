//! The same program under the name that OpenClaw's plugin looks for: `openclaw` is the host itself there.

fn main() -> std::process::ExitCode {
    openclaw_telephony::run()
}
