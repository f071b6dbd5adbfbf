//! By what two customers may be one: keys of name, kana, telephone number and address. Pure.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::customer::record::Customer;
use kernel::caller::Caller;
use kernel::ids::Id;
use kernel::text_key::key;

/// What two customers have in common, the strongest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum MatchBy {
    Email,
    Phone,
    Name,
    Kana,
    /// The domain of the address, if it is not that of a provider for everybody.
    Domain,
}

impl MatchBy {
    pub const ALL: [Self; 5] = [Self::Email, Self::Phone, Self::Name, Self::Kana, Self::Domain];

    /// Its name in the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Email => "email",
            Self::Phone => "phone",
            Self::Name => "name",
            Self::Kana => "kana",
            Self::Domain => "domain",
        }
    }
}

/// What a company's form is called, as keys of texts have it (folded, `㈱` as `株式会社`).
const LEGAL_FORMS: [&str; 24] = [
    "株式会社",
    "有限会社",
    "合同会社",
    "合資会社",
    "合名会社",
    "一般社団法人",
    "公益社団法人",
    "一般財団法人",
    "公益財団法人",
    "特定非営利活動法人",
    "学校法人",
    "医療法人",
    "(株)",
    "(有)",
    "(同)",
    "inc",
    "ltd",
    "llc",
    "corp",
    "corporation",
    "co",
    "gmbh",
    "kk",
    "company",
];

/// Providers of addresses for everybody: who has one there has nothing in common with the others.
const PROVIDERS: [&str; 16] = [
    "gmail.com",
    "googlemail.com",
    "yahoo.co.jp",
    "ymail.ne.jp",
    "yahoo.com",
    "outlook.com",
    "outlook.jp",
    "hotmail.com",
    "hotmail.co.jp",
    "live.jp",
    "icloud.com",
    "me.com",
    "docomo.ne.jp",
    "ezweb.ne.jp",
    "au.com",
    "softbank.ne.jp",
];

/// The fewest digits of a telephone number that says something: those of an extension are fewer.
const DIGITS_MIN: usize = 7;

/// The keys of a customer; `None` where it has nothing to compare.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MatchKeys {
    #[serde(rename = "match_name")]
    pub name: Option<String>,
    #[serde(rename = "match_kana")]
    pub kana: Option<String>,
    #[serde(rename = "match_phone")]
    pub phone: Option<String>,
    #[serde(rename = "match_domain")]
    pub domain: Option<String>,
}

impl MatchKeys {
    pub fn of(name: &str, kana: Option<&str>, email: Option<&str>, phone: Option<&str>) -> Self {
        Self {
            name: name_key(name),
            kana: kana.and_then(name_key),
            phone: phone.and_then(phone_key),
            domain: email.and_then(domain_key),
        }
    }
}

/// The name without the form of the company, blanks and marks.
fn name_key(name: &str) -> Option<String> {
    let folded = key(name);
    let words: Vec<&str> =
        folded.split(|letter: char| letter.is_whitespace() || ",.・，。".contains(letter)).collect();
    let is_latin_form = |word: &&str| word.is_ascii() && LEGAL_FORMS.contains(word);
    let mut kept: String = words.into_iter().filter(|word| !is_latin_form(word)).collect();
    for form in LEGAL_FORMS.iter().filter(|form| !form.is_ascii() || form.starts_with('(')) {
        kept = kept.replace(form, "");
    }
    kept.retain(char::is_alphanumeric);
    // A company that is called nothing but its form.
    let kept = if kept.is_empty() {
        folded.chars().filter(|letter| letter.is_alphanumeric()).collect()
    } else {
        kept
    };
    Some(kept).filter(|kept| !kept.is_empty())
}

/// The digits, those of Japan without the country's number.
fn phone_key(phone: &str) -> Option<String> {
    let folded = key(phone);
    let digits: String = folded.chars().filter(char::is_ascii_digit).collect();
    let national = folded.trim_start().strip_prefix("+81").map(|_| &digits[2..]);
    let kept = match national {
        Some(rest) => format!("0{}", rest.trim_start_matches('0')),
        None => digits,
    };
    Some(kept).filter(|kept| kept.len() >= DIGITS_MIN)
}

