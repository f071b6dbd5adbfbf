//! The least that an authenticated JSON API does: bare actix-web, one HS256 token verified and 300 bytes of JSON
//! written a request.

use std::thread;
use std::time::{SystemTime, UNIX_EPOCH};

use actix_web::http::header::AUTHORIZATION;
use actix_web::{App, HttpRequest, HttpResponse, HttpServer, Responder, get, web};
use anyhow::Result;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, TokenData, Validation, decode, encode};
use serde::{Deserialize, Serialize};

const SECRET: &[u8] = b"the yardstick's secret, which protects nothing at all";
const ISSUER: &str = "baselines";
const DAY: u64 = 24 * 60 * 60;

/// The claims of an access token.
#[derive(Serialize, Deserialize)]
struct Claims {
    sub: String,
    role: String,
    iss: String,
    aud: String,
    iat: u64,
    exp: u64,
}

/// A customer as the API shows it: 300 bytes.
#[derive(Serialize)]
struct Record {
    id: &'static str,
    version: u32,
    name: &'static str,
    email: &'static str,
    phone: Option<&'static str>,
    company: &'static str,
    status: &'static str,
    notes: Option<&'static str>,
    owner_id: &'static str,
    created_at: &'static str,
    updated_at: &'static str,
}

const RECORD: Record = Record {
    id: "0197d0c4-7b1e-7c53-9d0a-3f5a1c2e4b60",
    version: 1,
    name: "Hanako",
    email: "yamada@example.com",
    phone: None,
    company: "Trading",
    status: "LEAD",
    notes: None,
    owner_id: "0197d0c4-7b1e-7c53-9d0a-3f5a1c2e4b61",
    created_at: "2026-01-01T00:00:00.000000Z",
    updated_at: "2026-01-01T00:00:00.000000Z",
};

/// What a worker needs to verify a token.
struct Verifier {
    key: DecodingKey,
    rules: Validation,
}

impl Verifier {
    fn new() -> Self {
        let mut rules = Validation::new(Algorithm::HS256);
        rules.set_issuer(&[ISSUER]);
        rules.set_audience(&[ISSUER]);
        rules.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
        Self { key: DecodingKey::from_secret(SECRET), rules }
    }

    fn verify(&self, request: &HttpRequest) -> Option<TokenData<Claims>> {
        let header = request.headers().get(AUTHORIZATION)?.to_str().ok()?;
        decode(header.strip_prefix("Bearer ")?, &self.key, &self.rules).ok()
    }
}

#[get("/")]
async fn read(request: HttpRequest, verifier: web::Data<Verifier>) -> impl Responder {
    match verifier.verify(&request) {
        Some(_) => HttpResponse::Ok().json(RECORD),
        None => HttpResponse::Unauthorized().finish(),
    }
}

/// A token that is valid for a day.
#[expect(clippy::disallowed_methods, reason = "a measuring program has no clock to be handed")]
pub fn token() -> Result<String> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs();
    let claims = Claims {
        sub: RECORD.owner_id.to_owned(),
        role: "SALES".to_owned(),
        iss: ISSUER.to_owned(),
        aud: ISSUER.to_owned(),
        iat: now,
        exp: now + DAY,
    };
    Ok(encode(&Header::new(Algorithm::HS256), &claims, &EncodingKey::from_secret(SECRET))?)
}

/// Serves on a free port of 127.0.0.1, with one worker per core, until the process is asked to end.
#[actix_web::main]
pub async fn serve() -> Result<()> {
    let verifier = web::Data::new(Verifier::new());
    let server = HttpServer::new(move || App::new().app_data(verifier.clone()).service(read))
        .workers(thread::available_parallelism()?.get())
        .shutdown_timeout(1)
        .bind(("127.0.0.1", 0))?;
    for addr in server.addrs() {
        println!("listening on {addr}");
    }
    Ok(server.run().await?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_record_is_300_bytes_of_json() {
        let body = HttpResponse::Ok().json(RECORD).into_body();
        assert_eq!(actix_web::body::MessageBody::size(&body), actix_web::body::BodySize::Sized(300));
    }

    #[test]
    fn the_server_accepts_its_own_token() {
        let request = actix_web::test::TestRequest::default()
            .insert_header((AUTHORIZATION, format!("Bearer {}", token().unwrap())))
            .to_http_request();
        assert!(Verifier::new().verify(&request).is_some());
    }
}
