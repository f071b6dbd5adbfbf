//! `/deals`: the list, and with `view=board` the board (`board.rs`).

use actix_web::{get, post};
use askama::Template;

use crate::formats;
use crate::http::api::deals::DealParams;
use crate::http::console::kit::cell::{Cell, Cells};
use crate::http::console::kit::chips::{Chip, hidden_filters};
use crate::http::console::kit::choice::{Choice, Source};
use crate::http::console::kit::field::Field;
use crate::http::console::kit::form::Form;
use crate::http::console::kit::form_data::Fields;
use crate::http::console::kit::frame::Frame;
use crate::http::console::kit::list_file;
use crate::http::console::kit::listing::{Listing, ask};
use crate::http::console::kit::lookups;
use crate::http::console::kit::lookups::{CustomerLink, References};
use crate::http::console::kit::record_pages;
use crate::http::console::kit::record_pages::{EMBEDDED_ROWS, ListPage, NewForm, new_form};
use crate::http::console::kit::resume::Sent;
use crate::http::console::kit::saved_views::VIEW;
use crate::http::console::kit::search;
use crate::http::console::kit::session_user::SessionUser;
use crate::http::console::kit::shared_pages::{list_params, narrowed};
use crate::http::console::pages::approvals::currency_field;
use crate::http::console::pages::board;
use crate::http::error::HttpResult;
use crate::http::period::today;
use domain::deal::messages::{CreateDeal, DealFilter, ListDeals, SORTS};
use domain::deal::record::{Deal, NewDeal};
use domain::deal::rules::CUSTOMER_DELETED;
use domain::deal::stage::DealStage;
use domain::lists::ListName;
use kernel::context::Context;
use kernel::error::Error;
use kernel::ids::Id;
use kernel::page::{PageRequest, Sort};

/// A deal of a list.
pub struct DealRow {
    pub deal: Deal,
    pub customer: Option<CustomerLink>,
    pub owner: String,
    /// The day on which it is expected.
    pub day: Option<String>,
    /// Whether it is open and that day has passed.
    pub is_late: bool,
    /// Why it was lost.
    pub reason: Option<String>,
}

impl Cells for DealRow {
    fn cell(&self, column: &str, f: &Frame) -> Cell {
        let Self { deal, customer, owner, day, reason, .. } = self;
        match column {
            "title" => Cell::text(&deal.title),
            "amount" => Cell::Money(deal.amount, deal.currency.clone()),
            "stage" => Cell::text(f.word("stage", deal.stage.as_str())),
            "probability" => Cell::text(f.n("deals-percent", &deal.probability)),
            "expected_on" => Cell::some(day.as_ref()),
            "customer_id" => Cell::some(customer.as_ref().map(|customer| &customer.name)),
            "owner_id" => Cell::Person(deal.owner_id, owner.clone()),
            "lost_reason" => Cell::some(reason.as_ref()),
            "closed_at" => Cell::moment(deal.closed_at),
            "created_at" => Cell::Time(deal.created_at),
            "updated_at" => Cell::Time(deal.updated_at),
            _ => Cell::Nothing,
        }
    }
}

#[derive(Template)]
#[template(path = "deals.html")]
pub struct DealsPage {
    f: Frame,
    rows: Vec<DealRow>,
    list: Listing,
    stage: String,
    stages: [DealStage; 5],
    /// What the list is narrowed to.
    owner: Field,
    customer: Field,
    expected_from: String,
    expected_to: String,
    chips: Vec<Chip>,
    q: String,
    form: Form,
}

/// Deals with the names of whom they refer to.
///
/// # Errors
/// `unavailable`, `overloaded`.
pub async fn rows(me: &SessionUser, f: &Frame, deals: Vec<Deal>) -> Result<Vec<DealRow>, Error> {
    let references = References::default()
        .customers(deals.iter().map(|deal| deal.customer_id))
        .users(deals.iter().map(|deal| deal.owner_id));
    let names = lookups::load(&me.gateway, me.caller(), references).await?;
    let now = today(f.zone, f.now);
    let row = |deal: Deal| DealRow {
        customer: names.customer(deal.customer_id),
        owner: names.user(f, deal.owner_id),
        day: deal.expected_on.map(|day| f.day(&day.date())),
        is_late: deal.stage.is_open() && deal.expected_on.is_some_and(|day| day.date() < now),
        reason: deal.lost_reason.as_ref().map(|reason| match reason.as_str() {
            CUSTOMER_DELETED => f.t("deals-closed-with-customer"),
            _ => reason.clone(),
        }),
        deal,
    };
    Ok(deals.into_iter().map(row).collect())
}

/// The first deals that a filter leaves in this order, `limit` at most.
///
/// # Errors
/// `unavailable`, `overloaded`.
pub async fn first(
    me: &SessionUser,
    f: &Frame,
    filter: DealFilter,
    sort: Sort,
    limit: i64,
) -> Result<Vec<DealRow>, Error> {
    let asked = ListDeals { caller: me.caller(), filter, sort, page: PageRequest::first(limit) };
    rows(me, f, me.gateway.opportunity.service.ask(asked).await?.items).await
}

/// The newest deals of a customer.
///
/// # Errors
/// `unavailable`, `overloaded`.
pub async fn of_customer(me: &SessionUser, f: &Frame, customer: Id) -> Result<Vec<DealRow>, Error> {
    let filter = DealFilter { customer_id: Some(customer), ..DealFilter::default() };
    first(me, f, filter, SORTS[0], EMBEDDED_ROWS).await
}

