//! The span around a request: its trace id stands in each line that is logged meanwhile, and with the feature `otel` it is
//! exported.

use tracing::Span;

#[cfg(feature = "otel")]
use super::otel;
use super::trace_context::{TraceId, TraceParent};

/// Who asks, in the words of W3C Trace Context.
#[derive(Clone, Copy, Debug)]
pub struct Caller<'a> {
    /// The trace and the caller's place in it.
    pub parent: TraceParent,
    /// What the caller's tracing system adds to it, as sent.
    pub state: Option<&'a str>,
}

/// The span of one request.
#[derive(Debug)]
pub struct RequestSpan {
    span: Span,
    trace_id: Option<TraceId>,
}

impl RequestSpan {
    /// Begins one. A request without a trace has none, unless the feature `otel` begins a trace with it: a span costs a warm
    /// answer a microsecond.
    #[cfg_attr(not(feature = "otel"), expect(unused_variables, reason = "the log names the method itself"))]
    pub fn begin(method: &'static str, caller: Option<Caller<'_>>) -> Self {
        let trace_id = caller.map(|caller| caller.parent.trace_id);
        #[cfg(feature = "otel")]
        if let Some((span, trace_id)) = otel::begin_request(method, caller) {
            return Self { span, trace_id: Some(trace_id) };
        }
        // at the level of errors, so that whatever is logged of the request has it
        let span = trace_id.map_or_else(Span::none, |trace_id| tracing::error_span!("request", %trace_id));
        Self { span, trace_id }
    }

    /// What everything that belongs to the request runs in.
    pub fn span(&self) -> Span {
        self.span.clone()
    }

    /// The trace that it belongs to.
    pub fn trace_id(&self) -> Option<TraceId> {
        self.trace_id
    }

    /// Ends it with what came of it. Work that goes on without the client is not its time.
    #[cfg_attr(not(feature = "otel"), expect(unused_variables, reason = "the log names them itself"))]
    pub fn end(self, method: &'static str, route: &'static str, status: u16) {
        #[cfg(feature = "otel")]
        otel::end_request(&self.span, method, route, status);
    }
}
