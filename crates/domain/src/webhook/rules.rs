//! The rules of webhooks. Pure.

use serde_json::value::RawValue;

use crate::events as catalogue;
use crate::webhook::address::{AddressPolicy, URL_MAX};
use crate::webhook::form::{NewWebhook, WebhookChanges};
use crate::webhook::record::{DisabledReason, Webhook, WebhookPayload, WebhookView};
use crate::webhook::wanted::{ALL_TYPES, WantedType};
use kernel::caller::{Caller, Role};
use kernel::clock::Timestamp;
use kernel::error::{Error, ErrorCode, FieldError};
use kernel::event::{DomainEvent, EventType, StateAfter, raw};
use kernel::ids::Id;
use kernel::validation::Rules;

/// The most webhooks that there may be.
pub const WEBHOOKS_MAX: i64 = 100;

/// The commands of a webhook.
#[derive(Debug)]
pub enum WebhookCommand {
    Create {
        new: NewWebhook,
        place: i64,
    },
    Change(WebhookChanges),
    RotateSecret,
    /// The endpoint at this URL answered 410.
    Gone {
        url: String,
    },
    Delete,
}

/// What happened to a webhook, with the webhook after it.
#[derive(Debug)]
pub struct WebhookEvent {
    event_type: EventType,
    after: Webhook,
    changed: Vec<&'static str>,
}

/// The test of a webhook.
#[derive(Debug)]
pub struct WebhookPinged<'a>(pub &'a Webhook);

impl DomainEvent for WebhookPinged<'_> {
    fn event_type(&self) -> EventType {
        catalogue::WEBHOOK_PINGED
    }

    fn data(&self) -> Box<RawValue> {
        raw(&WebhookPayload { webhook: self.0.into(), changed: Vec::new() })
    }

    fn partition_key(&self, _: Id) -> Id {
        self.0.id
    }
}

/// Whether the caller may see and change webhooks: ADMIN (SPEC §1).
///
/// # Errors
/// `forbidden`.
pub fn may_manage(caller: &Caller) -> Result<(), Error> {
    caller.require(&[Role::Admin])
}

/// Checks a new webhook, and brings it into the form that is stored.
///
/// # Errors
/// `invalid_fields` with every error.
pub fn check_new(mut new: NewWebhook, policy: AddressPolicy) -> Result<NewWebhook, Error> {
    let mut faults = Vec::new();
    check_url(&mut new.url, policy, &mut faults);
    check_types(&mut new.event_types, &mut faults);
    if faults.is_empty() { Ok(new) } else { Err(Error::fields(faults)) }
}

/// Checks changes, and brings them into the form that is stored.
///
/// # Errors
/// `invalid_fields` with every error.
pub fn check_changes(mut changes: WebhookChanges, policy: AddressPolicy) -> Result<WebhookChanges, Error> {
    let mut faults = Vec::new();
    if let Some(url) = &mut changes.url {
        check_url(url, policy, &mut faults);
    }
    if let Some(types) = &mut changes.event_types {
        check_types(types, &mut faults);
    }
    if faults.is_empty() { Ok(changes) } else { Err(Error::fields(faults)) }
}

fn check_url(url: &mut String, policy: AddressPolicy, faults: &mut Vec<FieldError>) {
    if url.trim().is_empty() {
        return faults.push(FieldError::new("url", "required"));
    }
    if url.chars().count() > URL_MAX {
        return faults.push(FieldError::limit("url", "too_long", URL_MAX as i64));
    }
    match policy.check(url.trim()) {
        Ok(checked) if checked.as_str().len() > URL_MAX => {
            faults.push(FieldError::limit("url", "too_long", URL_MAX as i64));
        }
        Ok(checked) => *url = checked.into(),
        Err(code) => faults.push(FieldError::new("url", code)),
    }
}

fn check_types(types: &mut Vec<String>, faults: &mut Vec<FieldError>) {
    if types.is_empty() {
        return faults.push(FieldError::new("event_types", "required"));
    }
    let is_unknown = |name: &String| WantedType::names().all(|known| known != name);
    // One fault that lists all types is enough.
    if let Some(place) = types.iter().position(is_unknown) {
        let allowed = WantedType::names().collect::<Vec<_>>().join(", ");
        faults.push(FieldError::new(format!("event_types[{place}]"), "invalid_choice").allowing(allowed));
    }
    types.sort_unstable();
    types.dedup();
    if types.iter().any(|name| name == ALL_TYPES) {
        *types = vec![ALL_TYPES.to_owned()];
    }
}

