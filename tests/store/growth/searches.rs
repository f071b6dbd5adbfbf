//! A search finds what contains the text, whether or not it is in the index yet.

use std::collections::BTreeSet;

use domain::customer::keys::{CustomerKeys, CustomerTexts};
use domain::customer::messages::{CustomerFilter, SORTS};
use domain::customer::record::Customer;
use kernel::ids::{Id, new_id};
use kernel::page::PageRequest;
use kernel::search::Words;
use kizuna::persistence::customers;
use rstest::rstest;
use store::Db;
use testing::{Database, Postgres, Sqlite, TestDatabase};

use super::fold_all;
use crate::common::{begin, count, customer, customer_write, store, walk};

/// A text of a few characters that come again and again.
pub fn random_text(seed: &mut u64, length: usize) -> String {
    const ALPHABET: [char; 16] =
        ['a', 'b', 'B', '\'', '"', '\\', '%', ' ', '*', '佐', '藤', 'ガ', 'ß', '😀', '\u{10ffff}', ':'];
    let next = || {
        *seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ALPHABET[(*seed >> 33) as usize % ALPHABET.len()]
    };
    std::iter::repeat_with(next).take(length).collect()
}

/// Searches for many texts: what is found is what contains them, in every order. Returns how many of them were found.
async fn found(db: &Db, rows: &[Customer], seed: &mut u64, what: &str) -> usize {
    let mut found_any = 0;
    for n in 0..60 {
        let q = format!("{} {}", random_text(seed, 1 + n % 4), random_text(seed, n % 7 / 4));
        let words = Words::parse(Some(&q)).unwrap();
        let owner = n.is_multiple_of(2).then_some(rows[0].owner_id);
        let holds = |row: &&Customer| {
            let texts = CustomerTexts {
                name: &row.name,
                kana: row.kana.as_deref(),
                company: row.company.as_deref(),
                email: row.email.as_deref(),
                phone: None,
            };
            let text = CustomerKeys::of(row.version, texts).search;
            row.deleted_at.is_none()
                && owner.is_none_or(|owner| row.owner_id == owner)
                && words.iter().all(|word| text.contains(word))
        };
        let expected: BTreeSet<Id> = rows.iter().filter(holds).map(|row| row.id).collect();
        let filter = CustomerFilter::default();
        let sort = &SORTS[n % SORTS.len()];
        let limit = [1, 3, 200][n % 3];
        let found =
            walk(limit, async |page| customers::list(db, owner, &filter, &words, sort, &page).await).await;
        let ids: BTreeSet<Id> = found.iter().map(|row| row.id).collect();
        assert_eq!((ids, found.len()), (expected.clone(), expected.len()), "{what}: {q:?} by {}", sort.name);
        let counted = PageRequest::first(1).counted();
        let total = customers::list(db, owner, &filter, &words, sort, &counted).await.unwrap().total;
        assert_eq!(total, Some(expected.len() as i64), "{what}: {q:?}");
        found_any += usize::from(!expected.is_empty());
    }
    found_any
}

#[rstest]
#[case(Sqlite)]
#[case(Postgres)]
#[tokio::test(flavor = "multi_thread")]
async fn a_search_finds_what_contains_the_text_before_and_after_it_is_in_the_index(#[case] on: Database) {
    let database = TestDatabase::fresh(on);
    let db = database.migrated().await;
    let mut seed = 7;
    let owners = [new_id(), new_id()];
    let made = |n: usize, seed: &mut u64| Customer {
        owner_id: owners[n % 2],
        company: n.is_multiple_of(3).then(|| random_text(seed, 4)),
        ..customer(&format!("x{}", random_text(seed, n % 9)))
    };
    let mut rows: Vec<Customer> = (0..120).map(|n| made(n, &mut seed)).collect();
    store(&db, rows.iter().map(customer_write).collect()).await;
    let mut found_any = found(&db, &rows, &mut seed, "new").await;
    fold_all(&db).await;
    found_any += found(&db, &rows, &mut seed, "new, in the index").await;

    for (n, row) in rows.iter_mut().enumerate() {
        row.version = 2;
        match n % 5 {
            0 => row.name = format!("x{}", random_text(&mut seed, 6)),
            1 => row.deleted_at = Some(begin()),
            _ => {}
        }
    }
    store(&db, rows.iter().map(customer_write).collect()).await;
    // One that changes twice, and a deleted one that lives again.
    rows[0].name = "x佐藤ガ".into();
    rows[1].deleted_at = None;
    store(&db, vec![customer_write(&rows[0]), customer_write(&rows[1])]).await;
    found_any += found(&db, &rows, &mut seed, "changed").await;
    fold_all(&db).await;
    found_any += found(&db, &rows, &mut seed, "changed, in the index").await;

    // SQLite gives the numbers of removed customers to the next.
    for _ in 0..2 {
        for row in rows.drain(100..) {
            database.raw(&format!("DELETE FROM customers WHERE id = '{}'", row.id)).await;
        }
        rows.extend((0..10).map(|n| made(n, &mut seed)));
        store(&db, rows[100..].iter().map(customer_write).collect()).await;
        found_any += found(&db, &rows, &mut seed, "removed").await;
        fold_all(&db).await;
        found_any += found(&db, &rows, &mut seed, "removed, in the index").await;
    }
    assert!(found_any > 100, "{found_any} of 480 found something");
    let stale = match on {
        Sqlite => {
            "(SELECT DISTINCT doc FROM customer_gram_rows WHERE doc NOT IN (SELECT number FROM customers WHERE deleted_at IS NULL)) AS d"
        }
        Postgres => "customer_texts WHERE id NOT IN (SELECT id FROM customers WHERE deleted_at IS NULL)",
    };
    assert_eq!(count(&db, stale).await, 0, "what is gone is not in the index");
}
