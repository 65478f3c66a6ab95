//! W3C Trace Context: which trace a request belongs to, as its caller says. Only reads it; nothing this service calls goes on
//! with a trace, so that nothing is sent on.

use std::fmt;

/// Bytes of a `traceparent` of version 00; later versions may go on behind them.
const LENGTH: usize = 55;

/// A trace, as its 32 hexadecimal digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TraceId(pub u128);

impl fmt::Display for TraceId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:032x}", self.0)
    }
}

/// What a `traceparent` says. Never zeros where the specification forbids them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TraceParent {
    /// The trace.
    pub trace_id: TraceId,
    /// The caller's span in it.
    pub span_id: u64,
    /// Whether the caller has recorded it.
    pub is_sampled: bool,
}

impl TraceParent {
    /// Reads one header; `None` for what the specification says to ignore.
    pub fn parse(text: &[u8]) -> Option<Self> {
        let (head, rest) = text.split_at_checked(LENGTH)?;
        let mut parts = head.split(|byte| *byte == b'-');
        let mut part = |digits| {
            let part = parts.next().filter(|part| part.len() == digits)?;
            // from_str_radix also takes signs and capitals, which are not allowed here
            let is_hex = part.iter().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
            u128::from_str_radix(std::str::from_utf8(part).ok().filter(|_| is_hex)?, 16).ok()
        };
        let (version, trace_id, span_id, flags) = (part(2)?, part(32)?, part(16)?, part(2)?);
        let ends_well = match version {
            0 => rest.is_empty(),
            0xff => false,
            _ => rest.first().is_none_or(|byte| *byte == b'-'),
        };
        let span_id = u64::try_from(span_id).ok()?;
        (ends_well && trace_id != 0 && span_id != 0).then_some(Self {
            trace_id: TraceId(trace_id),
            span_id,
            is_sampled: flags & 1 == 1,
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const GOOD: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    fn parse(text: &str) -> Option<TraceParent> {
        TraceParent::parse(text.as_bytes())
    }

    #[test]
    fn what_the_specification_allows_is_read() {
        let good = TraceParent {
            trace_id: TraceId(0x4bf9_2f35_77b3_4da6_a3ce_929d_0e0e_4736),
            span_id: 0x00f0_67aa_0ba9_02b7,
            is_sampled: true,
        };
        assert_eq!(parse(GOOD), Some(good));
        assert_eq!(good.trace_id.to_string(), "4bf92f3577b34da6a3ce929d0e0e4736");
        // a later version, with and without more than this one
        assert_eq!(parse(&GOOD.replacen("00", "cc", 1)), Some(good));
        assert_eq!(parse(&format!("{}-what-will-be", GOOD.replacen("00", "01", 1))), Some(good));
        // only the lowest flag has a meaning here
        for (flags, is_sampled) in [("00", false), ("02", false), ("fe", false), ("03", true), ("ff", true)] {
            let text = format!("{}{flags}", &GOOD[..53]);
            assert_eq!(parse(&text), Some(TraceParent { is_sampled, ..good }), "{text}");
        }
    }

    #[test]
    fn anything_else_is_ignored() {
        for text in [
            "",
            "00",
            &GOOD[..54],
            &format!("{GOOD}-"),
            &format!("{GOOD}-more"),
            &format!("{GOOD} "),
            &format!(" {GOOD}"),
            &GOOD.to_uppercase(),
            &GOOD.replacen("00", "ff", 1),
            &GOOD.replacen("00", "0x", 1),
            &format!("{}.more", GOOD.replacen("00", "01", 1)),
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
            "00-+bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e473600-f067aa0ba902b7-01",
            "00_4bf92f3577b34da6a3ce929d0e0e4736_00f067aa0ba902b7_01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-0é",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_ids_are_read_as_they_are_written(trace in 1..u128::MAX, span in 1..u64::MAX, flags in any::<u8>()) {
            let found = parse(&format!("00-{trace:032x}-{span:016x}-{flags:02x}"));
            let is_sampled = flags & 1 == 1;
            prop_assert_eq!(found, Some(TraceParent { trace_id: TraceId(trace), span_id: span, is_sampled }));
        }

        #[test]
        fn any_bytes_are_read_without_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..80)) {
            let _ = TraceParent::parse(&bytes);
        }
    }
}
