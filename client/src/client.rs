//! The way to one server.

use std::sync::Arc;

use reqwest::Url;
use reqwest::header::{ACCEPT_LANGUAGE, CONTENT_TYPE};
use serde_json::json;
use tokio::time::{Instant, sleep};
use uuid::Uuid;

use crate::call::{Answer, Call, Reply};
use crate::collection::Collection;
use crate::problem::Error;
use crate::records::{Approval, Customer, Deal, Meeting, Notification, Saga, Task, Tokens, User};
use crate::retry::{RetryPolicy, worth_another_try};
use crate::session::{Session, State};

/// The way to one server: nobody's, until [`Client::login`]. Cheap to clone; copies share connections and tokens.
#[derive(Clone, Debug)]
pub struct Client {
    http: reqwest::Client,
    base: Arc<str>,
    language: Option<Arc<str>>,
    policy: Arc<RetryPolicy>,
    session: Option<Arc<Session>>,
}

/// How a [`Client`] is set up.
#[derive(Clone, Debug)]
pub struct Builder {
    base: String,
    language: Option<String>,
    policy: RetryPolicy,
}

impl Builder {
    /// Asks for texts in this language: `ja` or `en`.
    pub fn language(self, language: impl Into<String>) -> Self {
        Self { language: Some(language.into()), ..self }
    }

    /// Sends again by these rules.
    pub fn retries(self, policy: RetryPolicy) -> Self {
        Self { policy, ..self }
    }

    /// The client. Connects to nothing yet.
    ///
    /// # Errors
    /// `Address` when the server's is no `http://` or `https://` one; `Transport` when TLS can't be set up.
    pub fn build(self) -> Result<Client, Error> {
        let base = self.base.trim_end_matches('/');
        let url = Url::parse(base).map_err(|error| Error::Address(format!("{base}: {error}")))?;
        if !matches!(url.scheme(), "http" | "https") || url.query().is_some() || url.fragment().is_some() {
            return Err(Error::Address(base.to_owned()));
        }
        // The API redirects nowhere: whoever does is somebody else, and gets no token.
        let http = reqwest::Client::builder()
            .timeout(self.policy.timeout)
            .redirect(reqwest::redirect::Policy::none())
            .build()?;
        Ok(Client {
            http,
            base: base.into(),
            language: self.language.map(Into::into),
            policy: Arc::new(self.policy),
            session: None,
        })
    }
}

impl Client {
    /// A client of the server at `http://host:port`, with the default policy.
    ///
    /// # Errors
    /// As [`Builder::build`].
    pub fn new(base: impl Into<String>) -> Result<Self, Error> {
        Self::builder(base).build()
    }

    /// A client to be set up.
    pub fn builder(base: impl Into<String>) -> Builder {
        Builder { base: base.into(), language: None, policy: RetryPolicy::default() }
    }

    /// Signs in: the same server as this user, whose tokens renew themselves.
    ///
    /// # Errors
    /// `invalid_credentials`; `too_many_attempts` with the time to wait.
    pub async fn login(&self, email: &str, password: &str) -> Result<Self, Error> {
        let call = Call::post("/api/auth/login").json(&json!({"email": email, "password": password}))?;
        let tokens: Tokens = self.perform(&call, None).await?.json()?;
        Ok(self.signed(State::of(&tokens, Instant::now())))
    }

    /// A client of this server with an access token from elsewhere, which is not renewed.
    pub fn with_token(&self, access_token: impl Into<String>) -> Self {
        self.signed(State::given(access_token.into()))
    }

    fn signed(&self, state: State) -> Self {
        Self { session: Some(Arc::new(Session::new(state))), ..self.clone() }
    }

    /// The server's address, without a slash at its end.
    pub fn base(&self) -> &str {
        &self.base
    }

    /// An access token that is good now, for what this client does not do itself, as a WebSocket. None if nobody has
    /// signed in.
    ///
    /// # Errors
    /// Those of the refresh that may be due: `session_ended`.
    pub async fn access_token(&self) -> Result<Option<String>, Error> {
        self.token(None).await
    }

    /// The user of the token.
    ///
    /// # Errors
    /// As any call's.
    pub async fn me(&self) -> Result<Answer<User>, Error> {
        self.send(&Call::get("/api/auth/me")).await?.answer()
    }

    /// Ends the session, here and on the server.
    ///
    /// # Errors
    /// As any call's; the server may have the session still.
    pub async fn logout(self) -> Result<(), Error> {
        self.send(&Call::post("/api/auth/logout")).await.map(drop)
    }

