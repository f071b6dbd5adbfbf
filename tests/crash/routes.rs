//! Every route of the API, every page of the console and every way to the live feed is answered in time while PostgreSQL
//! is killed, hangs or can't be reached, and works again afterwards.

use std::time::{Duration, Instant};

use futures_util::StreamExt;
use futures_util::future::join_all;
use futures_util::stream;
use reqwest::Method;
use rstest::rstest;
use serde_json::{Value, json};

use crate::fixture::{Fixture, Staff};
use crate::outage::{ANSWERED_WITHIN, BACK_WITHIN, BREAKER_RESET, Fate, Fragile};
use testing::app::PASSWORD;
use testing::browser::post_form;
use testing::live_client::Client;
use testing::{Answer, Api, Kizuna, TestDatabase, eventually};

/// After how much of an outage every route is asked: at once, while it is found out, and when it is known.
const MOMENTS: [Duration; 3] = [Duration::ZERO, Duration::from_millis(700), Duration::from_secs(4)];

/// Requests at the same time.
const TOGETHER: usize = 24;

const PAGES: [&str; 15] = [
    "/imports",
    "/",
    "/login",
    "/customers",
    "/customers/{id}",
    "/meetings",
    "/tasks",
    "/approvals",
    "/notifications",
    "/reports",
    "/sagas",
    "/settings",
    "/admin",
    "/admin/users",
    "/admin/audit",
];

/// A request, by what sends it.
#[derive(Clone, Debug)]
enum Route {
    Api(Method, String),
    Csv(&'static str),
    Page(String),
    Stream,
    Socket,
}

/// The routes of a server, and who asks for them.
struct Routes {
    api: Api,
    console: Api,
    routes: Vec<Route>,
}

impl Routes {
    async fn of(server: &Kizuna, staff: &Staff) -> Self {
        let api = staff.admin.at(server);
        let document = api.get("/openapi.json").await.expect(200).body;
        let id = |path: &str| path.replace("{id}", &staff.customer);
        let mut routes = vec![Route::Stream, Route::Socket];
        for (path, operations) in document["paths"].as_object().expect("paths") {
            for method in operations.as_object().expect("operations").keys() {
                let method: Method = method.to_uppercase().parse().expect("a method");
                // The stream never ends, and the socket is no request: both are asked for in their own way.
                if !["/api/stream", "/api/ws"].contains(&path.as_str()) {
                    routes.push(Route::Api(method, id(path)));
                }
            }
        }
        routes.extend(["/api/customers", "/api/meetings", "/api/tasks", "/api/approvals"].map(Route::Csv));
        routes.extend(PAGES.map(|page| Route::Page(id(page))));
        Self { console: console(&api).await, api, routes }
    }

    /// Asks for every route; each must answer in time, and not by a 500.
    async fn ask(&self, moment: Duration) {
        let answers = stream::iter(&self.routes).map(async |route| {
            let began = Instant::now();
            let status = tokio::time::timeout(ANSWERED_WITHIN, self.status(route)).await;
            let status = status.unwrap_or_else(|_| panic!("{route:?} has no answer {moment:?} on"));
            (route, status, began.elapsed())
        });
        let answers: Vec<_> = answers.buffer_unordered(TOGETHER).collect().await;
        let slowest = answers.iter().max_by_key(|(_, _, took)| *took).expect("routes");
        println!("{moment:?} into the outage: the slowest of {} was {slowest:?}", answers.len());
        for (route, status, took) in answers {
            assert!(status < 500 || status == 503, "{route:?}: {status} after {took:?}");
        }
    }

