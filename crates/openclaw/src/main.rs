//! `openclaw`: the telephony channel of OpenClaw, as a daemon and as its command line.

fn main() -> std::process::ExitCode {
    openclaw_telephony::run()
}
