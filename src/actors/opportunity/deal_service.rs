//! The opportunity service's part for deals: checks customer and owner, then hands the command to the deal's child. The
//! table of messages is in `service.rs`.

use std::sync::Arc;

use crate::actors::opportunity::service::OpportunityService;
use crate::actors::user_check::check_owner_exists;
use crate::persistence::deal_reports;
use crate::persistence::deal_reports::Cohort;
use crate::persistence::deals as queries;
use crate::persistence::record_activity;
use domain::deal::messages::{ChangeDeal, CreateDeal, DealCounts, DealStats, ListDeals, ReadDealActivity};
use domain::deal::record::Deal;
use domain::deal::reports;
use domain::deal::reports::{
    DealOutcomes, ForecastMonth, FunnelStage, ReadDealForecast, ReadDealFunnel, ReadDealOutcomes,
};
use domain::deal::rules;
use domain::deal::rules::DealCommand;
use domain::deal::validation;
use domain::events::DEAL_CREATED;
use kernel::caller::Caller;
use kernel::error::{Error, ErrorCode};
use kernel::event::EventRecord;
use kernel::failpoint;
use kernel::ids::{Id, new_id};
use kernel::page::Page;
use kernel::search::Words;

impl OpportunityService {
    pub(super) async fn create_deal(&self, create: CreateDeal) -> Result<Arc<Deal>, Error> {
        let caller = create.context.caller;
        let new = validation::check_new(create.deal)?;
        caller.may_set_owner(new.owner_id)?;
        self.customers.check(&caller, new.customer_id).await?;
        check_owner_exists(&self.auth, &caller, new.owner_id, "owner_id").await?;
        self.deals.create(new_id(), DealCommand::Create(new), create.context).await
    }

    /// A deal that is opened again needs its customer, too: with a deleted one it would be lost at once.
    pub(super) async fn change_deal(&self, change: ChangeDeal) -> Result<Arc<Deal>, Error> {
        let caller = change.context.caller;
        let changes = validation::check_changes(change.changes)?;
        let deal = self.find_deal(&caller, change.id).await?;
        caller.may_set_owner(changes.owner_id)?;
        let customer = changes.customer_id.unwrap_or(deal.customer_id);
        if customer != deal.customer_id || rules::reopens(&deal, &changes) {
            self.customers.check(&caller, customer).await?;
        }
        check_owner_exists(&self.auth, &caller, changes.owner_id, "owner_id").await?;
        self.deals.execute(change.id, DealCommand::Change(changes), change.context).await
    }

    pub(super) async fn find_deal(&self, caller: &Caller, id: Id) -> Result<Arc<Deal>, Error> {
        self.deals.visible(id, |deal| rules::visible(deal, caller)).await
    }

    /// Checks that an approval of the caller for this customer may be about a deal.
    pub(super) async fn check_deal(&self, caller: &Caller, customer: Id, deal: Id) -> Result<(), Error> {
        match self.find_deal(caller, deal).await {
            Ok(found) if found.customer_id == customer => Ok(()),
            Ok(_) => Err(Error::field("deal_id", "deal_of_another_customer")),
            Err(error) if error.code == ErrorCode::NotFound => Err(Error::field("deal_id", "unknown_deal")),
            Err(error) => Err(error),
        }
    }

    pub(super) async fn list_deals(&self, list: ListDeals) -> Result<Page<Deal>, Error> {
        let (owner, words) = (list.caller.only_owner(), Words::parse(list.filter.q.as_deref())?);
        Ok(queries::list(&self.db, owner, &list.filter, &words, &list.sort, &list.page).await?)
    }

    pub(super) async fn deal_activity(&self, read: ReadDealActivity) -> Result<Page<EventRecord>, Error> {
        let ReadDealActivity { id, caller, page } = read;
        self.find_deal(&caller, id).await?;
        Ok(record_activity::page(&self.db, id, DEAL_CREATED, caller.only_owner(), &page).await?)
    }

    pub(super) async fn deal_funnel(&self, read: ReadDealFunnel) -> Result<Vec<FunnelStage>, Error> {
        let ReadDealFunnel { caller, owner_id: wanted, from, to } = read;
        let cohort = Cohort { owner: caller.only_owner(), wanted, from, to };
        Ok(reports::funnel(&deal_reports::funnel(&self.db, &cohort, self.clock.now()).await?))
    }

    pub(super) async fn deal_forecast(&self, read: ReadDealForecast) -> Result<Vec<ForecastMonth>, Error> {
        let ReadDealForecast { caller, owner_id, from, to } = read;
        let shares = deal_reports::forecast(&self.db, caller.only_owner(), owner_id, (from, to)).await?;
        Ok(reports::forecast(shares))
    }

    pub(super) async fn deal_outcomes(&self, read: ReadDealOutcomes) -> Result<DealOutcomes, Error> {
        let ReadDealOutcomes { caller, owner_id: wanted, from, to } = read;
        let cohort = Cohort { owner: caller.only_owner(), wanted, from, to };
        let (owners, reasons) = deal_reports::outcomes(&self.db, &cohort).await?;
        Ok(reports::outcomes(owners, reasons))
    }

    pub(super) async fn deal_stats(&self, stats: DealStats) -> Result<DealCounts, Error> {
        failpoint::pause("stats.deals").await;
        let (owner, words) = (stats.caller.only_owner(), Words::parse(stats.filter.q.as_deref())?);
        Ok(queries::stats(&self.db, owner, &stats.filter, &words).await?)
    }
}
