//! `/reports/deals`: the funnel, the forecast and what became of deals. Each figure leads to the list of its deals.

use std::collections::BTreeMap;

use actix_web::web::Path;
use actix_web::{HttpRequest, get};
use askama::Template;
use chrono::{Datelike, NaiveDate};

use crate::formats;
use crate::http::api::deal_reports::{Asked, Funnel, Outcomes, read_forecast, read_funnel, read_outcomes};
use crate::http::console::kit::chart::{Bars, bars};
use crate::http::console::kit::choice::Source;
use crate::http::console::kit::field::Field;
use crate::http::console::kit::frame::{Frame, ok, redirect};
use crate::http::console::kit::lookups;
use crate::http::console::kit::lookups::References;
use crate::http::console::kit::search;
use crate::http::console::kit::session_user::SessionUser;
use crate::http::console::kit::shared_pages::list_params;
use crate::http::csv;
use crate::http::csv::harmless;
use crate::http::error::HttpResult;
use crate::http::period::{StatsParams, days, moments, today};
use domain::deal::reports::{ForecastMonth, OutcomesByCurrency, count};
use domain::deal::rules::CUSTOMER_DELETED;
use domain::deal::stage::DealStage;
use domain::report::period;
use domain::report::period::Span;
use kernel::clock::Timestamp;
use kernel::error::{Error, ErrorCode};
use kernel::ids::Id;
use kernel::page::Page;

/// A figure, and the list of the deals that it is of.
struct Figure {
    text: String,
    /// The number of those deals.
    rows: i64,
    link: String,
}

/// A row of a table: what it is of, and its figures.
struct Line {
    label: String,
    cells: Vec<Cell>,
}

enum Cell {
    /// One figure, or one for each currency.
    Figures(Vec<Figure>),
    Text(String),
}

/// A table of figures.
struct Table {
    /// The name of its part in texts and addresses.
    name: &'static str,
    heads: Vec<String>,
    lines: Vec<Line>,
    charts: Vec<(String, Bars)>,
}

/// A period to choose by one click.
struct Choice {
    label: String,
    span: Span,
}

#[derive(Template)]
#[template(path = "deal_reports.html")]
struct DealReportsPage {
    f: Frame,
    from: NaiveDate,
    to: NaiveDate,
    /// The period that stands beside.
    before: Option<String>,
    owner: Field,
    choices: Vec<Choice>,
    zone: &'static str,
    /// The period and the owner, for the files.
    query: String,
    tables: Vec<Table>,
}

/// What a page is made of.
struct Reading<'a> {
    me: &'a SessionUser,
    f: &'a Frame,
    asked: Asked,
    span: Span,
    before: Option<Span>,
}

