//! The variables of OpenTelemetry that its Rust SDK leaves to the program. All others it reads itself.

/// What they say.
#[derive(Clone, Copy, Debug)]
pub struct OtelVariables {
    /// Whether spans are exported: not with `OTEL_SDK_DISABLED=true` or `OTEL_TRACES_EXPORTER=none`.
    pub export: bool,
    /// Whether the service is named: by `OTEL_SERVICE_NAME`, or among `OTEL_RESOURCE_ATTRIBUTES`.
    pub names_service: bool,
}

impl OtelVariables {
    /// Those of this process.
    #[expect(clippy::disallowed_methods, reason = "src/config is where the environment is read")]
    pub fn of_process() -> Self {
        Self::of(|name| std::env::var(name).ok())
    }

    /// As `variable` tells them: for tests.
    pub fn of(variable: impl Fn(&str) -> Option<String>) -> Self {
        let is = |name: &str, value: &str| {
            variable(name).is_some_and(|found| found.trim().eq_ignore_ascii_case(value))
        };
        let names_service = variable("OTEL_SERVICE_NAME").is_some_and(|name| !name.is_empty())
            || variable("OTEL_RESOURCE_ATTRIBUTES")
                .is_some_and(|list| list.split(',').any(|pair| pair.trim().starts_with("service.name=")));
        Self {
            export: !is("OTEL_SDK_DISABLED", "true") && !is("OTEL_TRACES_EXPORTER", "none"),
            names_service,
        }
    }
}