    async fn status(&self, route: &Route) -> u16 {
        match route {
            Route::Api(method, path) => send(&self.api, method, path).await,
            // A file that is cut short has begun with a 200; nothing else may break off.
            Route::Csv(path) => {
                let api = self.api.header("accept", "text/csv");
                api.attempt(Method::GET, path, None).await.map_or(200, checked)
            }
            Route::Page(path) => send(&self.console, &Method::GET, path).await,
            Route::Stream => {
                let client = reqwest::Client::builder().no_proxy().build().expect("a client");
                let request = client.get(format!("{}/api/stream?topics=customers", self.api.base()));
                let request = request.bearer_auth(self.api.access_token().expect("signed in"));
                request.send().await.expect("an answer").status().as_u16()
            }
            Route::Socket => {
                let bearer = format!("Bearer {}", self.api.access_token().expect("signed in"));
                let path = "/api/ws?topics=customers";
                let opened = Client::open(self.api.base(), path, &[("authorization", &bearer)]).await;
                opened.map_or_else(|status| status, |_| 101)
            }
        }
    }
}

async fn send(api: &Api, method: &Method, path: &str) -> u16 {
    let attempt = async || api.attempt(method.clone(), path, body(method, path)).await;
    let sent = match attempt().await {
        // The server has closed an idle connection just when the client took it.
        Err(error) if error.is_request() => attempt().await,
        sent => sent,
    };
    checked(sent.unwrap_or_else(|error| panic!("no answer to {method} {path}: {error:?}")))
}

/// The site with the cookies of a sign-in.
async fn console(api: &Api) -> Api {
    let site = Api::new(api.base()).header("accept", "text/html");
    let fields = [("email", "manager@example.com"), ("password", PASSWORD)];
    let answer = post_form(&site, "/login", &fields).await.expect(303);
    let lines = answer.headers.get_all("set-cookie").iter().filter_map(|line| line.to_str().ok());
    let pairs: Vec<&str> = lines.filter_map(|line| line.split(';').next()).collect();
    site.header("cookie", pairs.join("; "))
}

/// The status; a 503 says when to come again.
fn checked(answer: Answer) -> u16 {
    assert!(answer.status != 503 || answer.header("retry-after").is_some(), "{answer}");
    answer.status
}

fn body(method: &Method, path: &str) -> Option<Value> {
    if [Method::GET, Method::HEAD, Method::DELETE].contains(method) {
        return None;
    }
    Some(match path {
        "/api/auth/login" => json!({"email": "sales@example.com", "password": PASSWORD}),
        "/api/auth/refresh" => json!({"refresh_token": "unknown"}),
        "/api/auth/password" => json!({"current_password": "wrong one", "new_password": "another-password"}),
        "/api/auth/users" => {
            json!({"email": "new@example.com", "name": "new", "role": "SALES", "password": PASSWORD})
        }
        "/api/customers" => json!({"name": "new"}),
        "/api/tasks" => json!({"title": "new", "due_at": "2099-01-01T00:00:00Z"}),
        _ => json!({}),
    })
}

#[rstest]
#[case::killed(Fate::Killed)]
#[case::hanging(Fate::Hangs)]
#[case::cut_off(Fate::CutOff)]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_route_is_answered_in_time_while_postgresql_is_away(#[case] fate: Fate) {
    let (fragile, url) = Fragile::start(fate);
    let fixture = Fixture { database: TestDatabase::of(url) };
    let staff = fixture.settled().await;
    let mut server = fixture.launch().env("KIZUNA_BREAKER_RESET", BREAKER_RESET).start().await;
    let routes = Routes::of(&server, &staff).await;
    fragile.fail().await;
    let gone = Instant::now();
    join_all(MOMENTS.map(async |moment| {
        tokio::time::sleep(moment.saturating_sub(gone.elapsed())).await;
        routes.ask(moment).await;
    }))
    .await;
    fragile.come_back().await;
    for route in &routes.routes {
        eventually(BACK_WITHIN, async || match routes.status(route).await {
            503 => Err(format!("{route:?} is 503 still")),
            _ => Ok(()),
        })
        .await;
    }
    assert!(server.is_running(), "{}", server.output());
}
