//! A web server on a free port that answers everything with one handler.

use actix_web::dev::{Handler, ServerHandle};
use actix_web::{App, FromRequest, HttpServer, Responder, rt, web};

pub struct SmallServer {
    port: u16,
    handle: ServerHandle,
}

impl SmallServer {
    pub fn start<H, A>(handler: H) -> Self
    where
        H: Handler<A> + Send,
        A: FromRequest + 'static,
        H::Output: Responder + 'static,
    {
        let new_app = move || App::new().default_service(web::to(handler.clone()));
        let server =
            HttpServer::new(new_app).workers(1).disable_signals().bind(("127.0.0.1", 0)).expect("a port");
        let port = server.addrs()[0].port();
        let server = server.run();
        let handle = server.handle();
        rt::spawn(server);
        Self { port, handle }
    }

    /// `http://HOST:PORT`; with `localhost` it is another site than the service is.
    pub fn url(&self, host: &str) -> String {
        format!("http://{host}:{}", self.port)
    }
}

impl Drop for SmallServer {
    fn drop(&mut self) {
        // the wish is sent at once; nobody waits for the end
        drop(self.handle.stop(false));
    }
}
