//! Identifiers: UUIDv7, so that later ids sort later and index pages fill from one end.

use std::borrow::Cow;
use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, de};
use utoipa::openapi::{KnownFormat, ObjectBuilder, RefOr, Schema, SchemaFormat, Type};
use utoipa::{PartialSchema, ToSchema};
use uuid::Uuid;

use crate::clock::Timestamp;
use crate::simulation;

/// The id of an aggregate, an event, a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Id(Uuid);

/// Makes a new id, which is greater than every id this process made before.
pub fn new_id() -> Id {
    Id(simulation::id_bits().map_or_else(Uuid::now_v7, Uuid::from_u128))
}

impl Id {
    /// The id of Kizuna itself as a caller.
    pub const fn nil() -> Self {
        Self(Uuid::nil())
    }

    /// An id that is less than all that are made from this moment on.
    pub fn earliest(at: Timestamp) -> Self {
        let millis = u128::try_from(at.micros() / 1_000).unwrap_or(0);
        Self(Uuid::from_u128(millis << 80))
    }

    /// An id that is made of another, for what there is once for each pair of records: its time is `at`'s, and its other bits are
    /// those of `mixed`.
    pub fn derived(at: Self, mixed: u128) -> Self {
        const TIME: u128 = 0xffff_ffff_ffff << 80;
        const VERSION: u128 = 0xf << 76;
        const VARIANT: u128 = 0x3 << 62;
        let bits = (at.bits() & TIME) | (mixed & !(TIME | VERSION | VARIANT));
        Self(Uuid::from_u128(bits | (0x7 << 76) | (0x2 << 62)))
    }

    pub fn is_nil(&self) -> bool {
        self.0.is_nil()
    }

    /// Parses an id in the hyphenated form.
    pub fn parse(text: &str) -> Option<Self> {
        (text.len() == 36).then(|| Uuid::try_parse(text).ok().map(Self)).flatten()
    }

    /// The id of these bits, as [`bits`](Self::bits) gives them.
    pub fn of_bits(bits: u128) -> Self {
        Self(Uuid::from_u128(bits))
    }

    /// Its 128 bits.
    pub fn bits(&self) -> u128 {
        self.0.as_u128()
    }

    /// The id as a `Uuid`, for PostgreSQL.
    pub fn uuid(&self) -> Uuid {
        self.0
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl std::str::FromStr for Id {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text).ok_or("expected a UUID")
    }
}

impl<'de> Deserialize<'de> for Id {
    /// Accepts the hyphenated form only; a UUID has others.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}

impl PartialSchema for Id {
    fn schema() -> RefOr<Schema> {
        let format = SchemaFormat::KnownFormat(KnownFormat::Uuid);
        ObjectBuilder::new().schema_type(Type::String).format(Some(format)).build().into()
    }
}

impl ToSchema for Id {
    fn name() -> Cow<'static, str> {
        "Id".into()
    }
}
