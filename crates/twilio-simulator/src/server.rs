//! The HTTP listener, which can also cut a connection instead of answering.

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::response::Response;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tower::ServiceExt as _;

/// Marks a response whose connection is cut before its first byte.
#[derive(Clone)]
struct CutConnection;

/// A connection was cut on purpose.
#[derive(Debug, thiserror::Error)]
#[error("the connection was cut as asked")]
struct ConnectionCut;

/// Returns a response that cuts its connection.
pub(crate) fn cut_connection() -> Response {
    let mut response = Response::new(Body::empty());
    response.extensions_mut().insert(CutConnection);
    response
}

/// Returns true if the response cuts its connection.
pub(crate) fn is_cut(response: &Response) -> bool {
    response.extensions().get::<CutConnection>().is_some()
}

/// Serves until the future is dropped, which also closes all connections.
pub(crate) async fn serve(listener: TcpListener, router: Router) {
    let mut connections = JoinSet::new();
    loop {
        match listener.accept().await {
            Ok((stream, _)) => connections.spawn(converse(stream, router.clone())),
            // Out of file descriptors, or the client already disconnected; keep accepting.
            Err(_) => connections.spawn(tokio::task::yield_now()),
        };
        while connections.try_join_next().is_some() {}
    }
}

async fn converse(stream: TcpStream, router: Router) {
    let service = service_fn(move |request: hyper::Request<hyper::body::Incoming>| {
        let router = router.clone();
        async move {
            let request: Request = request.map(Body::new);
            let Ok(response) = router.oneshot(request).await;
            if is_cut(&response) { Err(ConnectionCut) } else { Ok(response) }
        }
    });
    // An error means that the client hung up or that the cut was intended.
    let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
}
