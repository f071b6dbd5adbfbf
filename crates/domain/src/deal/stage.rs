//! The stages of a deal (SPEC §3), and which follow which. Pure.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use kernel::error::{Error, ErrorCode};

/// How far a deal is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "UPPERCASE")]
pub enum DealStage {
    Qualify,
    Propose,
    Negotiate,
    Won,
    Lost,
}

impl DealStage {
    /// All of them, in the order in which a deal goes through them.
    pub const ALL: [Self; 5] = [Self::Qualify, Self::Propose, Self::Negotiate, Self::Won, Self::Lost];

    /// Its name in the API and the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Qualify => "QUALIFY",
            Self::Propose => "PROPOSE",
            Self::Negotiate => "NEGOTIATE",
            Self::Won => "WON",
            Self::Lost => "LOST",
        }
    }

    /// The stage of this name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|stage| stage.as_str() == name)
    }

    /// How far a deal in this stage has come: 0, 1, … up to a deal that is won. A deal that is lost has come no further by that.
    pub const fn rank(self) -> i64 {
        match self {
            Self::Qualify | Self::Lost => 0,
            Self::Propose => 1,
            Self::Negotiate => 2,
            Self::Won => 3,
        }
    }

    /// Whether the deal is neither won nor lost.
    pub const fn is_open(self) -> bool {
        matches!(self, Self::Qualify | Self::Propose | Self::Negotiate)
    }

    /// The probability, in percent, of a deal in this stage unless another is given.
    pub const fn probability(self) -> i64 {
        match self {
            Self::Qualify => 10,
            Self::Propose => 40,
            Self::Negotiate => 70,
            Self::Won => 100,
            Self::Lost => 0,
        }
    }

    /// Checks a move to another stage: a deal that is won or lost becomes open again before it is the other.
    ///
    /// # Errors
    /// `deal_closed`.
    pub fn check_move(self, to: Self) -> Result<(), Error> {
        match self == to || self.is_open() || to.is_open() {
            true => Ok(()),
            false => Err(Error::new(ErrorCode::DealClosed)),
        }
    }
}