/// The pages of deals.
pub struct Deals;

impl ListPage for Deals {
    const LIST_NAME: Option<ListName> = Some(ListName::Deals);
    const SECTION: &'static str = "deals";
    const DONE: &'static str = "deal-added";
    const NEW: NewForm = NewForm { id: "new-deal", action: "/deals", submit: "submit-add" };
    type Record = Deal;
    type New = NewDeal;
    type View = DealsPage;
    const FILTERS: &'static [(&'static str, Source)] =
        &[("customer_id", Source::Customers), ("owner_id", Source::People)];

    async fn fields(
        me: &SessionUser,
        f: &Frame,
        deal: Option<&Deal>,
        customer: Option<Id>,
    ) -> Result<Vec<Field>, Error> {
        let chosen = deal.map(|deal| deal.customer_id).or(customer);
        let owner = deal.map_or(me.caller().user_id, |deal| deal.owner_id);
        let references = References::default().customers(chosen).users([owner]);
        let names = lookups::load(&me.gateway, me.caller(), references).await?;
        let amount = deal.map(|deal| formats::decimal(deal.amount, &deal.currency));
        let stage = |stage: DealStage| Choice {
            value: stage.as_str().to_owned(),
            label: f.word("stage", stage.as_str()),
        };
        let stages = DealStage::ALL.map(stage).into();
        let at = deal.map_or(DealStage::Qualify, |deal| deal.stage);
        let mut fields = vec![
            Field::search("customer_id", Source::Customers)
                .required()
                .choosing(chosen.and_then(|id| names.customer_choice(id))),
            Field::text("title").required().holding_some(deal.map(|deal| &deal.title)),
            Field::amount("amount").required().hint("amount-hint").holding_some(amount),
            currency_field(deal.map(|deal| deal.currency.as_str())),
            Field::day("expected_on").holding_some(deal.and_then(|deal| deal.expected_on)),
            Field::choice("stage", stages).required().more().holding(at.as_str()),
            Field::number("probability")
                .more()
                .hint("deal-probability-hint")
                .holding_some(deal.map(|deal| deal.probability)),
            Field::area("lost_reason")
                .more()
                .hint("deal-reason-hint")
                .holding_some(deal.and_then(|deal| deal.lost_reason.as_ref())),
        ];
        if f.sees_all_owners() {
            let field = Field::search("owner_id", Source::People).choosing(names.user_choice(owner));
            fields.push(field.required().more());
        }
        Ok(fields)
    }

    async fn view(me: &SessionUser, f: Frame, form: Option<Form>) -> Result<DealsPage, Error> {
        let (params, given): (DealParams, _) = list_params(&me.request)?;
        let sort = params.order()?;
        let mut asked = params.page(|keyset| sort.fits(keyset))?;
        let (caller, filter) = (me.caller(), DealFilter::from(params));
        let customer_id = filter.customer_id;
        let list = |page| ListDeals { caller, filter: filter.clone(), sort, page };
        let page = ask(&mut asked, |page| me.gateway.opportunity.service.ask(list(page))).await?;
        let form = match form {
            Some(form) => form,
            None => new_form::<Self>(me, &f, customer_id).await?,
        };
        let shown = ["q", "stage", "customer_id", "owner_id", "expected_from", "expected_to"];
        Ok(DealsPage {
            chips: hidden_filters(me, &f, &given, &shown).await?,
            list: Listing::of(me, ListName::Deals, &given, &sort, (&asked, &page)).await?,
            rows: rows(me, &f, page.items).await?,
            stage: narrowed(&given, "stage"),
            stages: DealStage::ALL,
            owner: search::filter(me, &given, "owner_id", Source::People).await?,
            customer: search::filter(me, &given, "customer_id", Source::Customers).await?,
            expected_from: narrowed(&given, "expected_from"),
            expected_to: narrowed(&given, "expected_to"),
            q: narrowed(&given, "q"),
            form,
            f,
        })
    }

    async fn create(me: &SessionUser, deal: NewDeal, _: &Fields, context: Context) -> Result<Id, Error> {
        Ok(me.gateway.opportunity.service.ask(CreateDeal { deal, context }).await?.id)
    }

    fn made(_: Id) -> String {
        "/deals".to_owned()
    }
}

#[get("/deals")]
pub async fn index(me: SessionUser) -> HttpResult {
    let given = Fields::parsed(me.request.query_string().as_bytes());
    if given.get(VIEW) == Some(board::VIEW_NAME) {
        return board::index(me).await;
    }
    record_pages::index::<Deals>(me).await
}

/// The list as a file, with the columns and in the language of its reader.
#[get("/deals.csv")]
pub async fn file(me: SessionUser) -> HttpResult {
    let (params, given): (DealParams, Fields) = list_params(&me.request)?;
    let sort = params.order()?;
    let filter = DealFilter::from(params);
    list_file::answer(me, ListName::Deals, &given, move |reader, page| {
        let list = ListDeals { caller: reader.me.caller(), filter: filter.clone(), sort, page };
        async move {
            let mut page = reader.me.gateway.opportunity.service.ask(list).await?;
            let items = std::mem::take(&mut page.items);
            Ok(page.holding(rows(&reader.me, &reader.f, items).await?))
        }
    })
    .await
}

#[post("/deals")]
pub async fn create(me: SessionUser, sent: Sent) -> HttpResult {
    record_pages::create::<Deals>(me, sent).await
}