    pub fn users(&self) -> Collection<'_, User> {
        Collection::new(self)
    }

    pub fn customers(&self) -> Collection<'_, Customer> {
        Collection::new(self)
    }

    pub fn meetings(&self) -> Collection<'_, Meeting> {
        Collection::new(self)
    }

    pub fn tasks(&self) -> Collection<'_, Task> {
        Collection::new(self)
    }

    pub fn deals(&self) -> Collection<'_, Deal> {
        Collection::new(self)
    }

    pub fn approvals(&self) -> Collection<'_, Approval> {
        Collection::new(self)
    }

    pub fn notifications(&self) -> Collection<'_, Notification> {
        Collection::new(self)
    }

    pub fn sagas(&self) -> Collection<'_, Saga> {
        Collection::new(self)
    }

    /// Sends a call with the token, and once more with a new one if that had run out.
    pub(crate) async fn send(&self, call: &Call) -> Result<Reply, Error> {
        let token = self.token(None).await?;
        let first = self.perform(call, token.as_deref()).await;
        match (&first, &token) {
            (Err(error), Some(refused)) if error.code() == Some("token_expired") => {
                let renewed = self.token(Some(refused)).await?;
                if renewed == token { first } else { self.perform(call, renewed.as_deref()).await }
            }
            _ => first,
        }
    }

    /// The access token, renewed if it is due or `refused`.
    async fn token(&self, refused: Option<&str>) -> Result<Option<String>, Error> {
        let Some(session) = &self.session else { return Ok(None) };
        let state = session.lock().await;
        if !state.is_due(Instant::now(), refused) {
            return Ok(Some(state.access_token.clone()));
        }
        drop(state);
        let (client, session) = (self.clone(), session.clone());
        let refused = refused.map(str::to_owned);
        // On a task of its own: a caller that gives up half-way would lose the new refresh token, and the old one, used
        // again, ends the session.
        let renewal = tokio::spawn(async move { client.renew(&session, refused.as_deref()).await });
        renewal.await.unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic())).map(Some)
    }

    async fn renew(&self, session: &Session, refused: Option<&str>) -> Result<String, Error> {
        let mut state = session.lock().await;
        // Another may have been faster.
        if state.is_due(Instant::now(), refused)
            && let Some(refresh_token) = &state.refresh_token
        {
            let call = Call::post("/api/auth/refresh").json(&json!({"refresh_token": refresh_token}))?;
            let tokens: Tokens = self.perform(&call, None).await?.json()?;
            *state = State::of(&tokens, Instant::now());
        }
        Ok(state.access_token.clone())
    }

    /// Sends a call, again and again as the policy allows.
    async fn perform(&self, call: &Call, token: Option<&str>) -> Result<Reply, Error> {
        let deadline = Instant::now() + self.policy.within;
        let mut retry = 0;
        loop {
            let error = match self.attempt(call, token).await {
                Ok(reply) => return Ok(reply),
                Err(error) => error,
            };
            let asked = error.problem().and_then(|problem| problem.retry_after);
            let wait = self.policy.wait(retry, asked, draw());
            let late = Instant::now() + wait > deadline;
            if retry == self.policy.retries || late || !worth_another_try(&error, call.repeat) {
                return Err(error);
            }
            sleep(wait).await;
            retry += 1;
        }
    }

    async fn attempt(&self, call: &Call, token: Option<&str>) -> Result<Reply, Error> {
        let url = self.url(&call.path)?;
        let mut request = self.http.request(call.method.clone(), url);
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        if let Some(language) = &self.language {
            request = request.header(ACCEPT_LANGUAGE, &**language);
        }
        for (name, value) in &call.headers {
            request = request.header(name, value);
        }
        if let Some(body) = &call.body {
            request = request.header(CONTENT_TYPE, "application/json").body(body.clone());
        }
        Reply::read(request.send().await?).await
    }

    /// The address of a path of this server. A `Link` may be a whole address: one elsewhere gets no token.
    fn url(&self, path: &str) -> Result<Url, Error> {
        let elsewhere = || Error::Address(path.to_owned());
        let path = path.strip_prefix(&*self.base).unwrap_or(path);
        if !path.starts_with('/') {
            return Err(elsewhere());
        }
        Url::parse(&format!("{}{path}", self.base)).map_err(|_| elsewhere())
    }
}

/// A number between 0 and 1, for jitter.
fn draw() -> f64 {
    f64::from(Uuid::new_v4().as_fields().0) / f64::from(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_addresses_of_the_server_are_followed() {
        let client = Client::new("http://127.0.0.1:1/").unwrap();
        let url = |path| client.url(path).map(String::from).ok();
        assert_eq!(url("/api/tasks").as_deref(), Some("http://127.0.0.1:1/api/tasks"));
        assert_eq!(url("http://127.0.0.1:1/api/tasks").as_deref(), Some("http://127.0.0.1:1/api/tasks"));
        for elsewhere in ["http://example.com/api", "http://127.0.0.1:10/api", "@example.com/"] {
            assert_eq!(url(elsewhere), None, "{elsewhere}");
        }
    }

    #[test]
    fn a_base_that_is_no_web_address_is_refused() {
        for base in ["", "127.0.0.1:8080", "ftp://example.com", "http://example.com/?a=b"] {
            assert!(matches!(Client::new(base), Err(Error::Address(_))), "{base}");
        }
    }
}
