//! `openclaw`: the telephony channel of OpenClaw, both daemon and command line.

fn main() -> std::process::ExitCode {
    openclaw_telephony::run()
}
