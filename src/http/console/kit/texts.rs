//! Whether every text that pages ask for is there, in both languages.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use crate::http::console::kit::frame::{Frame, api_word};
use crate::http::console::kit::listing::label;
use domain::approval::record::ApprovalStatus;
use domain::customer::record::CustomerStatus;
use domain::deal::stage::DealStage;
use domain::events as catalogue;
use domain::lists::ListName;
use domain::saga::record::{Counted, SagaKind, SagaStatus, StepStatus};
use domain::security::record::SecurityKind;
use domain::session::record::SessionKind;
use kernel::clock::Timestamp;
use kernel::locale::Locale;

/// The texts of these files, which are all that ask by a key.
fn sources() -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut sources = Vec::new();
    for directory in ["templates", "src/http/console/kit", "src/http/console/pages"] {
        for entry in fs::read_dir(root.join(directory)).expect("a directory of ours") {
            let path = entry.expect("a file").path();
            if path.ends_with("texts.rs") {
                continue;
            }
            sources.push((path.display().to_string(), fs::read_to_string(&path).expect("text")));
        }
    }
    sources
}

/// The words in quotes that follow a mark.
fn after<'a>(source: &'a str, mark: &'a str) -> impl Iterator<Item = &'a str> {
    source.split(mark).skip(1).filter_map(|rest| rest.split('"').next())
}

fn is_there(key: &str) -> bool {
    [Locale::Ja, Locale::En].into_iter().all(|locale| {
        let frame = Frame::nobodys(locale, Timestamp::from_micros(0));
        let text = frame.n(key, &1);
        !text.contains('⟦') && !text.contains('{')
    })
}

#[test]
fn every_key_that_a_page_asks_for_has_its_text() {
    let mut missing = BTreeSet::new();
    let mut asked = 0;
    for (path, source) in sources() {
        for mark in
            ["f.t(\"", "frame.t(\"", "f.n(\"", "f.with(\"", "frame.with(\"", "dialog_title = \"", ".hint(\""]
        {
            for key in after(&source, mark) {
                asked += 1;
                if !is_there(key) {
                    missing.insert(format!("{key} in {path}"));
                }
            }
        }
        for word in after(&source, "?done=").filter_map(|rest| rest.split(['#', '&', '{']).next()) {
            if !is_there(&format!("done-{word}")) {
                missing.insert(format!("done-{word} in {path}"));
            }
        }
        for name in [
            "text", "email", "phone", "password", "area", "number", "amount", "moment", "day", "choice",
            "search",
        ] {
            for field in after(&source, &format!("Field::{name}(\"")) {
                if !is_there(&format!("label-{}", field.replace('_', "-"))) {
                    missing.insert(format!("the label of {field} in {path}"));
                }
            }
        }
    }
    assert!(asked > 200, "the test finds them: {asked}");
    assert_eq!(missing, BTreeSet::new());
}

#[test]
fn every_word_of_the_services_has_its_text() {
    let mut keys: Vec<(&str, String)> = Vec::new();
    keys.extend(catalogue::CATALOGUE.0.iter().map(|event| ("event", event.to_string())));
    keys.extend(CustomerStatus::ALL.iter().map(|status| ("status", status.as_str().to_owned())));
    keys.extend(ApprovalStatus::ALL.iter().map(|status| ("approval", status.as_str().to_owned())));
    keys.extend(DealStage::ALL.map(|stage| ("stage", stage.as_str().to_owned())));
    for list in ListName::ALL {
        keys.extend(list.sorts().iter().map(|sort| ("sort", sort.name.to_owned())));
        keys.extend(list.columns().iter().map(|column| ("label", label(list, column.name).to_owned())));
    }
    keys.extend(["SALES", "MANAGER", "ADMIN"].map(|role| ("role", role.to_owned())));
    keys.extend(["overdue", "soon", "done"].map(|due| ("due", due.to_owned())));
    keys.extend(SecurityKind::ALL.iter().map(|kind| ("security", kind.as_str().to_owned())));
    keys.extend([SessionKind::Api, SessionKind::Console].map(|kind| ("session-kind", api_word(&kind))));
    keys.extend(["profile", "password"].map(|form| ("settings", form.to_owned())));
    keys.extend(["profile", "password"].map(|form| ("settings-about", form.to_owned())));
    keys.extend(["closed", "open", "half_open"].map(|state| ("breaker", state.to_owned())));
    for kind in SagaKind::ALL {
        keys.push(("saga", api_word(&kind)));
        keys.extend(kind.plan().iter().map(|step| ("step", step.name.to_owned())));
    }
    let states = [SagaStatus::Running, SagaStatus::Completed, SagaStatus::Failed];
    keys.extend(states.map(|status| ("saga-status", api_word(&status))));
    let steps = [StepStatus::Pending, StepStatus::Done, StepStatus::Failed];
    keys.extend(steps.map(|status| ("step-status", api_word(&status))));
    let counted = [
        Counted::Customers,
        Counted::Meetings,
        Counted::Tasks,
        Counted::Approvals,
        Counted::Notifications,
        Counted::Deals,
    ];
    keys.extend(counted.map(|kind| ("counted", api_word(&kind))));
    let missing: Vec<_> = keys
        .iter()
        .filter(|(family, word)| !is_there(&format!("{family}-{}", word.replace(['.', '_'], "-"))))
        .collect();
    assert_eq!(missing, Vec::<&(&str, String)>::new());
}
