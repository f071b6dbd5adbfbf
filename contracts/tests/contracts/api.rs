//! `kizuna-client` and the API: the client does with an example what it should, and the provider answers as the
//! example does.

use std::path::{Path, PathBuf};

use kizuna_client::records::{ApprovalStatus, CustomerChanges, CustomerStatus, NewCustomer, SagaKind};
use kizuna_client::{Client, Id, Query};
use pact_consumer::mock_server::StartMockServerAsync;
use pact_consumer::prelude::PactBuilderAsync;

use crate::api_interactions::{self, ID, TOKEN};
use crate::provider::Provider;
use testing::app::{ADMIN, PASSWORD};

const CONSUMER: &str = "kizuna-client";
const PROVIDER: &str = "Kizuna";

/// Where generated pacts are put.
pub fn pacts() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("pacts")
}

#[tokio::test(flavor = "multi_thread")]
async fn the_client_and_the_server_agree() {
    let file = pacts().join(format!("{CONSUMER}-{PROVIDER}.json"));
    // Else pact would merge what an earlier version of this test wrote.
    let _ = std::fs::remove_file(&file);
    let mut pact = PactBuilderAsync::new_v4(CONSUMER, PROVIDER);
    api_interactions::all(&mut pact).await;
    let example = pact.output_dir(pacts()).start_mock_server_async(None, None).await;
    asks(example.url().as_str()).await;
    // Writes the file, or panics if a request was missing or another than the example's.
    drop(example);
    Provider::start().await.verify(&file).await;
}

/// Everything that the interactions hold, by the client.
async fn asks(base: &str) {
    let nobody = Client::new(base).expect("an address");
    let kizuna = nobody.login(ADMIN, PASSWORD).await.expect("a session");
    let me = kizuna.access_token().await.expect("a token");
    assert_eq!(me.as_deref(), Some(TOKEN));
    customers(&kizuna).await;

    let unread = kizuna.notifications().unread(&Query::new()).await.expect("notifications");
    assert_eq!((unread.total, unread.items[0].kind.as_str()), (Some(1), "customer.created"));

    let approved = kizuna.approve(id(), Some("fine")).await.expect("an approval");
    assert_eq!((approved.status, approved.comment.as_deref()), (ApprovalStatus::Approved, Some("fine")));

    let saga = kizuna.sagas().get(id()).await.expect("a saga");
    assert_eq!((saga.kind, saga.steps.len()), (SagaKind::CustomerDeletion, 1));
}

async fn customers(kizuna: &Client) {
    let page = kizuna.customers().list(&Query::new().limit(1).count()).await.expect("a page");
    assert_eq!((page.items.len(), page.total), (1, Some(2)));
    assert!(page.next.is_some_and(|next| next.contains("cursor=c2")));

    let new = |name: &str| NewCustomer { name: name.to_owned(), ..NewCustomer::default() };
    let made = kizuna.customers().create(&new("One")).await.expect("a customer");
    assert_eq!((made.id, made.etag), (id(), Some(1)));
    assert_eq!(made.location, Some(format!("/api/customers/{ID}")));

    let refused = kizuna.customers().create(&new("")).await.expect_err("no customer");
    let problem = refused.problem().expect("a problem");
    assert_eq!((problem.status, problem.code.as_str()), (422, "invalid_fields"));
    assert_eq!(problem.errors[0].field, "name");

    let changes = CustomerChanges {
        status: Some(CustomerStatus::Active),
        phone: Some(None),
        ..CustomerChanges::default()
    };
    let stale = kizuna.customers().update(id(), Some(1), &changes).await.expect_err("no change");
    assert_eq!(stale.code(), Some("stale_version"));
}

fn id() -> Id {
    Id::parse(ID).expect("an id")
}
