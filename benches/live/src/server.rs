//! The way to the server: signed-in users and their sockets.

use anyhow::{Context, Result};
use clap::Args;
use reqwest::Client;
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

pub type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// Where it is, and its ADMIN.
#[derive(Args)]
pub struct Server {
    /// http://HOST:PORT
    #[arg(long)]
    pub url: String,
    #[arg(long)]
    pub email: String,
    #[arg(long)]
    pub password: String,
}

/// Somebody with a token.
pub struct User {
    pub url: String,
    pub http: Client,
    pub token: String,
}

impl Server {
    /// Signs in with the ADMIN's password, which all users of the bench have.
    pub async fn sign_in(&self, email: &str) -> Result<User> {
        let http = Client::builder().no_proxy().build()?;
        let body = json!({"email": email, "password": self.password});
        let answer = http.post(format!("{}/api/auth/login", self.url)).json(&body).send().await?;
        let body: Value = answer.error_for_status()?.json().await?;
        let token = body["access_token"].as_str().context("a token")?.to_owned();
        Ok(User { url: self.url.clone(), http, token })
    }

    /// Makes a user, unless there is one already, and signs in.
    pub async fn hire(&self, role: &str, email: &str) -> Result<User> {
        let admin = self.sign_in(&self.email).await?;
        let user = json!({"email": email, "name": email, "role": role, "password": self.password});
        // A second run on the same database finds them there: 409.
        admin.post("/api/auth/users", &user).await?;
        self.sign_in(email).await
    }
}

impl User {
    /// This user at another node.
    pub fn at(&self, url: &str) -> Self {
        Self { url: url.to_owned(), http: self.http.clone(), token: self.token.clone() }
    }

    /// The status of the answer.
    pub async fn post(&self, path: &str, body: &Value) -> Result<u16> {
        let request = self.http.post(format!("{}{path}", self.url)).bearer_auth(&self.token);
        Ok(request.json(body).send().await?.status().as_u16())
    }

    pub async fn socket(&self) -> Result<Socket> {
        let url = format!("{}/api/ws", self.url.replacen("http", "ws", 1));
        let mut request = url.into_client_request()?;
        request.headers_mut().insert("authorization", format!("Bearer {}", self.token).parse()?);
        Ok(connect_async(request).await?.0)
    }
}
