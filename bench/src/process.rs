//! A server in a separate process, and its resource usage.

use std::fs;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::process::{Child, Command};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

/// The timeout for the server's first answer.
const START_TIMEOUT: Duration = Duration::from_secs(10);

/// Clock ticks per second in which Linux counts CPU time.
const TICKS: f64 = 100.0;

/// A running server, killed on drop.
#[derive(Debug)]
pub struct Process {
    child: Child,
    pub port: u16,
    /// The time from exec to the first answer.
    pub started_in: Duration,
}

impl Process {
    /// Starts a server and waits until it answers on `port`.
    pub fn start(command: &mut Command, port: u16) -> Result<Process> {
        let started = Instant::now();
        let child = command.spawn().with_context(|| format!("cannot start {command:?}"))?;
        let mut process = Process { child, port, started_in: Duration::ZERO };
        while !answers(port) {
            if let Some(status) = process.child.try_wait()? {
                bail!("{command:?} ended with {status}");
            }
            if started.elapsed() > START_TIMEOUT {
                bail!("{command:?} does not answer");
            }
            sleep(Duration::from_micros(100));
        }
        process.started_in = started.elapsed();
        Ok(process)
    }

    /// Returns the resident memory in MB (10⁶ bytes), code included.
    pub fn memory(&self) -> Result<f64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("no VmRSS")?;
        let kib: f64 = line.trim().trim_end_matches(" kB").parse()?;
        Ok(kib * 1024.0 / 1e6)
    }

    /// Returns the CPU time used so far in seconds.
    pub fn cpu(&self) -> Result<f64> {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.child.id()))?;
        let after_name = stat.rsplit_once(')').context("no name")?.1;
        // In proc(5)'s `stat`, field 14 is utime and field 15 is stime; the name is field 2.
        let ticks: Vec<f64> = after_name.split_whitespace().skip(11).take(2).flat_map(str::parse).collect();
        Ok(ticks.iter().sum::<f64>() / TICKS)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let ended = self.child.kill().and_then(|()| self.child.wait());
        if let Err(error) = ended {
            eprintln!("failed to end a server: {error}");
        }
    }
}

/// Returns true if a server answers on `port`, and not only the system's queue for connections.
fn answers(port: u16) -> bool {
    let ask = || -> std::io::Result<usize> {
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
        stream.write_all(b"GET /health HTTP/1.1\r\nHost: bench.example\r\nConnection: close\r\n\r\n")?;
        stream.read(&mut [0; 64])
    };
    ask().is_ok_and(|read| read > 0)
}

/// Returns a free port.
pub fn free_port() -> Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}
