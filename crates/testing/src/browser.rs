//! A client of the web console.

use crate::api::{Answer, Api};
use crate::app::{PASSWORD, TestApp};

const FORM: &str = "application/x-www-form-urlencoded";

/// A browser without a screen: cookies and the token of forms.
#[derive(Clone)]
pub struct Browser {
    pub api: Api,
    pub session: String,
    pub refresh: String,
    pub device: String,
}

/// The value of a cookie that an answer sets, if it does.
pub fn cookie(answer: &Answer, name: &str) -> Option<String> {
    let lines = answer.headers.get_all("set-cookie").iter().filter_map(|line| line.to_str().ok());
    let start = format!("{name}=");
    let mut values = lines.filter_map(|line| line.strip_prefix(&start)?.split(';').next());
    values.next().map(str::to_owned)
}

/// A text as forms send it: more is escaped than must be.
fn encoded(text: &str) -> String {
    let escaped = |byte: u8| match byte {
        b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z' => char::from(byte).to_string(),
        _ => format!("%{byte:02X}"),
    };
    text.bytes().map(escaped).collect()
}

/// Sends a form.
pub async fn post_form(api: &Api, path: &str, fields: &[(&str, &str)]) -> Answer {
    let pairs: Vec<String> =
        fields.iter().map(|(name, value)| format!("{}={}", encoded(name), encoded(value))).collect();
    let body = pairs.join("&");
    api.header("content-type", FORM).raw("POST", path, body).await
}

impl Browser {
    /// Signs in by the form.
    pub async fn open(app: &TestApp, email: &str) -> Self {
        let api = app.nobody().header("accept", "text/html");
        let answer = post_form(&api, "/login", &[("email", email), ("password", PASSWORD)]).await.expect(303);
        let value = |name| cookie(&answer, name).expect("a cookie");
        let [session, refresh, device] = ["kizuna_session", "kizuna_refresh", "kizuna_device"].map(value);
        Self { session, refresh, device, api }
    }

    /// The site with this browser's cookies.
    pub fn api(&self) -> Api {
        self.api.header("cookie", format!("kizuna_session={}; kizuna_refresh={}", self.session, self.refresh))
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.api().get(path).await
    }

    /// The token that this session's forms carry.
    pub async fn form_token(&self) -> String {
        let page = self.get("/settings").await.expect(200).text;
        let value = page.split("name=\"form_token\" value=\"").nth(1).expect("a form");
        value.split('"').next().expect("a value").to_owned()
    }

    /// Sends a form with its token.
    pub async fn post(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let token = self.form_token().await;
        let fields: Vec<_> = fields.iter().copied().chain([("form_token", token.as_str())]).collect();
        post_form(&self.api(), path, &fields).await
    }

    /// Takes over what an answer sets.
    pub fn keep(&mut self, answer: &Answer) {
        if let (Some(session), Some(refresh)) =
            (cookie(answer, "kizuna_session"), cookie(answer, "kizuna_refresh"))
        {
            (self.session, self.refresh) = (session, refresh);
        }
    }
}
