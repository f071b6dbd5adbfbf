//! By what a customer is searched and sorted. Pure.

use serde::Serialize;

use crate::customer::matching::MatchKeys;
use kernel::name_order::name_order;
use kernel::search::search_text;
use kernel::text_key::key;

/// The keys of a customer. They change with the customer's texts alone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CustomerKeys {
    /// What `?q=` searches: name, kana, company, email.
    pub search: String,
    /// The sort key of the kana or, without kana, of the name.
    pub name_order: String,
    /// By what it may be another customer's double.
    #[serde(flatten)]
    pub matching: MatchKeys,
    /// The version of the customer that has these keys.
    pub keyed_version: i64,
}

/// The texts of a customer that keys are made of.
#[derive(Clone, Copy, Debug, Default)]
pub struct CustomerTexts<'a> {
    pub name: &'a str,
    pub kana: Option<&'a str>,
    pub company: Option<&'a str>,
    pub email: Option<&'a str>,
    pub phone: Option<&'a str>,
}

impl CustomerKeys {
    pub fn of(version: i64, texts: CustomerTexts<'_>) -> Self {
        let CustomerTexts { name, kana, company, email, phone } = texts;
        let matching = MatchKeys::of(name, kana, email, phone);
        let (name, kana) = (key(name), kana.map(key));
        let others = [company, email].into_iter().flatten().map(key).collect::<Vec<_>>();
        let texts = [Some(&name), kana.as_ref()].into_iter().flatten().chain(&others);
        Self {
            search: search_text(texts.map(String::as_str)),
            name_order: name_order(kana.as_ref().unwrap_or(&name)),
            matching,
            keyed_version: version,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_customer_is_sorted_by_kana_or_else_by_name() {
        let of = |name, kana| {
            CustomerKeys::of(1, CustomerTexts { name, kana, ..CustomerTexts::default() }).name_order
        };
        assert_eq!(of("山田", Some("ﾔﾏﾀﾞ")), of("やまだ", None));
        assert_eq!(of("山田", None), of("山田", Some("山田")));
        assert!(of("長谷川", Some("ハセガワ")) < of("山田", Some("ヤマダ")));
    }

    #[test]
    fn a_customer_is_searched_by_name_kana_company_and_address() {
        let texts = CustomerTexts {
            name: "山田 太郎",
            kana: Some("ヤマダ タロウ"),
            company: Some("㈱青空"),
            email: Some("y@example.jp"),
            phone: None,
        };
        let keys = CustomerKeys::of(1, texts);
        assert_eq!(
            keys.search,
            "\u{1}山田 太郎\t山田太郎\nやまだ たろう\tやまだたろう\n株式会社青空\ny@example.jp"
        );
        let alone = CustomerKeys::of(1, CustomerTexts { name: "A", ..CustomerTexts::default() });
        assert_eq!(alone.search, "\u{1}a");
    }
}
