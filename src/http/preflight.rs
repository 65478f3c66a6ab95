//! `OPTIONS` on any path is `200 {"ok":true}`; a preflight also keeps what CORS has to say.

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::{Method, header};
use actix_web::middleware::Next;
use actix_web::{Error, HttpResponse};
use serde_json::json;

/// Lets the CORS middleware answer first and keeps its headers. A refused preflight has none of them, which is all that a
/// browser looks at.
pub(super) async fn answer_options(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let is_options = request.method() == Method::OPTIONS;
    let response = next.call(request).await?;
    if !is_options {
        return Ok(response.map_into_boxed_body());
    }
    let mut ok = HttpResponse::Ok().json(json!({ "ok": true }));
    for (name, value) in response.headers() {
        if name == header::VARY || name.as_str().starts_with("access-control-") {
            ok.headers_mut().append(name.clone(), value.clone());
        }
    }
    Ok(response.into_response(ok))
}