fn domain_key(email: &str) -> Option<String> {
    let (_, domain) = email.rsplit_once('@')?;
    let domain = key(domain);
    Some(domain).filter(|domain| !domain.is_empty() && !PROVIDERS.contains(&domain.as_str()))
}

/// What two customers have in common, the strongest first.
pub fn in_common(one: &Customer, other: &Customer) -> Vec<MatchBy> {
    let keys = |of: &Customer| {
        let Customer { name, kana, email, phone, .. } = of;
        (MatchKeys::of(name, kana.as_deref(), email.as_deref(), phone.as_deref()), of.email.clone())
    };
    let ((mine, my_email), (theirs, their_email)) = (keys(one), keys(other));
    let same = |mine: &Option<String>, theirs: &Option<String>| mine.is_some() && mine == theirs;
    let by = |by: &MatchBy| match by {
        MatchBy::Email => same(&my_email, &their_email),
        MatchBy::Phone => same(&mine.phone, &theirs.phone),
        MatchBy::Name => same(&mine.name, &theirs.name),
        MatchBy::Kana => same(&mine.kana, &theirs.kana),
        MatchBy::Domain => same(&mine.domain, &theirs.domain),
    };
    MatchBy::ALL.into_iter().filter(by).collect()
}

/// A customer that may be the one in question.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct MatchingCustomer {
    pub customer: Customer,
    /// What both have in common, the strongest first.
    pub matches: Vec<MatchBy>,
}

/// Customers that have something in common.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct MatchGroup {
    pub by: MatchBy,
    /// What they have in common, as it is compared.
    pub key: String,
    /// The first ten of them, the oldest first.
    pub customers: Vec<Customer>,
    /// How many there are.
    pub count: i64,
}

/// Asks which other customers may be this one.
#[derive(Clone, Serialize, Deserialize)]
pub struct FindMatches {
    pub id: Id,
    pub caller: Caller,
}

/// Asks which customers may be the one that is about to be made.
#[derive(Clone, Serialize, Deserialize)]
pub struct FindMatchesOf {
    pub name: String,
    pub kana: Option<String>,
    pub email: Option<String>,
    pub phone: Option<String>,
    pub caller: Caller,
}

/// Asks for groups of customers with something in common, in the order of their keys, after one.
#[derive(Clone, Serialize, Deserialize)]
pub struct ListMatches {
    pub by: MatchBy,
    pub after: Option<String>,
    pub limit: i64,
    pub caller: Caller,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_compared_without_the_form_of_the_company() {
        let same = ["株式会社 絆商事", "㈱絆商事", "絆商事（株）", "絆商事", "絆 商事 有限会社"];
        for name in same {
            assert_eq!(name_key(name).as_deref(), Some("絆商事"), "{name}");
        }
        assert_eq!(name_key("Kizuna Co., Ltd."), name_key("KIZUNA Inc."));
        assert_eq!(name_key("Cobalt"), Some("cobalt".to_owned()), "a word that only begins so");
        assert_eq!(name_key("株式会社"), Some("株式会社".to_owned()));
        assert_eq!(name_key("。"), None);
    }

    #[test]
    fn kana_are_alike_in_any_form() {
        assert_eq!(name_key("ｷｽﾞﾅ ｼｮｳｼﾞ"), name_key("キズナショウジ"));
        assert_eq!(name_key("きずなしょうじ"), name_key("キズナ・ショウジ"));
    }

    #[test]
    fn a_telephone_number_is_its_digits() {
        for phone in [
            "03-1234-5678",
            "０３（１２３４）５６７８",
            "+81 3 1234 5678",
            "+81 (0)3-1234-5678",
            "0312345678",
        ] {
            assert_eq!(phone_key(phone).as_deref(), Some("0312345678"), "{phone}");
        }
        assert_eq!(phone_key("内線 123"), None);
        assert_eq!(phone_key("+1 212 555 0100").as_deref(), Some("12125550100"));
    }

    #[test]
    fn an_address_at_a_provider_for_everybody_says_nothing() {
        assert_eq!(domain_key("a@kizuna.example").as_deref(), Some("kizuna.example"));
        assert_eq!(
            (domain_key("a@gmail.com"), domain_key("a@Yahoo.co.jp"), domain_key("a")),
            (None, None, None)
        );
    }
}