impl Reading<'_> {
    /// The address of the list of deals under these filters, and the owner's.
    fn list(&self, filters: &[(&str, &str)]) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.extend_pairs(filters.iter().filter(|(_, value)| !value.is_empty()));
        let is_owned = filters.iter().any(|(name, _)| *name == "owner_id");
        if let Some(owner) = self.asked.owner_id.filter(|_| !is_owned) {
            query.append_pair("owner_id", &owner.to_string());
        }
        format!("/deals?{}", query.finish())
    }

    fn number(&self, rows: i64, filters: &[(&str, &str)]) -> Figure {
        Figure { text: self.f.number(&rows), rows, link: self.list(filters) }
    }

    fn moments(&self, (from, to): Span) -> [String; 2] {
        let (begin, end) = moments(from, to, self.asked.zone);
        [begin, end].map(|time: Timestamp| time.to_string())
    }

    async fn funnel(&self) -> Result<Table, Error> {
        let (gateway, f) = (&self.me.gateway, self.f);
        let now = read_funnel(gateway, self.asked, self.span).await?;
        let before = match self.before {
            Some(before) => Some(read_funnel(gateway, self.asked, before).await?),
            None => None,
        };
        let reached = |funnel: &Funnel, place: usize| {
            let stage = &funnel.stages[place];
            let [from, to] = self.moments((funnel.from, funnel.to));
            let filters =
                [("created_from", from.as_str()), ("created_to", &to), ("reached", stage.stage.as_str())];
            Cell::Figures(vec![self.number(stage.reached, &filters)])
        };
        let share =
            |permille: Option<i64>| Cell::Text(permille.map_or("–".into(), |share| percent(f, share)));
        let mut lines = Vec::new();
        for (place, stage) in now.stages.iter().enumerate() {
            let mut cells = vec![
                reached(&now, place),
                share(stage.conversion_permille),
                Cell::Text(stage.median_age_seconds.map_or("–".into(), |seconds| age(f, seconds))),
            ];
            if let Some(before) = &before {
                let then = &before.stages[place];
                cells.extend([reached(before, place), share(then.conversion_permille)]);
                cells.push(Cell::Text(then.median_age_seconds.map_or("–".into(), |seconds| age(f, seconds))));
            }
            lines.push(Line { label: f.word("stage", stage.stage.as_str()), cells });
        }
        let bar = |stage: &domain::deal::reports::FunnelStage| {
            (f.word("stage", stage.stage.as_str()), stage.reached, f.number(&stage.reached))
        };
        let chart = bars(now.stages.iter().map(bar).collect());
        let heads = ["stage", "reached", "conversion", "age"].map(|name| f.word("deal-report", name));
        let heads = [heads.to_vec(), self.beside(&heads[1..])].concat();
        Ok(Table { name: "funnel", heads, lines, charts: vec![(f.t("deal-report-reached"), chart)] })
    }

    /// The headings of the columns of the period before.
    fn beside(&self, heads: &[String]) -> Vec<String> {
        let head = |head: &String| self.f.with("deal-report-before", head);
        if self.before.is_some() { heads.iter().map(head).collect() } else { Vec::new() }
    }

    async fn forecast(&self) -> Result<Table, Error> {
        let f = self.f;
        let months = read_forecast(&self.me.gateway, self.asked, self.span).await?.months;
        let mut by_currency: BTreeMap<&str, Vec<(String, i64, String)>> = BTreeMap::new();
        let mut lines = Vec::new();
        for month in &months {
            let (label, days) = self.month(month);
            let [from, to] = &days;
            let of = |text: String, rows: i64, closed: (&str, &str)| {
                let currency = ("currency", month.currency.as_str());
                let link = self.list(&[closed, currency, ("expected_from", from), ("expected_to", to)]);
                Figure { text, rows, link }
            };
            let open = |text| of(text, month.open.count, ("open", "true"));
            let won = |text| of(text, month.committed.count, ("stage", DealStage::Won.as_str()));
            let money = |amount: i64| f.money(&amount, &month.currency);
            let figures = [
                open(f.number(&month.open.count)),
                open(money(month.open.amount)),
                open(money(month.open.weighted_amount)),
                won(f.number(&month.committed.count)),
                won(money(month.committed.amount)),
            ];
            let cells = figures.into_iter().map(|figure| Cell::Figures(vec![figure])).collect();
            let sum = month.open.weighted_amount.saturating_add(month.committed.amount);
            // The scale has no decimals.
            let whole = sum / 10_i64.pow(formats::places(&month.currency).into());
            by_currency.entry(&month.currency).or_default().push((label.clone(), whole, money(sum)));
            lines.push(Line { label, cells });
        }
        let chart = |(currency, values): (&str, Vec<(String, i64, String)>)| {
            (f.with("deal-report-expected", currency), bars(values))
        };
        let charts = by_currency.into_iter().map(chart).collect();
        let heads = ["month", "open", "amount", "weighted", "won", "committed"];
        Ok(Table {
            name: "forecast",
            heads: heads.map(|name| f.word("deal-report", name)).to_vec(),
            lines,
            charts,
        })
    }

    /// A month as people write it, and its days within the period.
    fn month(&self, month: &ForecastMonth) -> (String, [String; 2]) {
        let (from, to) = self.span;
        let first = format!("{}-01", month.month).parse().unwrap_or(from);
        let next = first.checked_add_months(chrono::Months::new(1)).and_then(|next| next.pred_opt());
        let days = [first.max(from), next.unwrap_or(to).min(to)].map(|day| day.to_string());
        (month_name(self.f, first), days)
    }

    async fn outcomes(&self) -> Result<[Table; 3], Error> {
        let (gateway, f) = (&self.me.gateway, self.f);
        let now = read_outcomes(gateway, self.asked, self.span).await?;
        let before = match self.before {
            Some(before) => Some(read_outcomes(gateway, self.asked, before).await?),
            None => None,
        };
        let line = |label: String, outcomes: &Outcomes| {
            let mut cells = self.cells(outcomes, DealStage::Won, &outcomes.outcomes.won, &[]);
            cells.extend(self.cells(outcomes, DealStage::Lost, &outcomes.outcomes.lost, &[]));
            Line { label, cells }
        };
        let mut lines = vec![line(self.days(self.span), &now)];
        lines.extend(before.iter().map(|before| line(self.days((before.from, before.to)), before)));
        let heads = |first: &str, others: &[&str]| {
            let names = [first].into_iter().chain(others.iter().copied());
            names.map(|name| f.word("deal-report", name)).collect()
        };
        let figures = ["won", "won_amount", "lost", "lost_amount"];
        let total = Table { name: "outcomes", heads: heads("period", &figures), lines, charts: Vec::new() };
        let owners = now.outcomes.by_owner.iter().map(|owner| owner.owner_id);
        let names = lookups::load(gateway, self.me.caller(), References::default().users(owners)).await?;
        let by_owner = now.outcomes.by_owner.iter().map(|owner| {
            let id = owner.owner_id.to_string();
            let mut cells = self.cells(&now, DealStage::Won, &owner.won, &[("owner_id", &id)]);
            cells.extend(self.cells(&now, DealStage::Lost, &owner.lost, &[("owner_id", &id)]));
            Line { label: names.user(f, owner.owner_id), cells }
        });
        let lines: Vec<Line> = by_owner.collect();
        let bar = |owner: &domain::deal::reports::OwnerOutcome| {
            let won = count(&owner.won);
            (names.user(f, owner.owner_id), won, f.number(&won))
        };
        let charts = vec![(f.t("deal-report-won"), bars(now.outcomes.by_owner.iter().map(bar).collect()))];
        let by_owner = Table { name: "owners", heads: heads("owner", &figures), lines, charts };
        let reason = |reason: &str| match reason {
            CUSTOMER_DELETED => f.t("deals-closed-with-customer"),
            _ => reason.to_owned(),
        };
        let lines = now.outcomes.by_reason.iter().map(|lost| {
            let cells = self.cells(&now, DealStage::Lost, &lost.lost, &[("lost_reason", &lost.reason)]);
            Line { label: reason(&lost.reason), cells }
        });
        let lines: Vec<Line> = lines.collect();
        let bar = |lost: &domain::deal::reports::ReasonOutcome| {
            (reason(&lost.reason), lost.count, f.number(&lost.count))
        };
        let charts = vec![(f.t("deal-report-lost"), bars(now.outcomes.by_reason.iter().map(bar).collect()))];
        let by_reason = Table { name: "reasons", heads: heads("reason", &figures[2..]), lines, charts };
        Ok([total, by_owner, by_reason])
    }

    fn days(&self, (from, to): Span) -> String {
        format!("{} – {}", self.f.day(&from), self.f.day(&to))
    }

    /// The number of deals that became WON or LOST, and the sum of each currency.
    fn cells(
        &self,
        period: &Outcomes,
        stage: DealStage,
        outcomes: &OutcomesByCurrency,
        more: &[(&str, &str)],
    ) -> Vec<Cell> {
        let [from, to] = self.moments((period.from, period.to));
        let filters = |currency: &str| {
            let own = [
                ("stage", stage.as_str()),
                ("closed_from", &from),
                ("closed_to", &to),
                ("currency", currency),
            ];
            self.list(&[&own[..], more].concat())
        };
        let rows = count(outcomes);
        let all = Figure { text: self.f.number(&rows), rows, link: filters("") };
        let sums = outcomes.iter().map(|(currency, outcome)| Figure {
            text: self.f.money(&outcome.amount, currency),
            rows: outcome.count,
            link: filters(currency),
        });
        vec![Cell::Figures(vec![all]), Cell::Figures(sums.collect())]
    }
}

