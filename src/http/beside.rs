//! Asks the service of a record for what stands beside it: comments, attachments. For the API and the console.

use crate::actors::customer::service::CustomerService;
use crate::actors::opportunity::service::OpportunityService;
use crate::actors::sales::service::SalesService;
use crate::http::state::Gateway;
use domain::comment::messages::RecordRef;
use domain::search::record::RecordType;
use kernel::error::Error;
use runtime::service::Call;

/// Sends a message to the service that has the record.
///
/// # Errors
/// The service's.
pub async fn ask<M, T>(gateway: &Gateway, record: RecordRef, message: M) -> Result<T, Error>
where
    T: Send + 'static,
    M: Call<CustomerService, Answer = T>
        + Call<SalesService, Answer = T>
        + Call<OpportunityService, Answer = T>,
{
    match record.r#type {
        RecordType::Customer => gateway.customers.service.ask(message).await,
        RecordType::Meeting | RecordType::Task => gateway.sales.service.ask(message).await,
        RecordType::Approval | RecordType::Deal => gateway.opportunity.service.ask(message).await,
    }
}

/// The path of a record's page, and of the record in the API after `/api`.
pub fn path(record: RecordRef) -> String {
    format!("/{}s/{}", record.r#type.as_str(), record.id)
}
