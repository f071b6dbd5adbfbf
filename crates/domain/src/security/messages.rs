//! The messages about the security log.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use crate::security::record::SecurityKind;
use kernel::caller::Caller;
use kernel::clock::Timestamp;
use kernel::ids::Id;
use kernel::page::{PageRequest, Sort};

/// The order of the security log: the newest first.
pub const NEWEST_FIRST: Sort = Sort::time("-at", "at", true);

/// Which entries; all that is given must hold.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct SecurityFilter {
    pub kind: Option<SecurityKind>,
    pub user_id: Option<Id>,
    pub address: Option<IpAddr>,
    pub from: Option<Timestamp>,
    pub to: Option<Timestamp>,
}

/// Reads the security log (ADMIN).
#[derive(Clone, Serialize, Deserialize)]
pub struct ReadSecurityLog {
    pub caller: Caller,
    pub filter: SecurityFilter,
    pub page: PageRequest,
}
