//! `/deals?view=board`: deals as cards, a column for each stage. A card moves by drag, or by the choice on it.

use actix_web::post;
use askama::Template;

use crate::http::api::deals::DealParams;
use crate::http::console::kit::choice::Source;
use crate::http::console::kit::field::Field;
use crate::http::console::kit::form::{Form, is_mendable};
use crate::http::console::kit::form_data::Posted;
use crate::http::console::kit::frame::{Frame, Outcome, html, ok, redirect};
use crate::http::console::kit::record_pages::EditPage;
use crate::http::console::kit::record_pages::{edit_form, new_form};
use crate::http::console::kit::return_to::done_at;
use crate::http::console::kit::search;
use crate::http::console::kit::session_user::{SessionUser, address_with};
use crate::http::console::kit::shared_pages::{list_params, narrowed};
use crate::http::console::pages::deals;
use crate::http::console::pages::deals::{DealRow, Deals};
use crate::http::error::HttpResult;
use crate::http::extract::PathId;
use domain::deal::messages::{ChangeDeal, DealFilter, DealStats, DealSums, SORTS};
use domain::deal::record::DealChanges;
use domain::deal::stage::DealStage;
use kernel::error::{Error, ErrorCode};

/// The value of the parameter `view` that leads to the board.
pub const VIEW_NAME: &str = "board";
/// Cards of a column, at most; the list has all.
const CARDS_MAX: i64 = 50;

/// A column of the board.
struct Column {
    stage: DealStage,
    count: i64,
    /// The sum in each currency, and the weighted one where it says more.
    sums: Vec<(String, Option<String>)>,
    cards: Vec<Card>,
    /// The list of the column's deals.
    list: String,
}

impl Column {
    fn is_cut(&self) -> bool {
        self.count > self.cards.len() as i64
    }
}

/// A deal, and the stages to which it may go.
struct Card {
    row: DealRow,
    to: Vec<DealStage>,
}

#[derive(Template)]
#[template(path = "board.html")]
struct BoardPage {
    f: Frame,
    columns: Vec<Column>,
    owner: Field,
    customer: Field,
    q: String,
    /// The list under the same filters.
    list: String,
    form: Form,
}

/// The board under the filters of the request.
///
/// # Errors
/// `invalid_parameter`, `unavailable`, `overloaded`.
pub async fn index(me: SessionUser) -> HttpResult {
    if let Some(address) = search::settled_address(&me, &FILTERS).await? {
        return Ok(redirect(&address));
    }
    let f = me.frame("deals").await;
    let (params, given): (DealParams, _) = list_params(&me.request)?;
    let filter = DealFilter { stage: None, ..DealFilter::from(params) };
    let asked = DealStats { caller: me.caller(), filter: filter.clone() };
    let mut stats = me.gateway.opportunity.service.ask(asked).await?;
    let mut columns = Vec::new();
    for stage in DealStage::ALL {
        let sums = stats.by_stage.remove(&stage).unwrap_or_default();
        // What is open by the day on which it is expected, what is closed by its age.
        let sort = if stage.is_open() { SORTS[5] } else { SORTS[0] };
        let of_stage = DealFilter { stage: Some(stage), ..filter.clone() };
        let rows = deals::first(&me, &f, of_stage, sort, CARDS_MAX).await?;
        columns.push(Column {
            stage,
            count: sums.values().map(|sums| sums.count).sum(),
            sums: sums.iter().map(|(currency, sums)| summed(&f, stage, currency, sums)).collect(),
            cards: rows.into_iter().map(card).collect(),
            list: address_with(
                &me.request,
                &[("view", Some("all")), ("stage", Some(stage.as_str())), ("done", None)],
            ),
        });
    }
    let page = BoardPage {
        owner: search::filter(&me, &given, "owner_id", Source::People).await?,
        customer: search::filter(&me, &given, "customer_id", Source::Customers).await?,
        q: narrowed(&given, "q"),
        list: address_with(&me.request, &[("view", Some("all")), ("done", None)]),
        form: Form {
            back: Some(address_with(&me.request, &[("done", None)])),
            ..new_form::<Deals>(&me, &f, filter.customer_id).await?
        },
        columns,
        f,
    };
    Ok(ok(&page))
}

const FILTERS: [(&str, Source); 2] = [("customer_id", Source::Customers), ("owner_id", Source::People)];

fn summed(f: &Frame, stage: DealStage, currency: &str, sums: &DealSums) -> (String, Option<String>) {
    let weighted = f.with("deals-weighted", &f.money(&sums.weighted_amount, currency));
    (f.money(&sums.amount, currency), stage.is_open().then_some(weighted))
}

fn card(row: DealRow) -> Card {
    let at = row.deal.stage;
    let to = DealStage::ALL.into_iter().filter(|to| *to != at && at.check_move(*to).is_ok());
    Card { to: to.collect(), row }
}

/// Moves a deal to another stage. Where the reason of a loss is missing, the deal's form asks for it.
#[post("/deals/{id}/move")]
pub async fn move_to(me: SessionUser, id: PathId, posted: Posted) -> HttpResult {
    let posted = posted.0;
    let stage = posted.get("stage").and_then(DealStage::parse);
    let stage = stage.ok_or_else(|| Error::field("stage", "invalid_choice"))?;
    let reason = posted.get("lost_reason").filter(|reason| !reason.trim().is_empty());
    let lost_reason = reason.filter(|_| stage == DealStage::Lost).map(|reason| Some(reason.to_owned()));
    let changes = DealChanges { stage: Some(stage), lost_reason, ..DealChanges::default() };
    let change = ChangeDeal { id: id.0, changes, context: me.context(None) };
    match me.gateway.opportunity.service.ask(change).await {
        Ok(_) => {
            let back = posted.back("back").map_or_else(|| format!("/deals/{}", id.0), str::to_owned);
            Ok(redirect(&done_at(&back, "moved")))
        }
        Err(error) if error.code == ErrorCode::InvalidFields && is_mendable(&error) => {
            let f = me.frame("deals").await;
            let deal = <Deals as EditPage>::find(&me, id.0).await?;
            let form = edit_form::<Deals>(&me, &f, &deal).await?.refused(&posted, &error, &f);
            Ok(html(Outcome(Some(&error)), &Deals::view_of(&me, f, &deal, form).await?))
        }
        Err(error) => Err(error.into()),
    }
}
