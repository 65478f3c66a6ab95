//! A bound on the requests that are worked on at once: beyond it the answer is a cheap 503 instead of a long queue.

use std::sync::atomic::Ordering;

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::middleware::Next;
use actix_web::{Error, web};

use super::Shared;
use super::error::ApiError;

/// Counts a request for as long as it lives, also when its client goes away.
struct InFlight(web::Data<Shared>);

impl InFlight {
    /// `None` when there are too many others.
    fn enter(shared: web::Data<Shared>) -> Option<Self> {
        let others = shared.in_flight.fetch_add(1, Ordering::Relaxed);
        let entered = Self(shared);
        entered.0.metrics.http_in_flight.inc();
        if others < entered.0.max_in_flight {
            return Some(entered);
        }
        entered.0.metrics.http_overload.inc();
        None
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.in_flight.fetch_sub(1, Ordering::Relaxed);
        self.0.metrics.http_in_flight.dec();
    }
}

/// For the routes that ask DynamoDB; health and metrics must answer under any load.
pub(super) async fn refuse_beyond_max_in_flight(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    // without the shared state, which only a wrongly composed application lacks, there is nothing to count with
    let in_flight = request.app_data::<web::Data<Shared>>().cloned().map(InFlight::enter);
    if let Some(None) = in_flight {
        return Ok(request.error_response(ApiError::Overloaded));
    }
    let response = next.call(request).await?.map_into_boxed_body();
    drop(in_flight);
    Ok(response)
}
