//! By what a customer is searched and sorted. Pure.

use serde::Serialize;

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
}

impl CustomerKeys {
    pub fn of(name: &str, kana: Option<&str>, company: Option<&str>, email: Option<&str>) -> Self {
        let (name, kana) = (key(name), kana.map(key));
        let others = [company, email].into_iter().flatten().map(key).collect::<Vec<_>>();
        let texts = [Some(&name), kana.as_ref()].into_iter().flatten().chain(&others);
        Self {
            search: search_text(texts.map(String::as_str)),
            name_order: name_order(kana.as_ref().unwrap_or(&name)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_customer_is_sorted_by_kana_or_else_by_name() {
        let of = |name, kana| CustomerKeys::of(name, kana, None, None).name_order;
        assert_eq!(of("山田", Some("ﾔﾏﾀﾞ")), of("やまだ", None));
        assert_eq!(of("山田", None), of("山田", Some("山田")));
        assert!(of("長谷川", Some("ハセガワ")) < of("山田", Some("ヤマダ")));
    }

    #[test]
    fn a_customer_is_searched_by_name_kana_company_and_address() {
        let keys = CustomerKeys::of("山田 太郎", Some("ヤマダ タロウ"), Some("㈱青空"), Some("y@example.jp"));
        assert_eq!(
            keys.search,
            "\u{1}山田 太郎\t山田太郎\nやまだ たろう\tやまだたろう\n株式会社青空\ny@example.jp"
        );
        assert_eq!(CustomerKeys::of("A", None, None, None).search, "\u{1}a");
    }
}
