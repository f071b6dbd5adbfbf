//! Requests that must be rejected: each with its status, its code and its field, in both languages, and without a
//! change of the database.

use std::fmt;

use serde_json::Value;

use testing::{Answer, Api, TestApp};

/// A request that must be rejected, and the error that is expected.
pub struct Rejected {
    method: &'static str,
    path: String,
    headers: Vec<(&'static str, String)>,
    body: Vec<u8>,
    status: u16,
    code: &'static str,
    fault: Option<(&'static str, &'static str)>,
}

impl Rejected {
    pub fn new(method: &'static str, path: impl Into<String>, status: u16, code: &'static str) -> Self {
        let (headers, body) = (Vec::new(), Vec::new());
        Self { method, path: path.into(), headers, body, status, code, fault: None }
    }

    pub fn get(path: impl Into<String>, status: u16, code: &'static str) -> Self {
        Self::new("GET", path, status, code)
    }

    /// A body of JSON, or what goes for it.
    pub fn json(self, body: impl Into<Vec<u8>>) -> Self {
        self.typed("application/json", body)
    }

    /// A body of another type.
    pub fn typed(self, media_type: &str, body: impl Into<Vec<u8>>) -> Self {
        Self { body: body.into(), ..self }.header("content-type", media_type)
    }

    pub fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// The field or parameter at fault, and its code.
    pub fn fault(self, field: &'static str, code: &'static str) -> Self {
        Self { fault: Some((field, code)), ..self }
    }

    /// 422 for one field of a POST.
    pub fn field(path: &str, body: Value, field: &'static str, code: &'static str) -> Self {
        Self::new("POST", path, 422, "invalid_fields").json(body.to_string()).fault(field, code)
    }

    /// 400 for one parameter of a GET.
    pub fn parameter(path: &str, field: &'static str, code: &'static str) -> Self {
        Self::get(path, 400, "invalid_parameter").fault(field, code)
    }

    async fn send(&self, api: &Api, language: &str) -> Answer {
        let api =
            self.headers.iter().fold(api.language(language), |api, (name, value)| api.header(name, value));
        api.raw(self.method, &self.path, self.body.clone()).await
    }

    async fn check(&self, api: &Api) {
        let (en, ja) = (self.send(api, "en").await, self.send(api, "ja").await);
        for (answer, language) in [(&en, "en"), (&ja, "ja")] {
            self.check_problem(answer);
            assert_eq!(answer.header("content-language"), Some(language), "{answer}");
        }
        for text in ["/title", "/detail"] {
            assert_ne!(en.text_at(text), ja.text_at(text), "{text} of {self} in both languages");
        }
        if self.fault.is_some() {
            let message = "/errors/0/message";
            assert_ne!(en.text_at(message), ja.text_at(message), "{message} of {self} in both languages");
        }
    }

    fn check_problem(&self, answer: &Answer) {
        let amiss = format!("{self} was answered {answer}");
        assert_eq!((answer.status, answer.code()), (self.status, Some(self.code)), "{amiss}");
        assert_eq!(answer.header("content-type"), Some("application/problem+json"), "{amiss}");
        assert_eq!(answer.text_at("/type"), format!("urn:kizuna:problem:{}", self.code), "{amiss}");
        assert_eq!(answer.body["status"], self.status, "{amiss}");
        let path = self.path.split('?').next().unwrap_or_default();
        assert_eq!(answer.text_at("/instance"), path, "{amiss}");
        if let Some((field, code)) = self.fault {
            let named = (answer.text_at("/errors/0/field"), answer.text_at("/errors/0/code"));
            assert_eq!((named.0.as_str(), named.1.as_str()), (field, code), "{amiss}");
        }
        assert_eq!(answer.header("www-authenticate").is_some(), self.status == 401, "{amiss}");
    }
}

impl fmt::Display for Rejected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let body = String::from_utf8_lossy(&self.body);
        let body: String = body.chars().take(80).collect();
        write!(f, "{} {} {:?} {body:?}", self.method, self.path, self.headers)
    }
}

/// Sends each as `api` and checks its error; none may have stored anything.
pub async fn all_refused(app: &TestApp, api: &Api, rejected: impl IntoIterator<Item = Rejected>) {
    // What was stored before may still have effects.
    app.settle().await;
    let before = app.stored().await;
    for request in rejected {
        request.check(api).await;
        assert_eq!(app.stored().await, before, "{request} was stored");
    }
}
