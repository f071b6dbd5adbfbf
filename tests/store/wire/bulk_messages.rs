//! The messages about changes of many records.

use super::*;
use domain::bulk::change::{CustomersChange, DealsChange, MeetingsChange, Selection, TasksChange};
use domain::bulk::messages as bulk;
use domain::bulk::messages::CountOfCustomers;
use domain::bulk::progress::{BulkFound, BulkProgress};

fn selections() -> [Selection; 2] {
    [Selection::Ids(vec![new_id()]), Selection::Filter([("q".to_owned(), TEXT.to_owned())].into())]
}

fn found() -> BulkFound {
    let would = BulkProgress {
        delete: true,
        total: 6,
        changed: 3,
        unchanged: 2,
        refused: 1,
        refused_ids: vec![new_id()],
        refused_rows: vec![7],
    };
    BulkFound { would, deleted: vec![new_id()] }
}

pub fn of_customers(tried: &mut Tried<CustomerService>) {
    for selection in selections() {
        for delete in [true, false] {
            let change =
                CustomersChange { status: Some(CustomerStatus::Dormant), owner_id: Some(new_id()), delete };
            let (selection, caller) = (selection.clone(), caller());
            let asked =
                bulk::PreviewCustomers { selection: selection.clone(), change: change.clone(), caller };
            tried.call(asked, [found()]);
            tried.call(bulk::ChangeCustomers { selection, change, context: context() }, [new_id()]);
        }
    }
}

pub fn of_sales(tried: &mut Tried<SalesService>) {
    for selection in selections() {
        let change = MeetingsChange { owner_id: Some(new_id()), delete: false };
        let asked =
            bulk::PreviewMeetings { selection: selection.clone(), change: change.clone(), caller: caller() };
        tried.call(asked, [found()]);
        let start = bulk::ChangeMeetings { selection: selection.clone(), change, context: context() };
        tried.call(start, [new_id()]);
        let change = TasksChange {
            status: Some(TaskStatus::Done),
            due_at: Some(moment()),
            assignee_id: Some(new_id()),
            delete: false,
        };
        let asked =
            bulk::PreviewTasks { selection: selection.clone(), change: change.clone(), caller: caller() };
        tried.call(asked, [found()]);
        tried.call(bulk::ChangeTasks { selection, change, context: context() }, [new_id()]);
    }
}

pub fn of_opportunity(tried: &mut Tried<OpportunityService>) {
    for selection in selections() {
        let change = DealsChange {
            stage: Some(domain::deal::stage::DealStage::Lost),
            lost_reason: Some(TEXT.into()),
            expected_on: kernel::day::Day::parse("2026-12-31"),
            owner_id: Some(new_id()),
            delete: false,
        };
        let asked =
            bulk::PreviewDeals { selection: selection.clone(), change: change.clone(), caller: caller() };
        tried.call(asked, [found()]);
        tried.call(bulk::ChangeDeals { selection, change, context: context() }, [new_id()]);
    }
}

pub fn counted<D: Hosted>(tried: &mut Tried<D>)
where
    CountOfCustomers: Call<D, Answer = Counts>,
{
    let count = CountOfCustomers { ids: vec![new_id()], caller: caller() };
    tried.call(count, [Counts::from([(Counted::Meetings, 5)])]);
}
