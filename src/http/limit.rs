//! A bound on the requests that are worked on at once: beyond it the answer is a cheap 503 instead of a long queue.
//!
//! For the routes that ask DynamoDB; health and metrics must answer under any load.

use std::future::{Ready, ready};
use std::sync::atomic::Ordering;

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest, web};

use super::Shared;
use super::error::ApiError;
use crate::telemetry::metrics::Reason;

/// A place among the requests in flight, for as long as it lives, also when the client goes away. A handler takes it as its
/// first parameter, or the request is refused.
pub(super) struct InFlight(web::Data<Shared>);

impl InFlight {
    fn enter(shared: web::Data<Shared>) -> Result<Self, ApiError> {
        let others = shared.in_flight.fetch_add(1, Ordering::Relaxed);
        let entered = Self(shared);
        entered.0.metrics.http_in_flight.inc();
        if others < entered.0.max_in_flight {
            return Ok(entered);
        }
        entered.0.metrics.http_overload.get_or_create(&Reason::IN_FLIGHT).inc();
        Err(ApiError::Overloaded)
    }

    pub(super) fn shared(&self) -> &Shared {
        &self.0
    }
}

impl FromRequest for InFlight {
    type Error = actix_web::Error;
    type Future = Ready<Result<Self, Self::Error>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let shared = web::Data::<Shared>::from_request(request, payload).into_inner();
        ready(shared.and_then(|shared| Self::enter(shared).map_err(Into::into)))
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.in_flight.fetch_sub(1, Ordering::Relaxed);
        self.0.metrics.http_in_flight.dec();
    }
}