/// A thousandth of a whole as a percentage.
fn percent(f: &Frame, permille: i64) -> String {
    f.with("deal-report-percent", &format!("{}.{}", permille / 10, permille % 10))
}

/// A time as people say it: in minutes, hours or days.
fn age(f: &Frame, seconds: i64) -> String {
    match seconds {
        ..3_600 => f.n("deal-report-minutes", &(seconds / 60)),
        3_600..172_800 => f.n("deal-report-hours", &(seconds / 3_600)),
        _ => f.n("deal-report-days", &(seconds / 86_400)),
    }
}

fn month_name(f: &Frame, first: NaiveDate) -> String {
    f.with("deal-report-month-of", &format!("{}/{:02}", first.year(), first.month()))
}

/// The fiscal year of today and the one before, and the quarters of the former.
fn choices(f: &Frame, today: NaiveDate, starts: u32) -> Vec<Choice> {
    let Some(year) = period::fiscal_year(today, starts) else { return Vec::new() };
    let last = period::before(year);
    let whole = [("this-year", Some(year)), ("last-year", last)];
    let whole = whole
        .into_iter()
        .filter_map(|(name, span)| Some(Choice { label: f.word("fiscal", name), span: span? }));
    let quarters = period::quarters(year.0).into_iter().zip(1..);
    let quarters = quarters.map(|(span, n): (Span, i64)| Choice { label: f.n("fiscal-quarter", &n), span });
    whole.chain(quarters).collect()
}

