//! Answers to requests that never reach a handler, because they can't be read or come from a client with too many
//! connections.

use actix_web::http::{StatusCode, header};
use actix_web::web::Bytes;
use kernel::error::{Error, ErrorCode};
use kernel::ids::new_id;
use kernel::locale::Locale;

use crate::http::language;
use crate::http::problem::{PROBLEM_JSON, Problem, locale_tag};

/// The status of an answer that the server made by itself.
pub fn status(answer: &[u8]) -> Option<u16> {
    let code = answer.strip_prefix(b"HTTP/1.")?.get(2..5)?;
    let status = std::str::from_utf8(code).ok()?.parse().ok()?;
    (400..=599).contains(&status).then_some(status)
}

/// The whole answer with this status to a request that began with these bytes; the connection ends with it.
pub fn of(status: u16, head: &[u8]) -> Bytes {
    let code = match status {
        408 => ErrorCode::RequestTimeout,
        429 => ErrorCode::TooManyConnections,
        431 => ErrorCode::HeadTooLarge,
        500.. => ErrorCode::Internal,
        _ if is_beyond_ascii(first_line(head)) => ErrorCode::NonAsciiUrl,
        _ => ErrorCode::MalformedRequest,
    };
    metrics::counter!("kizuna_http_requests_total",
        "method" => "other", "route" => "none", "status" => code.status().to_string())
    .increment(1);
    let locale = language::chosen(accepted_languages(head)).unwrap_or(Locale::En);
    answer(code, locale, &path(head))
}

fn answer(code: ErrorCode, locale: Locale, path: &str) -> Bytes {
    let problem = Problem::new(&Error::new(code), locale, path);
    let body = serde_json::to_string(&problem).expect("a problem is plain values");
    let status = StatusCode::from_u16(code.status()).expect("codes have real statuses");
    let mut answer =
        format!("HTTP/1.1 {} {}\r\n", status.as_u16(), status.canonical_reason().unwrap_or_default());
    let mut set = |name: header::HeaderName, value: &str| answer.push_str(&format!("{name}: {value}\r\n"));
    set(header::CONTENT_TYPE, PROBLEM_JSON);
    set(header::CONTENT_LENGTH, &body.len().to_string());
    set(header::CONTENT_LANGUAGE, locale_tag(locale));
    set(header::CONNECTION, "close");
    set(header::CACHE_CONTROL, "no-store");
    set(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    set(header::HeaderName::from_static("x-request-id"), &new_id().to_string());
    if status == StatusCode::TOO_MANY_REQUESTS {
        set(header::RETRY_AFTER, "1");
    }
    answer.push_str("\r\n");
    answer.push_str(&body);
    answer.into()
}

fn first_line(head: &[u8]) -> &[u8] {
    head.split(|byte| *byte == b'\n').next().unwrap_or_default()
}

fn is_beyond_ascii(line: &[u8]) -> bool {
    !line.is_ascii()
}

/// The path that a request line names, percent-encoded where it is not; `/` if there is none.
fn path(head: &[u8]) -> String {
    let target = first_line(head).split(|byte| *byte == b' ').nth(1).unwrap_or_default();
    let path = target.split(|byte| *byte == b'?').next().unwrap_or_default();
    if !path.starts_with(b"/") {
        return "/".to_owned();
    }
    percent_encoding::percent_encode(path, percent_encoding::CONTROLS).to_string()
}

/// The lines of `Accept-Language` in a head that may be broken.
fn accepted_languages(head: &[u8]) -> impl Iterator<Item = &str> {
    let lines = head.split(|byte| *byte == b'\n').skip(1);
    let texts = lines.filter_map(|line| std::str::from_utf8(line).ok());
    let named = texts.filter_map(|line| line.split_once(':'));
    named
        .filter(|(name, _)| name.trim().eq_ignore_ascii_case("accept-language"))
        .map(|(_, value)| value.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(status: u16, head: &str) -> String {
        String::from_utf8(of(status, head.as_bytes()).to_vec()).expect("text")
    }

    #[test]
    fn a_request_that_cannot_be_read_is_told_why_in_its_language() {
        let head = "GET /api/customers?q=佐々木 HTTP/1.1\r\nHost: x\r\naccept-language: ja\r\n\r\n";
        let answer = refused(400, head);
        assert!(answer.starts_with("HTTP/1.1 400 Bad Request\r\n"), "{answer}");
        assert!(
            answer.contains("content-language: ja\r\n") && answer.contains("\"code\":\"non_ascii_url\""),
            "{answer}"
        );
        assert!(answer.contains("\"instance\":\"/api/customers\""), "{answer}");
        let answer = refused(400, "GET /絆 HTTP/1.1\r\n");
        assert!(answer.contains("\"instance\":\"/%E7%B5%86\""), "{answer}");
        for (status, head, code) in [
            (400, "GET / HTTP/1.1\r\nHost : x\r\n\r\n", "malformed_request"),
            (400, "nonsense", "malformed_request"),
            (400, "", "malformed_request"),
            (408, "GET / HT", "request_timeout"),
            (431, "GET / HTTP/1.1\r\n", "head_too_large"),
        ] {
            let answer = refused(status, head);
            assert!(answer.contains(&format!("\"code\":\"{code}\"")), "{head}: {answer}");
            let body = answer.split_once("\r\n\r\n").expect("a body").1;
            assert!(answer.contains(&format!("content-length: {}\r\n", body.len())), "{answer}");
        }
    }

    #[test]
    fn only_an_answer_of_the_server_s_own_has_a_status_to_replace() {
        assert_eq!(status(b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n"), Some(400));
        assert_eq!(status(b"HTTP/1.0 431 \r\n"), Some(431));
        for bytes in [&b"HTTP/1.1 100 Continue\r\n\r\n"[..], b"HTTP/1.1 200 OK\r\n", b"{}", b"", b"HTTP/1.1"]
        {
            assert_eq!(status(bytes), None);
        }
    }
}
