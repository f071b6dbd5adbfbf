//! Headers of requests.

use std::net::{IpAddr, Ipv4Addr};

use kernel::locale::Locale;
use kizuna::http::client_address::{TrustedProxies, address_of};
use kizuna::http::entity_tags;
use kizuna::http::language;
use runtime::spans::SpanContext;

/// Lines of `Accept-Language`. A language is chosen only if the lines name it, or exclude the other.
pub fn accept_language(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    let lower = text.to_ascii_lowercase();
    match language::chosen(text.lines()) {
        Some(Locale::Ja) => assert!(lower.contains("ja") || lower.contains("en"), "{text:?}"),
        Some(Locale::En) => assert!(lower.contains("en"), "{text:?}"),
        None => {}
    }
    // The order of the lines is that of one list.
    let list = text.lines().collect::<Vec<_>>().join(",");
    assert_eq!(language::chosen(text.lines()), language::chosen([list.as_str()].into_iter()), "{text:?}");
}

/// Lines of `If-Match`, of `X-Forwarded-For`, and a `traceparent`.
pub fn other(input: &[u8]) {
    let lines = || input.split(|byte| *byte == b'\n');
    if let Ok(Some(versions)) = entity_tags::versions(lines()) {
        // The tags of these versions name them again.
        let tags: Vec<String> = versions.0.iter().map(|version| format!("\"{version}\"")).collect();
        let tags = tags.join(", ");
        if !versions.0.is_empty() {
            assert_eq!(entity_tags::versions([tags.as_bytes()].into_iter()), Ok(Some(versions)), "{tags}");
        }
    }
    let (proxy, stranger) = (IpAddr::V4(Ipv4Addr::new(10, 0, 0, 1)), IpAddr::V4(Ipv4Addr::new(192, 0, 2, 9)));
    let proxies: TrustedProxies = [proxy].into_iter().collect();
    assert_eq!(address_of(stranger, &proxies, lines()), stranger, "nobody trusts this peer");
    let found = address_of(proxy, &proxies, lines());
    assert_eq!(address_of(proxy, &proxies, [found.to_string().as_bytes()].into_iter()), found);
    if let Ok(text) = std::str::from_utf8(input)
        && let Some(context) = SpanContext::parse(text)
    {
        assert_eq!(SpanContext::parse(&context.traceparent()), Some(context), "{text}");
    }
}
