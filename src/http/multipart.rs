//! A body of `multipart/form-data` (RFC 7578), read as it arrives: of a file only some bytes are in memory.

use actix_web::HttpMessage;
use actix_web::HttpRequest;
use actix_web::dev::Payload;
use actix_web::http::header;
use futures_util::StreamExt;
use percent_encoding::percent_decode_str;
use tokio::time::Instant;

use crate::http::body_pace::BodyPace;
use crate::http::state::gateway;
use kernel::error::{Error, ErrorCode};

/// The most bytes of the headers of a part, and of a field that is no file.
const HEADERS_MAX: usize = 8 * 1024;
const FIELD_MAX: usize = 16 * 1024;
/// Parts of a body, at most.
const PARTS_MAX: usize = 32;

/// A body that is being read.
pub struct Multipart {
    payload: Payload,
    pace: BodyPace,
    begun: Instant,
    received: usize,
    /// What arrived and was not taken yet.
    buffer: Vec<u8>,
    /// What stands between two parts.
    delimiter: Vec<u8>,
    parts: usize,
    is_at_end: bool,
}

/// The headers of a part.
pub struct PartHead {
    /// The field's name.
    pub name: String,
    /// The file's name, as it was sent; `None` for a field that is no file.
    pub file_name: Option<String>,
}

fn malformed() -> Error {
    Error::new(ErrorCode::MalformedRequest)
}

impl Multipart {
    /// # Errors
    /// `unsupported_media_type`, `unsupported_content_coding`; `attachment_too_large` if the body says so itself.
    pub fn of(request: &HttpRequest, payload: Payload, most: usize) -> Result<Self, Error> {
        if request.headers().contains_key(header::CONTENT_ENCODING) {
            return Err(Error::new(ErrorCode::UnsupportedContentCoding));
        }
        let media_type = request.mime_type().ok().flatten();
        let is_form = media_type.as_ref().is_some_and(|it| it.essence_str() == "multipart/form-data");
        let boundary = media_type.as_ref().and_then(|it| it.get_param("boundary")).filter(|_| is_form);
        let boundary = boundary.filter(|it| (1..=70).contains(&it.as_str().len()));
        let boundary = boundary.ok_or_else(|| Error::new(ErrorCode::UnsupportedMediaType))?;
        let length =
            request.headers().get(header::CONTENT_LENGTH).and_then(|it| it.to_str().ok()?.parse().ok());
        if length.is_some_and(|length: usize| length > most) {
            return Err(Error::new(ErrorCode::AttachmentTooLarge));
        }
        Ok(Self::new(payload, boundary.as_str(), gateway(request).body_pace))
    }

    /// A body whose parts this boundary separates.
    pub fn new(payload: Payload, boundary: &str, pace: BodyPace) -> Self {
        Self {
            payload,
            pace,
            begun: Instant::now(),
            received: 0,
            // The first delimiter has no line end before it.
            buffer: b"\r\n".to_vec(),
            delimiter: [b"\r\n--", boundary.as_bytes()].concat(),
            parts: 0,
            is_at_end: false,
        }
    }

    /// Reads more; false at the end of the body.
    async fn fill(&mut self) -> Result<bool, Error> {
        let until = self.begun + self.pace.time_for(self.received);
        let chunk = tokio::time::timeout_at(until, self.payload.next()).await;
        match chunk.map_err(|_| Error::new(ErrorCode::RequestTimeout))? {
            Some(chunk) => {
                let chunk = chunk.map_err(|_| malformed())?;
                self.received += chunk.len();
                self.buffer.extend_from_slice(&chunk);
                Ok(true)
            }
            None => Ok(false),
        }
    }

    async fn need(&mut self, length: usize) -> Result<(), Error> {
        while self.buffer.len() < length {
            if !self.fill().await? {
                return Err(malformed());
            }
        }
        Ok(())
    }

    /// The next part; what is left of the one before is passed over. `None` after the last.
    ///
    /// # Errors
    /// `malformed_request`, `request_timeout`.
    pub async fn next(&mut self) -> Result<Option<PartHead>, Error> {
        while !self.is_at_end && self.chunk().await?.is_some() {}
        if self.is_at_end {
            return Ok(None);
        }
        let delimiter = self.delimiter.len();
        self.need(delimiter + 2).await?;
        if self.buffer[delimiter..].starts_with(b"--") {
            self.is_at_end = true;
            self.buffer.clear();
            return Ok(None);
        }
        self.parts += 1;
        if self.parts > PARTS_MAX {
            return Err(malformed());
        }
        self.buffer.drain(..delimiter);
        self.head().await.map(Some)
    }

    async fn head(&mut self) -> Result<PartHead, Error> {
        const END: &[u8] = b"\r\n\r\n";
        let end = loop {
            if let Some(end) = find(&self.buffer, END) {
                break end;
            }
            if self.buffer.len() > HEADERS_MAX || !self.fill().await? {
                return Err(malformed());
            }
        };
        let head = String::from_utf8_lossy(&self.buffer[..end]).into_owned();
        self.buffer.drain(..end + END.len());
        let disposition = head.split("\r\n").find_map(|line| {
            let (name, value) = line.split_once(':')?;
            name.trim().eq_ignore_ascii_case("content-disposition").then(|| value.trim().to_owned())
        });
        disposed(&disposition.ok_or_else(malformed)?).ok_or_else(malformed)
    }