// The address is checked by the service, which knows what the server allows; the rest is checked with the body.
const EVERYTHING: AddressPolicy = AddressPolicy { allow_private: true };

impl Rules for NewWebhook {
    fn faults(self) -> Vec<FieldError> {
        kernel::validation::faults_of(check_new(self, EVERYTHING))
    }
}

impl Rules for WebhookChanges {
    fn faults(self) -> Vec<FieldError> {
        kernel::validation::faults_of(check_changes(self, EVERYTHING))
    }
}

/// The events that a command leads to.
///
/// # Errors
/// `not_found`.
pub fn decide(
    state: Option<&Webhook>,
    command: &WebhookCommand,
    caller: &Caller,
    id: Id,
    now: Timestamp,
) -> Result<Vec<WebhookEvent>, Error> {
    if let (WebhookCommand::Create { new, place }, None) = (command, state) {
        return Ok(vec![created(new, *place, caller, id, now)]);
    }
    let before = state.ok_or_else(|| Error::new(ErrorCode::NotFound))?;
    let mut after = before.clone();
    let (event_type, changed) = match command {
        WebhookCommand::Create { .. } => return Err(Error::internal("a webhook's id was used before")),
        WebhookCommand::Change(changes) => {
            let changed = change(&mut after, changes, now);
            let disabled = before.is_enabled() && !after.is_enabled();
            let event_type = if disabled { catalogue::WEBHOOK_DISABLED } else { catalogue::WEBHOOK_UPDATED };
            (event_type, changed)
        }
        WebhookCommand::RotateSecret => {
            after.secret_made_at = now;
            (catalogue::WEBHOOK_UPDATED, vec!["secret"])
        }
        WebhookCommand::Gone { url } if *url == before.url && before.is_enabled() => {
            (after.disabled_at, after.disabled_reason) = (Some(now), Some(DisabledReason::Gone));
            (catalogue::WEBHOOK_DISABLED, vec!["enabled"])
        }
        // Somebody was faster, or the answer came from another address than it has now.
        WebhookCommand::Gone { .. } => return Ok(Vec::new()),
        WebhookCommand::Delete => {
            after.deleted_at = Some(now);
            (catalogue::WEBHOOK_DELETED, Vec::new())
        }
    };
    if changed.is_empty() && after.deleted_at.is_none() {
        return Ok(Vec::new());
    }
    (after.version, after.updated_at) = (before.version + 1, now);
    Ok(vec![WebhookEvent { event_type, after, changed }])
}

fn created(new: &NewWebhook, place: i64, caller: &Caller, id: Id, now: Timestamp) -> WebhookEvent {
    let after = Webhook {
        id,
        version: 1,
        created_at: now,
        updated_at: now,
        created_by: caller.user_id,
        url: new.url.clone(),
        event_types: new.event_types.clone(),
        disabled_at: (!new.enabled).then_some(now),
        disabled_reason: (!new.enabled).then_some(DisabledReason::Admin),
        secret_made_at: now,
        place,
        deleted_at: None,
    };
    WebhookEvent { event_type: catalogue::WEBHOOK_CREATED, after, changed: Vec::new() }
}

fn change(after: &mut Webhook, changes: &WebhookChanges, now: Timestamp) -> Vec<&'static str> {
    let mut changed = Vec::new();
    kernel::validation::set(&mut after.url, changes.url.clone(), "url", &mut changed);
    kernel::validation::set(&mut after.event_types, changes.event_types.clone(), "event_types", &mut changed);
    match changes.enabled {
        Some(true) if !after.is_enabled() => {
            (after.disabled_at, after.disabled_reason) = (None, None);
            changed.push("enabled");
        }
        Some(false) if after.is_enabled() => {
            (after.disabled_at, after.disabled_reason) = (Some(now), Some(DisabledReason::Admin));
            changed.push("enabled");
        }
        _ => {}
    }
    changed
}

impl StateAfter for WebhookEvent {
    type State = Webhook;

    fn after(&self) -> &Webhook {
        &self.after
    }
}

impl DomainEvent for WebhookEvent {
    fn event_type(&self) -> EventType {
        self.event_type
    }

