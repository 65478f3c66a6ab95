//! `OPTIONS` on any path is `200 {"ok":true}`; a preflight also keeps what CORS has to say.

use actix_web::HttpResponse;
use actix_web::body::BoxBody;
use actix_web::dev::ServiceResponse;
use actix_web::http::header;
use serde_json::json;

/// Turns whatever was answered to `OPTIONS` into the contract's answer, with the headers of the CORS middleware. A refused
/// preflight has none of them, which is all that a browser looks at.
pub(super) fn answer_options(response: ServiceResponse<BoxBody>) -> ServiceResponse<BoxBody> {
    let mut ok = HttpResponse::Ok().json(json!({ "ok": true }));
    for (name, value) in response.headers() {
        if name == header::VARY || name.as_str().starts_with("access-control-") {
            ok.headers_mut().append(name.clone(), value.clone());
        }
    }
    response.into_response(ok)
}
