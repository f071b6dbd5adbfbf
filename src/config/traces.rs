//! Where spans are sent, and which. What OpenTelemetry has a name for is set by its own environment variables.

use std::env;

use clap::Args;
use reqwest::Url;
use runtime::sampling::Sampler;

/// The port of OTLP over gRPC.
const GRPC_PORT: u16 = 4317;
/// Where OTLP over HTTP takes spans.
const HTTP_PATH: &str = "/v1/traces";

/// Traces.
#[derive(Args, Clone, Debug, Default)]
pub struct TracesConfig {
    /// Where spans are sent by OTLP, such as http://127.0.0.1:4317; port 4317 means gRPC, any other http/protobuf, unless
    /// OTEL_EXPORTER_OTLP_PROTOCOL says otherwise. Without it no spans are made
    #[arg(long, env = "KIZUNA_OTLP_ENDPOINT")]
    pub otlp_endpoint: Option<String>,
}

/// The settings of traces, checked.
#[derive(Clone, Debug, PartialEq)]
pub struct TracesSettings {
    /// The URL that is called.
    pub url: String,
    /// Whether OTLP is spoken by gRPC; otherwise it is protobuf over HTTP.
    pub is_grpc: bool,
    pub sampler: Sampler,
}

impl TracesConfig {
    /// The settings, with what the environment says; `None` without an endpoint.
    ///
    /// # Errors
    /// One line that names the flag or variable and what is wrong with it.
    pub fn settings(&self) -> Result<Option<TracesSettings>, String> {
        self.settings_with(|name| env::var(name).ok())
    }

    fn settings_with(
        &self,
        variable: impl Fn(&str) -> Option<String>,
    ) -> Result<Option<TracesSettings>, String> {
        let given = |name: &str| variable(name).filter(|value| !value.is_empty());
        let Some(endpoint) = self.otlp_endpoint.as_deref().filter(|endpoint| !endpoint.is_empty()) else {
            return Ok(None);
        };
        let expected = "--otlp-endpoint: expected http://HOST:PORT or https://HOST:PORT";
        let mut url = Url::parse(endpoint).map_err(|why| format!("{expected}: {why}"))?;
        if !matches!(url.scheme(), "http" | "https") || !url.has_host() {
            return Err(expected.to_owned());
        }
        if !url.username().is_empty() || url.password().is_some() {
            let instead = "send credentials by OTEL_EXPORTER_OTLP_HEADERS";
            return Err(format!("--otlp-endpoint: may not hold a user or password; {instead}"));
        }
        let named = ["OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL"];
        let is_grpc = match named.iter().find_map(|name| Some((name, given(name)?))) {
            None => url.port() == Some(GRPC_PORT),
            Some((_, text)) if text == "grpc" => true,
            Some((_, text)) if text == "http/protobuf" => false,
            Some((name, _)) => return Err(format!("{name}: expected grpc or http/protobuf")),
        };
        if !is_grpc && !url.path().ends_with(HTTP_PATH) {
            let path = format!("{}{HTTP_PATH}", url.path().trim_end_matches('/'));
            url.set_path(&path);
        }
        let sampler = Sampler::read(
            given("OTEL_TRACES_SAMPLER").as_deref(),
            given("OTEL_TRACES_SAMPLER_ARG").as_deref(),
        )?;
        Ok(Some(TracesSettings { url: url.to_string(), is_grpc, sampler }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(endpoint: &str, variables: &[(&str, &str)]) -> Result<Option<TracesSettings>, String> {
        let config = TracesConfig { otlp_endpoint: Some(endpoint.to_owned()) };
        config.settings_with(|name| {
            variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn the_port_or_the_standard_variable_says_how_otlp_is_spoken() {
        let (grpc, http) = ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL");
        for (endpoint, variables, is_grpc, url) in [
            ("http://a:4317", &[][..], true, "http://a:4317/"),
            ("http://a:4318", &[], false, "http://a:4318/v1/traces"),
            ("https://a/otlp/", &[], false, "https://a/otlp/v1/traces"),
            ("http://a:4318/v1/traces", &[], false, "http://a:4318/v1/traces"),
            ("http://a:9", &[(http, "grpc")], true, "http://a:9/"),
            ("http://a:4317", &[(http, "http/protobuf")], false, "http://a:4317/v1/traces"),
            ("http://a:9", &[(http, "http/protobuf"), (grpc, "grpc")], true, "http://a:9/"),
        ] {
            let settings = read(endpoint, variables).expect("settings").expect("an endpoint");
            assert_eq!((settings.is_grpc, settings.url.as_str()), (is_grpc, url), "{endpoint} {variables:?}");
        }
        assert_eq!(read("", &[]), Ok(None));
    }

    #[test]
    fn what_is_no_endpoint_protocol_or_sampler_is_refused_by_its_name() {
        for (endpoint, variables, name) in [
            ("collector:4317", &[][..], "--otlp-endpoint"),
            ("ftp://a", &[], "--otlp-endpoint"),
            ("http://user:hush@a:4318", &[], "OTEL_EXPORTER_OTLP_HEADERS"),
            ("http://a", &[("OTEL_EXPORTER_OTLP_PROTOCOL", "http/json")], "OTEL_EXPORTER_OTLP_PROTOCOL"),
            ("http://a", &[("OTEL_TRACES_SAMPLER", "sometimes")], "OTEL_TRACES_SAMPLER"),
            (
                "http://a",
                &[("OTEL_TRACES_SAMPLER", "traceidratio"), ("OTEL_TRACES_SAMPLER_ARG", "2")],
                "OTEL_TRACES_SAMPLER_ARG",
            ),
        ] {
            let error = read(endpoint, variables).expect_err(endpoint);
            assert!(error.contains(name) && !error.contains("hush"), "{endpoint}: {error}");
        }
    }
}
