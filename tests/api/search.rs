//! `?q=`: looked for literally and whatever the case, the same on both databases.

use std::collections::BTreeSet;

use rstest::rstest;
use serde_json::json;

use testing::{Database, Member, Postgres, Sqlite, TestApp};

/// The names of the customers that `q` finds.
async fn found(api: &Member, q: &str) -> BTreeSet<String> {
    let query = form_urlencoded::Serializer::new(String::new()).append_pair("q", q).finish();
    let list = api.get(&format!("/api/customers?{query}")).await.expect(200);
    list.items().iter().map(|row| row["name"].as_str().expect("a name").to_owned()).collect()
}

async fn app_with(on: Database, names: &[&str]) -> (TestApp, Member) {
    let app = TestApp::start(on).await;
    let admin = Member::first(&app).await;
    for name in names {
        admin.customer(name).await;
    }
    (app, admin)
}

fn set<const N: usize>(names: [&str; N]) -> BTreeSet<String> {
    names.map(str::to_owned).into()
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn wildcards_of_sql_stand_for_themselves(#[values(Sqlite, Postgres)] on: Database) {
    let names = ["100% 絆", "100 絆", "a_b", "axb", "a\\b", "a*b", "a?b", "O'Neill", "a\"b", "[a]b"];
    let (_app, admin) = app_with(on, &names).await;
    assert_eq!(found(&admin, "%").await, set(["100% 絆"]));
    assert_eq!(found(&admin, "_").await, set(["a_b"]));
    assert_eq!(found(&admin, "\\").await, set(["a\\b"]));
    assert_eq!(found(&admin, "*").await, set(["a*b"]));
    assert_eq!(found(&admin, "?").await, set(["a?b"]));
    assert_eq!(found(&admin, "'").await, set(["O'Neill"]));
    assert_eq!(found(&admin, "\"").await, set(["a\"b"]));
    assert_eq!(found(&admin, "[a]").await, set(["[a]b"]));
    assert_eq!(found(&admin, "1%絆").await, set([]));
    assert_eq!(found(&admin, "").await.len(), names.len(), "nothing is in everything");
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn case_makes_no_difference_in_any_script(#[values(Sqlite, Postgres)] on: Database) {
    let names =
        ["MÜLLER Ärzte", "müller", "ΑΘΗΝΑ", "МОСКВА", "ＫＩＺＵＮＡ絆", "さくら", "サクラ", "İstanbul"];
    let (_app, admin) = app_with(on, &names).await;
    for q in ["müller", "MÜLLER", "Müller"] {
        assert_eq!(found(&admin, q).await, set(["MÜLLER Ärzte", "müller"]), "{q}");
    }
    assert_eq!(found(&admin, "ÄRZ").await, set(["MÜLLER Ärzte"]));
    assert_eq!(found(&admin, "αθηνα").await, set(["ΑΘΗΝΑ"]));
    assert_eq!(found(&admin, "москва").await, set(["МОСКВА"]));
    assert_eq!(found(&admin, "ｋｉｚｕｎａ").await, set(["ＫＩＺＵＮＡ絆"]));
    assert_eq!(found(&admin, "さく").await, set(["さくら"]), "kana are two scripts, not two cases");
    assert_eq!(found(&admin, "İSTANBUL").await, set(["İstanbul"]));
    assert_eq!(found(&admin, "muller").await, set([]), "an umlaut is a letter of its own");
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn name_company_and_address_are_looked_through_and_nothing_else(
    #[values(Sqlite, Postgres)] on: Database,
) {
    let (_app, admin) = app_with(on, &[]).await;
    let customer = json!({
        "name": "山田 太郎", "company": "青空商事株式会社", "email": "Yamada@Example.com", "phone": "03-1234-5678",
        "notes": "秘密のメモ",
    });
    let made = admin.create_customer(customer).await;
    for q in ["山田", "太郎", "青空", "株式会社", "YAMADA@", "example.com"] {
        assert_eq!(found(&admin, q).await, set(["山田 太郎"]), "{q}");
    }
    for q in ["秘密", "1234", "LEAD", "太郎青空", &made.id()[..8]] {
        assert_eq!(found(&admin, q).await, set([]), "{q}");
    }
    let path = format!("/api/customers/{}", made.id());
    admin.patch(&path, json!({"company": "ひかり電機", "email": null})).await.expect(200);
    assert_eq!(found(&admin, "ひかり").await, set(["山田 太郎"]), "after a change");
    assert_eq!(found(&admin, "青空").await, set([]));
    assert_eq!(found(&admin, "yamada").await, set([]));
}
