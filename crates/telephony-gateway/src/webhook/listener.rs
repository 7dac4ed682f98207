//! Accepts connections and limits each in time, so that half-sent requests and idle peers cannot pile up.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::ConnectInfo;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

use super::descriptors;
use super::permits::{Permits, Slot};
use crate::stop::GRACE;

/// Time limit for a request's headers, and for an idle connection.
const HEADER_TIMEOUT: Duration = Duration::from_secs(10);

/// Largest size of headers (bytes).
const HEADER_BYTES: usize = 16 * 1024;

/// Shortest interval between log lines about failures to accept.
const REPORT_EVERY: Duration = Duration::from_secs(60);

/// Serves `router` on `listener` until `stop`, then lets open requests finish.
pub async fn serve(listener: TcpListener, router: Router, stop: CancellationToken) {
    let connections = Permits::new(descriptors::connections());
    let mut trouble = UnacceptedConnections::default();
    let mut open = JoinSet::new();
    while let Some(accepted) = stop.run_until_cancelled(listener.accept()).await {
        while open.try_join_next().is_some() {}
        match accepted {
            Ok((stream, peer)) => match connections.take(peer.ip(), Instant::now()) {
                Some(slot) => {
                    open.spawn(serve_connection(stream, peer, slot, router.clone(), stop.clone()));
                }
                None => trouble.report("every connection is busy with a request"),
            },
            Err(error) => {
                trouble.report(&error);
                // Usually out of file descriptors; others have to be closed first.
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
    }
    drop(listener);
    let all_ended = async { while open.join_next().await.is_some() {} };
    if tokio::time::timeout(GRACE, all_ended).await.is_err() {
        tracing::warn!("some requests did not end in time and were aborted");
    }
}

/// Connections that were not accepted, logged once a minute.
#[derive(Default)]
struct UnacceptedConnections {
    reported: Option<Instant>,
    since: u64,
}

impl UnacceptedConnections {
    fn report(&mut self, error: impl std::fmt::Display) {
        self.since += 1;
        if self.reported.is_none_or(|reported| reported.elapsed() >= REPORT_EVERY) {
            self.reported = Some(Instant::now());
            tracing::warn!(%error, count = std::mem::take(&mut self.since), "cannot accept a connection");
        }
    }
}

async fn serve_connection(stream: TcpStream, peer: SocketAddr, slot: Slot, router: Router, stop: CancellationToken) {
    stream.set_nodelay(true).ok();
    let slot = Arc::new(slot);
    let holder = slot.clone();
    let service = tower::service_fn(move |mut request: http::Request<hyper::body::Incoming>| {
        let (router, working) = (router.clone(), holder.work());
        request.extensions_mut().insert(ConnectInfo(peer));
        async move {
            let answer = router.oneshot(request.map(axum::body::Body::new)).await;
            drop(working);
            answer
        }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_TIMEOUT)
        .max_buf_size(HEADER_BYTES)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(service));
    tokio::pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = slot.given_up() => return,
        () = stop.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection ended early");
    }
}
