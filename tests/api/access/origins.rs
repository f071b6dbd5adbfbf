//! The column of another origin: what a page of it may read of each operation's answer.

use super::rules::{Who, Whose};
use super::{World, operations};

const APP: &str = "https://app.example.com";
const OTHER: &str = "https://other.example.com";

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn pages_of_the_origins_that_are_named_read_the_api_and_no_others_do() {
    let world = World::with(&["--cors-origin", APP]).await;
    let mut wrong = Vec::new();
    for operation in &operations(&world.app.nobody()).await {
        let whose = operation.rule.targets().last().copied().unwrap_or(Whose::Own);
        let is_open = operation.path.starts_with("/api/") || operation.path == "/openapi.json";
        for (origin, may) in [(APP, is_open), (OTHER, false)] {
            let mut api = world.api(Who::Manager).header("origin", origin);
            if operation.name() == "POST /api/auth/logout" {
                // Once for each origin: the session is over after it.
                let nobody = world.app.nobody();
                let session =
                    testing::Member::sign_in(&nobody, &world.team.manager.email, testing::app::PASSWORD)
                        .await;
                api = (*session).header("origin", origin);
            }
            let answer = world.ask_by(operation, Who::Manager, whose, Some(&api)).await;
            let expected = operation.rule.status(Who::Manager, whose);
            let is_right =
                answer.status == expected || (expected == 200 && (200..300).contains(&answer.status));
            let allowed = answer.header("access-control-allow-origin");
            let has_credentials = answer.header("access-control-allow-credentials").is_some();
            if !is_right || allowed != may.then_some(origin) || has_credentials {
                wrong.push(format!("{} from {origin}: {answer}", operation.name()));
            }
        }
    }
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}