    fn data(&self) -> Box<RawValue> {
        let changed = self.changed.iter().map(|name| (*name).to_owned()).collect();
        raw(&WebhookPayload { webhook: WebhookView::from(&self.after), changed })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use kernel::ids::new_id;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_micros(seconds * 1_000_000)
    }

    fn new(url: &str, types: &[&str]) -> NewWebhook {
        let event_types = types.iter().map(|name| (*name).to_owned()).collect();
        NewWebhook { url: url.to_owned(), event_types, enabled: true }
    }

    fn made() -> Webhook {
        let command = WebhookCommand::Create { new: new("https://a.example/", &["*"]), place: 3 };
        decide(None, &command, &Caller::system(), new_id(), at(1)).unwrap().remove(0).after
    }

    fn after(state: &Webhook, command: &WebhookCommand) -> Option<(&'static str, Webhook)> {
        let events = decide(Some(state), command, &Caller::system(), state.id, at(9)).unwrap();
        events.into_iter().next().map(|event| (event.event_type.name(), event.after))
    }

    #[test]
    fn a_webhook_is_checked_and_stored_in_one_form() {
        let checked = check_new(
            new(" HTTPS://Example.com ", &["task.created", "customer.created", "task.created"]),
            AddressPolicy::default(),
        );
        let checked = checked.unwrap();
        assert_eq!((checked.url.as_str(), checked.event_types.len()), ("https://example.com/", 2));
        let all = check_new(new("https://a.example", &["customer.created", "*"]), AddressPolicy::default());
        assert_eq!(all.unwrap().event_types, ["*"]);
        for (wrong, field, code) in [
            (new("", &["*"]), "url", "required"),
            (new("x", &["*"]), "url", "invalid_url"),
            (new("http://a.example", &["*"]), "url", "https_required"),
            (new("https://10.0.0.1", &["*"]), "url", "private_address"),
            (new(&format!("https://a.example/{}", "x".repeat(2_000)), &["*"]), "url", "too_long"),
            (new("https://a.example", &[]), "event_types", "required"),
            (new("https://a.example", &["customer.gone"]), "event_types[0]", "invalid_choice"),
            (new("https://a.example", &["webhook.pinged"]), "event_types[0]", "invalid_choice"),
        ] {
            let error = check_new(wrong, AddressPolicy::default()).unwrap_err();
            assert_eq!((error.fields[0].field.as_str(), &*error.fields[0].code), (field, code));
        }
    }

    #[test]
    fn what_changes_nothing_is_no_event() {
        let webhook = made();
        let same = WebhookChanges { url: Some(webhook.url.clone()), ..WebhookChanges::default() };
        assert_eq!(after(&webhook, &WebhookCommand::Change(same)), None);
    }

    #[test]
    fn a_webhook_is_disabled_by_an_admin_or_by_a_410_of_its_present_address() {
        let webhook = made();
        let off = WebhookChanges { enabled: Some(false), ..WebhookChanges::default() };
        let (name, disabled) = after(&webhook, &WebhookCommand::Change(off)).unwrap();
        assert_eq!((name, disabled.disabled_reason), ("webhook.disabled", Some(DisabledReason::Admin)));
        let on = WebhookChanges { enabled: Some(true), ..WebhookChanges::default() };
        let (name, enabled) = after(&disabled, &WebhookCommand::Change(on)).unwrap();
        assert_eq!((name, enabled.is_enabled(), enabled.version), ("webhook.updated", true, 3));
        let gone = |url: &str| WebhookCommand::Gone { url: url.into() };
        let (name, disabled) = after(&webhook, &gone("https://a.example/")).unwrap();
        assert_eq!((name, disabled.disabled_reason), ("webhook.disabled", Some(DisabledReason::Gone)));
        assert_eq!(after(&webhook, &gone("https://b.example/")), None);
        assert_eq!(after(&disabled, &gone("https://a.example/")), None);
    }

    #[test]
    fn events_carry_the_webhook_and_no_secret() {
        let webhook = made();
        let event =
            decide(Some(&webhook), &WebhookCommand::RotateSecret, &Caller::system(), webhook.id, at(5));
        let data = event.unwrap().remove(0).data();
        let payload: WebhookPayload = serde_json::from_str(data.get()).unwrap();
        assert_eq!((payload.webhook.version, payload.changed.as_slice()), (2, &["secret".to_owned()][..]));
        assert!(!data.get().contains("\"secret\":") && payload.webhook.secret_made_at == at(5));
    }
}
