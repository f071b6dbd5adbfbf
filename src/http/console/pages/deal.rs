//! `/deals/{id}`: a deal, what happened to it, and the form that changes it in its place.

use std::sync::Arc;

use actix_web::{get, post};
use askama::Template;

use crate::http::console::kit::attachments::AttachmentsView;
use crate::http::console::kit::comments::{CommentsView, Piece};
use crate::http::console::kit::form::Form;
use crate::http::console::kit::form_data::Posted;
use crate::http::console::kit::frame::Frame;
use crate::http::console::kit::record_pages;
use crate::http::console::kit::record_pages::{EditPage, RecordPage};
use crate::http::console::kit::record_view::{RecordView, Shown, wanted};
use crate::http::console::kit::resume::Sent;
use crate::http::console::kit::session_user::SessionUser;
use crate::http::console::kit::timeline::Timeline;
use crate::http::console::pages::approvals;
use crate::http::console::pages::approvals::ApprovalRow;
use crate::http::console::pages::deals;
use crate::http::console::pages::deals::{DealRow, Deals};
use crate::http::error::HttpResult;
use crate::http::extract::PathId;
use domain::approval::messages::ApprovalFilter;
use domain::comment::messages::RecordRef;
use domain::deal::messages::{ChangeDeal, DeleteDeal, ReadDealActivity};
use domain::deal::record::{Deal, DealChanges};
use domain::search::record::RecordType;
use kernel::context::Context;
use kernel::error::Error;
use kernel::ids::Id;

#[derive(Template)]
#[template(path = "deal.html")]
pub struct DealPage {
    f: Frame,
    row: DealRow,
    view: RecordView,
    /// The approvals that are about it.
    approvals: Vec<ApprovalRow>,
    comments: CommentsView,
    attachments: AttachmentsView,
}

fn address(deal: &Deal) -> String {
    format!("/deals/{}", deal.id)
}

async fn page(me: &SessionUser, f: Frame, deal: &Deal, shown: Shown) -> Result<DealPage, Error> {
    let read = ReadDealActivity { id: deal.id, caller: me.caller(), page: wanted(me)? };
    let events = me.gateway.opportunity.service.ask(read).await?;
    let timeline = Timeline::of(me, &f, &address(deal), events).await?;
    let view = RecordView::new(address(deal), deal.version, shown, timeline);
    let row = deals::rows(me, &f, vec![deal.clone()]).await?.remove(0);
    let record = RecordRef { r#type: RecordType::Deal, id: deal.id };
    let comments = CommentsView::beside(me, &f, record, deal.owner_id).await?;
    let attachments = AttachmentsView::of(me, &f, record).await?;
    let about = ApprovalFilter { deal_id: Some(deal.id), ..ApprovalFilter::default() };
    let approvals = approvals::recent(me, &f, about).await?;
    Ok(DealPage { f, row, view, approvals, comments, attachments })
}

impl EditPage for Deals {
    const FORM: &'static str = "deal";
    type Changes = DealChanges;
    type EditView = DealPage;

    async fn find(me: &SessionUser, id: Id) -> Result<Arc<Deal>, Error> {
        me.gateway.opportunity.find_deal(me.caller(), id).await
    }

    fn action(deal: &Deal) -> String {
        format!("{}/edit", address(deal))
    }

    async fn view_of(me: &SessionUser, f: Frame, deal: &Deal, form: Form) -> Result<DealPage, Error> {
        page(me, f, deal, Shown::Form(form)).await
    }

    async fn change(
        me: &SessionUser,
        deal: &Deal,
        changes: DealChanges,
        context: Context,
    ) -> Result<String, Error> {
        me.gateway.opportunity.service.ask(ChangeDeal { id: deal.id, changes, context }).await?;
        Ok(format!("{}?done=saved", address(deal)))
    }
}

impl RecordPage for Deals {
    const LIST: &str = "/deals";

    async fn page(
        me: &SessionUser,
        f: Frame,
        deal: &Deal,
        problem: Option<String>,
    ) -> Result<DealPage, Error> {
        page(me, f, deal, Shown::Fields { problem }).await
    }

    async fn delete(me: &SessionUser, id: Id, context: Context) -> Result<(), Error> {
        me.gateway.opportunity.service.ask(DeleteDeal { id, context }).await.map(drop)
    }
}

#[get("/deals/{id}")]
pub async fn index(me: SessionUser, id: PathId) -> HttpResult {
    record_pages::show::<Deals>(me, id, None).await
}

#[get("/deals/{id}/edit")]
pub async fn edit(me: SessionUser, id: PathId) -> HttpResult {
    record_pages::edit::<Deals>(me, id).await
}

#[post("/deals/{id}/edit")]
pub async fn change(me: SessionUser, id: PathId, sent: Sent) -> HttpResult {
    record_pages::change::<Deals>(me, id, sent).await
}

#[post("/deals/{id}/delete")]
pub async fn remove(me: SessionUser, id: PathId, posted: Posted) -> HttpResult {
    record_pages::remove::<Deals>(me, id, posted).await
}
