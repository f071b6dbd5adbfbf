//! Where webhooks may lead.

use clap::Args;

use crate::actors::webhooks::resolver::HostLookup;
use domain::webhook::address::AddressPolicy;

/// Where webhooks may lead.
#[derive(Args, Clone, Debug)]
pub struct WebhooksConfig {
    /// Let webhooks lead to private addresses, and by http: for receivers on this machine or its network
    #[arg(long = "webhook-allow-private", env = "KIZUNA_WEBHOOK_ALLOW_PRIVATE", num_args = 0..=1, require_equals = true, default_value_t = false, default_missing_value = "true", value_parser = clap::builder::BoolishValueParser::new())]
    pub allow_private: bool,
    /// Whether this process sends. No argument sets it: a command beside a server does not.
    #[arg(skip = true)]
    pub sends: bool,
    /// How names are looked up. No argument sets it: tests that start a node in their own process do.
    #[arg(skip)]
    pub lookup: HostLookup,
}

impl WebhooksConfig {
    pub fn policy(&self) -> AddressPolicy {
        AddressPolicy { allow_private: self.allow_private }
    }
}
