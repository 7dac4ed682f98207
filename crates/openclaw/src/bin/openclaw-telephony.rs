//! The same program under the name that OpenClaw's plugin looks for, because there `openclaw` is the host.

fn main() -> std::process::ExitCode {
    openclaw_telephony::run()
}
