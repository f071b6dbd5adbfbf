//! The merge of two customers: which values the one that stays has afterwards, and what goes over to it (SPEC §3). Pure.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use crate::customer::record::{Customer, CustomerChanges};
use crate::saga::record::Counts;
use kernel::caller::Caller;
use kernel::context::Context;
use kernel::error::FieldError;
use kernel::ids::Id;
use kernel::patch::some;
use kernel::validation::Rules;

/// Whose value is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Side {
    /// That of the customer that stays.
    This,
    /// That of the one that goes into it.
    Other,
}

macro_rules! merged_fields {
    ($($field:ident),*) => {
        /// For each field whose value is kept. Where that is not said: this one's value if it has one, else the other's.
        #[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
        #[serde(deny_unknown_fields)]
        pub struct MergeChoice {
            $(#[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "some")]
            #[schema(nullable = false)]
            pub $field: Option<Side>,)*
        }

        impl MergeChoice {
            /// The choice for each field of this customer, the other's side where this one has no value.
            fn sides(&self, this: &Value) -> Vec<(&'static str, Side)> {
                let usual = |field: &str| if this[field].is_null() { Side::Other } else { Side::This };
                vec![$((stringify!($field), self.$field.unwrap_or_else(|| usual(stringify!($field))))),*]
            }
        }
    };
}

merged_fields!(name, kana, email, phone, company, status, notes, owner_id);

impl MergeChoice {
    /// What changes in `this` when `other` goes into it.
    pub fn changes(&self, this: &Customer, other: &Customer) -> CustomerChanges {
        let sides = self.sides(&json(this));
        let takes = |field: &str| sides.iter().any(|(name, side)| *name == field && *side == Side::Other);
        CustomerChanges {
            name: takes("name").then(|| other.name.clone()),
            kana: takes("kana").then(|| other.kana.clone()),
            email: takes("email").then(|| other.email.clone()),
            phone: takes("phone").then(|| other.phone.clone()),
            company: takes("company").then(|| other.company.clone()),
            status: takes("status").then_some(other.status),
            notes: takes("notes").then(|| other.notes.clone()),
            owner_id: takes("owner_id").then_some(other.owner_id),
        }
    }

    /// Field by field: both values, and which is kept.
    pub fn compared(&self, this: &Customer, other: &Customer) -> Vec<MergedField> {
        let (mine, theirs) = (json(this), json(other));
        let field = |(field, keep): (&'static str, Side)| MergedField {
            field,
            this: mine[field].clone(),
            other: theirs[field].clone(),
            keep,
        };
        self.sides(&mine).into_iter().map(field).collect()
    }
}

fn json(customer: &Customer) -> Value {
    serde_json::to_value(customer).expect("states are plain structs")
}

/// The body of a merge.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Merge {
    /// The customer that goes into this one.
    pub other_id: Id,
    #[serde(default)]
    #[schema(value_type = MergeChoice, required = false)]
    pub keep: MergeChoice,
}

// Its fields are ids and words of lists.
impl Rules for Merge {
    fn faults(self) -> Vec<FieldError> {
        Vec::new()
    }
}

/// What a merge does with a field.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct MergedField {
    #[schema(example = "email")]
    pub field: &'static str,
    #[schema(value_type = Option<String>, required)]
    pub this: Value,
    #[schema(value_type = Option<String>, required)]
    pub other: Value,
    pub keep: Side,
}

/// What a merge would do.
#[derive(Debug, Serialize, ToSchema)]
pub struct MergePreview {
    /// The customer that stays.
    pub id: Id,
    /// The one that goes into it.
    pub other_id: Id,
    pub fields: Vec<MergedField>,
    /// How many records of the other one would move, by kind.
    #[schema(value_type = BTreeMap<String, i64>)]
    pub counts: Counts,
}

/// Merges a customer into another one. The answer is the saga's id.
#[derive(Clone, Serialize, Deserialize)]
pub struct MergeCustomers {
    /// The customer that stays.
    pub id: Id,
    pub merge: Merge,
    pub context: Context,
}

/// Asks what a merge would do.
#[derive(Clone, Serialize, Deserialize)]
pub struct PreviewMerge {
    pub id: Id,
    pub merge: Merge,
    pub caller: Caller,
}

/// The two customers of a merge, as far as the caller may see both.
#[derive(Clone, Serialize, Deserialize)]
pub struct FindMerged {
    pub id: Id,
    pub other_id: Id,
    pub caller: Caller,
}
