//! What a search finds.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::customer::record::Customer;
use kernel::clock::Timestamp;
use kernel::ids::Id;
use kernel::rank::Rank;
use kernel::search::search_text;
use kernel::text_key::key;

/// The kinds of records that are searched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum RecordType {
    Customer,
    Meeting,
    Task,
    Approval,
    Deal,
}

impl RecordType {
    pub const ALL: [Self; 5] = [Self::Customer, Self::Meeting, Self::Task, Self::Approval, Self::Deal];

    /// Its name in the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Customer => "customer",
            Self::Meeting => "meeting",
            Self::Task => "task",
            Self::Approval => "approval",
            Self::Deal => "deal",
        }
    }

    /// The type of this name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.as_str() == name)
    }
}

/// A record that has all words of a search.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Candidate {
    pub id: Id,
    pub title: String,
    /// What tells it from others of this title.
    pub subtitle: Option<String>,
    pub created_at: Timestamp,
    /// The key of its title, as it is stored.
    pub line: String,
}

impl From<Customer> for Candidate {
    fn from(customer: Customer) -> Self {
        Self {
            id: customer.id,
            created_at: customer.created_at,
            line: search_text([key(&customer.name).as_str()]),
            title: customer.name,
            subtitle: customer.company.or(customer.email),
        }
    }
}

/// A record that was found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hit {
    pub record_type: RecordType,
    pub id: Id,
    pub title: String,
    pub subtitle: Option<String>,
    pub created_at: Timestamp,
    pub rank: Rank,
}
