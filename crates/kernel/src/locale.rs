//! The languages of texts.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A language of texts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Locale {
    #[default]
    Ja,
    En,
}