fn asked(me: &SessionUser, request: &HttpRequest, f: &Frame) -> Result<(Asked, Span), Error> {
    let (params, _): (StatsParams, _) = list_params(request)?;
    let zone = params.zone(me.user());
    let now = today(zone, f.now);
    let span = match (params.from, params.to) {
        // The fiscal year is what most look for.
        (None, None) => period::fiscal_year(now, me.gateway.fiscal_year_starts).unwrap_or((now, now)),
        _ => days(&params, zone, f.now)?,
    };
    Ok((Asked { caller: me.caller(), owner_id: params.owner_id, zone }, span))
}

#[get("/reports/deals")]
pub async fn index(request: HttpRequest, me: SessionUser) -> HttpResult {
    if let Some(address) = search::settled_address(&me, &[("owner_id", Source::People)]).await? {
        return Ok(redirect(&address));
    }
    let f = me.frame("reports").await;
    let (_, given): (StatsParams, _) = list_params(&request)?;
    let (asked, span) = asked(&me, &request, &f)?;
    let reading = Reading { me: &me, f: &f, asked, span, before: period::before(span) };
    let [total, owners, reasons] = reading.outcomes().await?;
    let tables = vec![reading.funnel().await?, reading.forecast().await?, total, owners, reasons];
    let before = reading.before.map(|before| reading.days(before));
    let now = today(asked.zone, f.now);
    Ok(ok(&DealReportsPage {
        from: span.0,
        to: span.1,
        before,
        owner: search::filter(&me, &given, "owner_id", Source::People).await?,
        choices: choices(&f, now, me.gateway.fiscal_year_starts),
        zone: asked.zone.name(),
        query: query(span, asked.owner_id),
        tables,
        f,
    }))
}

fn query((from, to): Span, owner: Option<Id>) -> String {
    let owner = owner.map(|owner| format!("&owner_id={owner}")).unwrap_or_default();
    format!("from={from}&to={to}{owner}")
}

/// A table of the page as CSV.
#[get("/reports/deals/{part}.csv")]
pub async fn file(request: HttpRequest, me: SessionUser, part: Path<String>) -> HttpResult {
    let f = me.frame("reports").await;
    let (asked, span) = asked(&me, &request, &f)?;
    let reading = Reading { me: &me, f: &f, asked, span, before: period::before(span) };
    let place = ["outcomes", "owners", "reasons"].iter().position(|name| *name == part.as_str());
    let table = match (part.as_str(), place) {
        ("funnel", _) => reading.funnel().await?,
        ("forecast", _) => reading.forecast().await?,
        (_, Some(place)) => reading.outcomes().await?.into_iter().nth(place).expect("one of three"),
        _ => return Err(Error::new(ErrorCode::NotFound).into()),
    };
    let rows: Vec<csv::Row> = table.lines.iter().map(written).collect();
    csv::file(table.name, table.heads, move |_| {
        let items = rows.clone();
        async move { Ok(Page { items, next: None, prev: None, total: None }) }
    })
    .await
}

fn written(line: &Line) -> csv::Row {
    let cell = |cell: &Cell| match cell {
        Cell::Text(text) => text.clone(),
        Cell::Figures(figures) => figures.iter().map(|it| it.text.as_str()).collect::<Vec<_>>().join(" / "),
    };
    let cells = line.cells.iter().map(cell);
    [line.label.clone()].into_iter().chain(cells).map(|text| harmless(&text).into_owned()).collect()
}
