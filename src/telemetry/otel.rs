//! Spans to an OpenTelemetry collector: OTLP over HTTP, in batches, from a thread of its own.
//!
//! The standard variables decide where to (`OTEL_EXPORTER_OTLP_…`), what is sampled (`OTEL_TRACES_SAMPLER`, by default what the
//! caller has sampled, and what has no caller), under which name (`OTEL_SERVICE_NAME`) and how (`OTEL_BSP_…`). Only this crate's
//! spans leave, without events: libraries put URLs into theirs. An attribute is a word of a bounded set or a number, never a path,
//! a query, a key or an identifier of a person.

use std::str::FromStr;

use opentelemetry::trace::{SpanContext, SpanId, TraceContextExt, TraceFlags, TraceState, TracerProvider};
use opentelemetry::{Context, KeyValue};
use opentelemetry_otlp::{ExporterBuildError, SpanExporter};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::SdkTracerProvider;
use tracing::{Span, Subscriber, field};
use tracing_opentelemetry::OpenTelemetrySpanExt;
use tracing_subscriber::Layer;
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::registry::LookupSpan;

use super::request_span::Caller;
use super::trace_context::TraceId;
use crate::config::OtelVariables;

/// Sends what is left when it is dropped, for some seconds at most.
#[derive(Debug)]
pub struct Exporting(SdkTracerProvider);

impl Drop for Exporting {
    fn drop(&mut self) {
        if let Err(error) = self.0.shutdown() {
            tracing::warn!(error = &error as &dyn std::error::Error, "the last spans were not exported");
        }
    }
}

/// The layer that exports, and what keeps it going; `None` when the variables turn it off.
pub(super) fn layer<S>(
    variables: OtelVariables,
) -> Result<Option<(impl Layer<S> + use<S>, Exporting)>, ExporterBuildError>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    if !variables.export {
        return Ok(None);
    }
    let exporter = SpanExporter::builder().with_http().build()?;
    let version = KeyValue::new("service.version", env!("CARGO_PKG_VERSION"));
    let mut resource = Resource::builder().with_attribute(version);
    if !variables.names_service {
        resource = resource.with_service_name(env!("CARGO_PKG_NAME"));
    }
    let provider =
        SdkTracerProvider::builder().with_batch_exporter(exporter).with_resource(resource.build()).build();
    let layer = tracing_opentelemetry::layer()
        .with_tracer(provider.tracer(env!("CARGO_PKG_NAME")))
        .with_location(false)
        .with_threads(false)
        .with_target(false)
        .with_tracked_inactivity(false)
        .with_filter(filter_fn(|metadata| metadata.is_span() && is_ours(metadata.target())));
    Ok(Some((layer, Exporting(provider))))
}

fn is_ours(target: &str) -> bool {
    let crate_name = env!("CARGO_CRATE_NAME");
    target.strip_prefix(crate_name).is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
}

/// A span with its caller as its parent, and the trace that it belongs to; `None` when nothing is exported.
pub(super) fn begin_request(method: &'static str, caller: Option<Caller<'_>>) -> Option<(Span, TraceId)> {
    let span = tracing::error_span!(
        "request",
        trace_id = field::Empty,
        otel.name = method,
        otel.kind = "server",
        otel.status_code = field::Empty,
        http.request.method = method,
        http.route = field::Empty,
        http.response.status_code = field::Empty,
    );
    if let Some(caller) = caller {
        span.set_parent(Context::new().with_remote_span_context(span_context(caller))).ok()?;
    }
    let context = span.context();
    let trace_id = context.span().span_context().trace_id();
    let trace_id = TraceId(u128::from_be_bytes(trace_id.to_bytes()));
    (trace_id != TraceId(0)).then(|| {
        span.record("trace_id", field::display(trace_id));
        (span, trace_id)
    })
}

/// What came of the request. Its span ends now, although refills that it began may still run in it.
pub(super) fn end_request(span: &Span, method: &'static str, route: &'static str, status: u16) {
    span.record("http.route", route);
    // a number without a sign would be exported as text
    span.record("http.response.status_code", i64::from(status));
    if status >= 500 {
        span.record("otel.status_code", "ERROR");
    }
    let context = span.context();
    let exported = context.span();
    // a field `otel.name` would come too late: the span has begun with the trace id that the log needs
    exported.update_name(format!("{method} {route}"));
    exported.end();
}

fn span_context(Caller { parent, state }: Caller<'_>) -> SpanContext {
    // what is not well-formed is dropped, and the rest of the context stays
    let state = state.and_then(|state| TraceState::from_str(state).ok()).unwrap_or_default();
    SpanContext::new(
        opentelemetry::trace::TraceId::from_bytes(parent.trace_id.0.to_be_bytes()),
        SpanId::from_bytes(parent.span_id.to_be_bytes()),
        TraceFlags::default().with_sampled(parent.is_sampled),
        true,
        state,
    )
}
