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
        (others < entered.0.max_in_flight).then_some(entered)
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
    // no shared state would be a fault of the application's making; without it nothing can be counted
    let in_flight = match request.app_data::<web::Data<Shared>>().cloned() {
        Some(shared) => match InFlight::enter(web::Data::clone(&shared)) {
            Some(in_flight) => Some(in_flight),
            None => {
                shared.metrics.http_overload.inc();
                return Ok(request.error_response(ApiError::Overloaded));
            }
        },
        None => None,
    };
    let response = next.call(request).await?.map_into_boxed_body();
    drop(in_flight);
    Ok(response)
}
