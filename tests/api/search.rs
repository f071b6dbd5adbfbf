//! `?q=` (SPEC §2, §3): words by their keys, each a literal part; the same on both databases. And names in their order.

use std::collections::BTreeSet;

use rstest::rstest;
use serde_json::json;

use crate::rejected::{Rejected, all_refused};
use store::sql::Sql;
use testing::{Answer, Database, Member, Postgres, Sqlite, Team, TestApp};

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
    let names = ["MÜLLER Ärzte", "müller", "ΑΘΗΝΑ", "МОСКВА", "ΟΔΥΣΣΕΥΣ", "Straße", "İstanbul"];
    let (_app, admin) = app_with(on, &names).await;
    for q in ["müller", "MÜLLER", "Müller"] {
        assert_eq!(found(&admin, q).await, set(["MÜLLER Ärzte", "müller"]), "{q}");
    }
    assert_eq!(found(&admin, "ÄRZ").await, set(["MÜLLER Ärzte"]));
    assert_eq!(found(&admin, "αθηνα").await, set(["ΑΘΗΝΑ"]));
    assert_eq!(found(&admin, "москва").await, set(["МОСКВА"]));
    for typed in ["οδυς", "οδυσσευσ", "ΟΔΥΣΣΕΥΣ", "οδυσσευς"] {
        assert_eq!(found(&admin, typed).await, set(["ΟΔΥΣΣΕΥΣ"]), "{typed}");
    }
    for typed in ["strasse", "STRAẞE", "straße", "ras"] {
        assert_eq!(found(&admin, typed).await, set(["Straße"]), "{typed}");
    }
    assert_eq!(found(&admin, "İSTANBUL").await, set(["İstanbul"]));
    assert_eq!(found(&admin, "muller").await, set([]), "an umlaut is a letter of its own");
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn what_two_keyboards_write_differently_is_found_by_either(#[values(Sqlite, Postgres)] on: Database) {
    let alike: [&[&str]; 11] = [
        &["ハンカク", "ﾊﾝｶｸ", "はんかく"],
        &["ガンダム", "ｶﾞﾝﾀﾞﾑ", "カ\u{3099}ンタ\u{3099}ム"],
        &["ヴァイオリン", "ゔぁいおりん", "ｳﾞｧｲｵﾘﾝ"],
        &["ＡＢＣ商会", "ABC商会", "abc商会"],
        &["１２３ビル", "123ビル", "123ﾋﾞﾙ"],
        &["㈱田中", "(株)田中", "株式会社田中"],
        &["㈲木村", "（有）木村", "有限会社木村"],
        &["佐藤太郎", "佐藤　太郎", "佐藤 太郎"],
        &["Café Zoë", "Cafe\u{301} Zoe\u{308}", "CAFÉ\u{a0}ZOË"],
        &["한국전력", "\u{1112}\u{1161}\u{11ab}국전력"],
        &["葛城", "葛\u{e0100}城", "葛城\u{200b}"],
    ];
    let (_app, admin) = app_with(on, &[]).await;
    for stored in alike {
        let mut made = BTreeSet::new();
        for name in stored {
            made.insert(admin.customer(name).await.text_at("/name"));
        }
        for typed in stored {
            assert_eq!(found(&admin, typed).await, made, "{typed}");
        }
    }
    assert_eq!(found(&admin, "はん").await, set(["ハンカク", "ﾊﾝｶｸ", "はんかく"]), "while one types");
    assert_eq!(found(&admin, "ばん").await, set([]), "a voiced sound is another");
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn words_are_found_in_any_order_and_in_any_field(#[values(Sqlite, Postgres)] on: Database) {
    let (_app, admin) = app_with(on, &[]).await;
    for (name, kana, company, email) in [
        ("山田 太郎", "ヤマダ タロウ", "青空商事", "taro@aozora.example.jp"),
        ("山田 花子", "ヤマダ ハナコ", "㈱ひかり", "hanako@hikari.example.jp"),
        ("長谷川", "ハセガワ", "青空商事", "hasegawa@aozora.example.jp"),
    ] {
        let body = json!({"name": name, "kana": kana, "company": company, "email": email});
        admin.create_customer(body).await;
    }
    for (q, names) in [
        ("山田 青空", &["山田 太郎"][..]),
        ("青空　ﾔﾏﾀﾞ", &["山田 太郎"]),
        ("AOZORA 青空", &["山田 太郎", "長谷川"]),
        ("はなこ 株式会社", &["山田 花子"]),
        ("はせがわ", &["長谷川"]),
        ("ﾔﾏﾀﾞﾀﾛｳ", &["山田 太郎"]),
        ("やまだ たろう 山田 taro@", &["山田 太郎"]),
        ("example やま", &["山田 太郎", "山田 花子"]),
        ("山田 ひかり 太郎", &[]),
        ("太郎青空", &[]),
        ("\u{3000} ", &["山田 太郎", "山田 花子", "長谷川"]),
    ] {
        let names: BTreeSet<String> = names.iter().map(|name| (*name).to_owned()).collect();
        assert_eq!(found(&admin, q).await, names, "{q}");
    }
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn users_are_searched_alike(#[values(Sqlite, Postgres)] on: Database) {
    let app = TestApp::start(on).await;
    let Team { admin, sales, .. } = Team::of(&app).await;
    for (name, email) in [("ﾔﾏﾀﾞ　太郎", "taro@example.jp"), ("山田 ハナコ", "hanako@example.jp")]
    {
        let user = json!({"name": name, "email": email, "role": "SALES", "password": "two-words-and-4"});
        admin.post("/api/auth/users", user).await.expect(201);
    }
    let found = async |api: &Member, q: &str| {
        let query = form_urlencoded::Serializer::new(String::new()).append_pair("q", q).finish();
        let list = api.get(&format!("/api/auth/users?{query}")).await.expect(200);
        list.items().iter().map(|row| row["name"].as_str().expect("a name").to_owned()).collect::<Vec<_>>()
    };
    for q in ["やまだ", "太郎 ヤマダ", "ヤマダ太郎", "TARO@EXAMPLE", "ｔａｒｏ＠ ﾔﾏﾀﾞ"]
    {
        assert_eq!(found(&admin, q).await, ["ﾔﾏﾀﾞ　太郎"], "{q}");
    }
    assert_eq!(found(&sales, "はなこ").await, ["山田 ハナコ"]);
    assert_eq!(found(&sales, "ﾊﾅｺ 山").await, ["山田 ハナコ"]);
    assert_eq!(found(&sales, "hanako@").await, [""; 0], "SALES search names alone");
    // The address of a login is compared alike.
    let typed = json!({"email": " ＴＡＲＯ＠example．jp", "password": "two-words-and-4"});
    app.nobody().post("/api/auth/login", typed).await.expect(200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_search_is_bounded_in_length_and_in_words() {
    let (app, admin) = app_with(Sqlite, &["絆"]).await;
    app.settle().await;
    let lists = ["/api/customers", "/api/auth/users"];
    let long = form_urlencoded::byte_serialize("あ".repeat(201).as_bytes()).collect::<String>();
    let many = (0..17).map(|n| format!("{n}")).collect::<Vec<_>>().join("+");
    let rejected = lists.into_iter().flat_map(|list| {
        [(&long, "too_long"), (&many, "too_many_words")]
            .map(|(q, code)| Rejected::parameter(&format!("{list}?q={q}"), "q", code))
    });
    all_refused(&app, &admin, rejected.collect::<Vec<_>>()).await;
    let answer = admin.language("ja").get(&format!("/api/customers?q={many}")).await;
    assert_eq!(answer.text_at("/errors/0/message"), "検索語は 16 語以内にしてください。");
    for list in lists {
        let long = form_urlencoded::byte_serialize("あ".repeat(200).as_bytes()).collect::<String>();
        admin.get(&format!("{list}?q={long}")).await.expect(200);
        let many = (0..16).map(|n| format!("{n}")).collect::<Vec<_>>().join("+");
        admin.get(&format!("{list}?q={many}")).await.expect(200);
    }
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn name_kana_company_and_address_are_looked_through_and_nothing_else(
    #[values(Sqlite, Postgres)] on: Database,
) {
    let (_app, admin) = app_with(on, &[]).await;
    let customer = json!({
        "name": "山田 太郎", "kana": "ヤマダ", "company": "青空商事株式会社", "email": "Yamada@Example.com", "phone": "03-1234-5678",
        "notes": "秘密のメモ",
    });
    let made = admin.create_customer(customer).await;
    for q in ["山田", "太郎", "やまだ", "青空", "株式会社", "YAMADA@", "example.com"] {
        assert_eq!(found(&admin, q).await, set(["山田 太郎"]), "{q}");
    }
    for q in ["秘密", "1234", "LEAD", "太郎青空", &made.id()[..8]] {
        assert_eq!(found(&admin, q).await, set([]), "{q}");
    }
    let path = format!("/api/customers/{}", made.id());
    admin.patch(&path, json!({"kana": "サンダ", "company": "ひかり電機", "email": null})).await.expect(200);
    assert_eq!(found(&admin, "ひかり").await, set(["山田 太郎"]), "after a change");
    assert_eq!(found(&admin, "さんだ").await, set(["山田 太郎"]));
    assert_eq!(found(&admin, "やまだ").await, set([]));
    assert_eq!(found(&admin, "青空").await, set([]));
    assert_eq!(found(&admin, "yamada").await, set([]));
}

fn names(list: &Answer) -> Vec<String> {
    list.items().iter().map(|row| row["name"].as_str().expect("a name").to_owned()).collect()
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn names_stand_where_people_look_for_them(#[values(Sqlite, Postgres)] on: Database) {
    let (_app, admin) =
        app_with(on, &["apple", "Banana", "cherry", "Zebra", "Äpfel", "éclair", "Eddy"]).await;
    for name in ["アイウ", "イエオ", "山田", "佐藤", "ＡＢＣ"] {
        admin.customer(name).await;
    }
    for (name, kana) in [("長谷川", "ハセガワ"), ("東海林", "ｼｮｳｼﾞ"), ("安藤", "あんどう")]
    {
        admin.create_customer(json!({"name": name, "kana": kana})).await;
    }
    let mut expected = vec![
        "ＡＢＣ",
        "Äpfel",
        "apple",
        "Banana",
        "cherry",
        "éclair",
        "Eddy",
        "Zebra",
        "アイウ",
        "安藤",
        "イエオ",
        "東海林",
        "長谷川",
        "佐藤",
        "山田",
    ];
    assert_eq!(names(&admin.get("/api/customers?sort=name").await.expect(200)), expected);
    expected.reverse();
    assert_eq!(names(&admin.get("/api/customers?sort=-name").await.expect(200)), expected);
    let csv = admin.header("accept", "text/csv").get("/api/customers?sort=-name").await.expect(200);
    let places: Vec<_> = expected.iter().map(|name| csv.text.find(&format!("\"{name}\""))).collect();
    assert!(places.is_sorted() && places[0].is_some(), "{}", csv.text);
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn names_that_are_equal_in_the_order_are_paged_through_once(#[values(Sqlite, Postgres)] on: Database) {
    let alike = ["アイウ", "あいう", "ｱｲｳ", "アイウ"];
    let (_app, admin) = app_with(on, &[]).await;
    let mut ids = Vec::new();
    for number in 0..23 {
        ids.push(admin.customer(alike[number % alike.len()]).await.id());
    }
    for (sort, ids) in [("name", ids.clone()), ("-name", ids.into_iter().rev().collect())] {
        let (mut seen, mut next) = (Vec::new(), Some(format!("/api/customers?limit=5&sort={sort}")));
        while let Some(path) = next {
            let page = admin.get(&path).await.expect(200);
            seen.extend(page.items().iter().map(|row| row["id"].as_str().expect("an id").to_owned()));
            next = page.next().map(str::to_owned);
        }
        assert_eq!(seen, ids, "{sort}: ties by id");
    }
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn customers_and_users_of_before_are_found_after_a_start(#[values(Sqlite, Postgres)] on: Database) {
    let (mut app, mut admin) = app_with(on, &["ﾔﾏﾀﾞ商店", "アイウ", "zebra"]).await;
    // As the version before wrote them.
    for text in [
        "UPDATE customers SET search = lower(name), name_order = '', keyed_version = NULL",
        "UPDATE users SET search = lower(name)",
    ] {
        app.db.execute(Sql::new(text)).await.expect("rows");
    }
    assert_eq!(found(&admin, "やまだ").await, set([]));
    app.restart().await;
    admin = Member::first(&app).await;
    assert_eq!(found(&admin, "やまだ").await, set(["ﾔﾏﾀﾞ商店"]));
    let by_name = admin.get("/api/customers?sort=name").await.expect(200);
    assert_eq!(names(&by_name), ["zebra", "アイウ", "ﾔﾏﾀﾞ商店"]);
    let users = admin.get("/api/auth/users?q=ADMIN%EF%BC%A0").await.expect(200);
    assert_eq!(users.items().len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn events_and_changes_tell_of_the_kana() {
    let app = TestApp::start(Sqlite).await;
    let admin = Member::first(&app).await;
    let made = admin.create_customer(json!({"name": "長谷川", "kana": "ハセガワ"})).await;
    let path = format!("/api/customers/{}", made.id());
    admin.patch(&path, json!({"kana": "はせがわ"})).await.expect(200);
    let told = admin.get(&format!("/api/audit/events?subject={}", made.id())).await.expect(200);
    let readings: Vec<_> =
        told.items().iter().map(|event| event["data"]["customer"]["kana"].clone()).collect();
    assert_eq!(readings, [json!("はせがわ"), json!("ハセガワ")]);
    assert_eq!(told.body[0]["data"]["changed"], json!(["kana"]));
}
