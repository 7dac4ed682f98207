//! The gateway under a service manager, for which a socket and a script stand in.

use std::os::unix::net::UnixDatagram;

use crate::bench::{ALICE, Bench, LOOK_EVERY, PATIENCE};

/// The service manager's end of the socket.
struct Manager {
    socket: UnixDatagram,
    folder: tempfile::TempDir,
}

impl Manager {
    fn new() -> Manager {
        let folder = tempfile::tempdir().unwrap();
        let socket = UnixDatagram::bind(folder.path().join("notify")).unwrap();
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        Manager { socket, folder }
    }

    fn address(&self) -> String {
        self.folder.path().join("notify").display().to_string()
    }

    /// Returns the next notification, ignoring watchdog messages.
    fn notification(&self) -> String {
        loop {
            let state = self.next();
            if state != "WATCHDOG=1" {
                return state;
            }
        }
    }

    fn next(&self) -> String {
        let mut buffer = [0; 512];
        let length = self.socket.recv(&mut buffer).expect("the service manager is state nothing");
        String::from_utf8(buffer[..length].to_vec()).unwrap().trim_end().to_owned()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_service_manager_is_notified_of_every_state() {
    let manager = Manager::new();
    let mut bench = Bench::new().await;
    let address = manager.address();
    bench.start_gateway_with(&[("NOTIFY_SOCKET", &address), ("WATCHDOG_USEC", "200000")]).await;
    assert_eq!(manager.notification(), "READY=1");
    assert_eq!(manager.next(), "WATCHDOG=1");
    bench.signal("-HUP");
    let reloading = manager.notification();
    assert!(reloading.starts_with("RELOADING=1\nMONOTONIC_USEC="), "{reloading}");
    assert_eq!(manager.notification(), "READY=1");
    assert_eq!(bench.stop_gateway().await, 0);
    assert_eq!(manager.notification(), "STOPPING=1");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_signal_ends_the_gateway_at_once() {
    let mut bench = Bench::new().await;
    bench.configure("inboundPolicy: 'open', agent: { kind: 'command', command: 'sleep 600' },");
    bench.start_gateway().await;
    bench.text(ALICE, "hello").await;
    bench.wait_for(|status| status["inbox"]["answering"] == 1).await;
    bench.signal("-INT");
    let deadline = std::time::Instant::now() + PATIENCE;
    while !bench.gateway_log().contains("no new work is accepted") {
        assert!(std::time::Instant::now() < deadline, "{}", bench.gateway_log());
        tokio::time::sleep(LOOK_EVERY).await;
    }
    bench.signal("-INT");
    assert_eq!(bench.wait_for_end().await, 130);
}
