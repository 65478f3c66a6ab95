//! The HTTP/1.1 loop that both emulators share.

use std::{convert::Infallible, error::Error, future::Future, time::Duration};

use bytes::Bytes;
use http::{Request, Response};
use hyper::{
    body::{Body, Incoming},
    service::service_fn,
};
use hyper_util::{
    rt::{TokioExecutor, TokioIo},
    server::conn::auto,
};
use tokio::net::TcpListener;

/// The pause after a failed accept. The usual reason, too many open files, does not go away at once.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Answers every request on `listener` with `handler`, until the runtime ends.
pub(super) async fn serve<H, F, B>(listener: TcpListener, handler: H)
where
    H: Fn(Request<Incoming>) -> F + Clone + Send + 'static,
    F: Future<Output = Response<B>> + Send + 'static,
    B: Body<Data = Bytes> + Send + 'static,
    B::Error: Into<Box<dyn Error + Send + Sync>>,
{
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            tokio::time::sleep(ACCEPT_PAUSE).await;
            continue;
        };
        // Small answers must not wait for the acknowledgement of the one before.
        let _ = stream.set_nodelay(true);
        let handler = handler.clone();
        tokio::spawn(async move {
            let service = service_fn(move |request| {
                let answer = handler(request);
                async move { Ok::<_, Infallible>(answer.await) }
            });
            let server = auto::Builder::new(TokioExecutor::new());
            // A client that goes away in the middle is its own affair.
            let _ = server.serve_connection(TokioIo::new(stream), service).await;
        });
    }
}
