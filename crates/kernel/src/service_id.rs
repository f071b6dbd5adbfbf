//! The name of a service. The application says which services there are.

use std::fmt;

/// The name of a service in flags, logs and messages between nodes. The application declares its services as constants.
///
/// ```
/// use kizuna_kernel::service_id::ServiceId;
///
/// const SALES: ServiceId = ServiceId("sales");
/// assert_eq!(SALES.to_string(), "sales");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ServiceId(pub &'static str);

impl ServiceId {
    /// The name itself.
    pub const fn as_str(self) -> &'static str {
        self.0
    }
}

impl fmt::Display for ServiceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}