    /// The next bytes of the part; `None` at its end.
    ///
    /// # Errors
    /// `malformed_request`, `request_timeout`.
    pub async fn chunk(&mut self) -> Result<Option<Vec<u8>>, Error> {
        loop {
            match find(&self.buffer, &self.delimiter) {
                Some(0) => return Ok(None),
                Some(end) => return Ok(Some(self.buffer.drain(..end).collect())),
                None => {}
            }
            // The end may be the beginning of a delimiter.
            let whole = self.buffer.len().saturating_sub(self.delimiter.len() - 1);
            if whole > 0 {
                return Ok(Some(self.buffer.drain(..whole).collect()));
            }
            if !self.fill().await? {
                return Err(malformed());
            }
        }
    }

    /// The whole part, which is no file.
    ///
    /// # Errors
    /// As [`Multipart::chunk`], and `body_too_large`.
    pub async fn text(&mut self) -> Result<String, Error> {
        let mut text = Vec::new();
        while let Some(chunk) = self.chunk().await? {
            text.extend(chunk);
            if text.len() > FIELD_MAX {
                return Err(Error::new(ErrorCode::BodyTooLarge));
            }
        }
        String::from_utf8(text).map_err(|_| malformed())
    }

    /// Reads so much of what is left, so that its sender sees the answer.
    pub async fn drain(&mut self, most: usize) {
        let until = self.received + most;
        while self.received < until && self.fill().await.unwrap_or(false) {
            self.buffer.clear();
        }
    }
}

fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    let first = wanted[0];
    let mut from = 0;
    loop {
        let at = from + bytes[from..].iter().position(|byte| *byte == first)?;
        if bytes[at..].starts_with(wanted) {
            return Some(at);
        }
        from = at + 1;
    }
}

/// What a `Content-Disposition` of a form says.
fn disposed(value: &str) -> Option<PartHead> {
    let (kind, mut rest) = value.split_once(';')?;
    if !kind.trim().eq_ignore_ascii_case("form-data") {
        return None;
    }
    let (mut name, mut file_name, mut extended) = (None, None, None);
    loop {
        let (key, after) = rest.split_once('=')?;
        let (text, after) = parameter(after.trim_start())?;
        match key.trim().to_ascii_lowercase().as_str() {
            "name" => name = Some(text),
            "filename" => file_name = Some(text),
            "filename*" => extended = utf8(&text),
            _ => {}
        }
        match after.trim_start().strip_prefix(';') {
            Some(more) => rest = more,
            None => break,
        }
    }
    Some(PartHead { name: name?, file_name: extended.or(file_name) })
}

/// A parameter's value, quoted or not, and what follows it. Browsers write `"` and line ends in percent, others with a
/// backslash.
fn parameter(text: &str) -> Option<(String, &str)> {
    let Some(quoted) = text.strip_prefix('"') else {
        let end = text.find(';').unwrap_or(text.len());
        return Some((text[..end].trim().to_owned(), &text[end..]));
    };
    let mut value = String::new();
    let mut signs = quoted.char_indices();
    while let Some((at, sign)) = signs.next() {
        match sign {
            '"' => {
                let value = value.replace("%22", "\"").replace("%0D", "\r").replace("%0A", "\n");
                return Some((value, &quoted[at + 1..]));
            }
            '\\' if quoted[at + 1..].starts_with(['"', '\\']) => {
                value.extend(signs.next().map(|(_, sign)| sign))
            }
            sign => value.push(sign),
        }
    }
    None
}

/// A value like `UTF-8''%E7%B5%86` (RFC 8187).
fn utf8(text: &str) -> Option<String> {
    let (charset, rest) = text.split_once('\'')?;
    let (_, value) = rest.split_once('\'')?;
    let is_utf8 = charset.eq_ignore_ascii_case("utf-8");
    is_utf8.then(|| percent_decode_str(value).decode_utf8().ok().map(std::borrow::Cow::into_owned)).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::test::TestRequest;

    fn named(value: &str) -> Option<(String, Option<String>)> {
        disposed(value).map(|head| (head.name, head.file_name))
    }

    #[test]
    fn a_part_says_its_name_in_every_form() {
        let file =
            |value, name: &str| assert_eq!(named(value), Some(("file".into(), Some(name.into()))), "{value}");
        file("form-data; name=\"file\"; filename=\"見積.pdf\"", "見積.pdf");
        file("form-data; name=file; filename=a.txt", "a.txt");
        file("form-data; name=\"file\"; filename=\"a%22b.txt\"", "a\"b.txt");
        file("form-data; name=\"file\"; filename=\"a\\\"b;c.txt\"", "a\"b;c.txt");
        file("form-data; name=\"file\"; filename=\"C:\\dir\\a.txt\"", "C:\\dir\\a.txt");
        file("form-data; filename*=utf-8''%E7%B5%86.pdf; filename=\"x\"; name=\"file\"", "絆.pdf");
        assert_eq!(named("form-data; name=\"a\""), Some(("a".into(), None)));
        for wrong in ["form-data", "attachment; name=a", "form-data; name=\"a", "form-data; filename=a"] {
            assert_eq!(named(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_delimiter_is_found_wherever_it_is() {
        assert_eq!(find(b"\r\r\n--x", b"\r\n--x"), Some(1));
        assert_eq!(find(b"\r\n--y", b"\r\n--x"), None);
        assert_eq!(find(b"", b"\r\n--x"), None);
    }

    #[test]
    fn only_forms_of_files_are_read() {
        let of = |media_type: &str| {
            let request =
                TestRequest::default().insert_header(("content-type", media_type)).to_http_request();
            let media_type = request.mime_type().ok().flatten();
            media_type.is_some_and(|it| it.essence_str() == "multipart/form-data")
        };
        assert!(of("multipart/form-data; boundary=x") && !of("application/json"));
    }
}
