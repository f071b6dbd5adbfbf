//! Which customers may be one and the same.

use crate::actors::customer::service::CustomerService;
use crate::persistence::customer_matches as queries;
use domain::customer::matching::{
    FindMatches, FindMatchesOf, ListMatches, MatchGroup, MatchKeys, MatchingCustomer, in_common,
};
use domain::customer::messages::FindCustomer;
use domain::customer::record::{Customer, NewCustomer};
use domain::customer::rules::sketch;
use kernel::caller::Caller;
use kernel::error::Error;
use kernel::ids::Id;

/// The most customers that are named as possible doubles of one.
const SHOWN: usize = 20;

impl CustomerService {
    /// The customers that may be this one, those with the strongest signs first.
    pub(super) async fn matches(&self, find: &FindMatches) -> Result<Vec<MatchingCustomer>, Error> {
        let customer = self.find(&FindCustomer { id: find.id, caller: find.caller }).await?;
        self.matching(&customer, Some(customer.id), &find.caller).await
    }

    /// The customers that may be the one that is about to be made.
    pub(super) async fn matches_of(&self, find: FindMatchesOf) -> Result<Vec<MatchingCustomer>, Error> {
        let FindMatchesOf { name, kana, email, phone, caller } = find;
        let email = email.map(|email| email.trim().to_lowercase());
        let new = NewCustomer { name, kana, email, phone, ..NewCustomer::default() };
        self.matching(&sketch(new, caller.user_id), None, &caller).await
    }

    async fn matching(
        &self,
        customer: &Customer,
        id: Option<Id>,
        caller: &Caller,
    ) -> Result<Vec<MatchingCustomer>, Error> {
        let Customer { name, kana, email, phone, .. } = customer;
        let keys = MatchKeys::of(name, kana.as_deref(), email.as_deref(), phone.as_deref());
        let found = queries::with_keys(&self.db, caller.only_owner(), &keys, email.as_deref()).await?;
        let others = found.into_iter().filter(|other| Some(other.id) != id);
        let matching =
            others.map(|other| MatchingCustomer { matches: in_common(customer, &other), customer: other });
        let mut matching: Vec<MatchingCustomer> = matching.collect();
        // More signs, then stronger ones, then the older customer.
        matching.sort_by(|one, other| {
            let order = (other.matches.len(), &one.matches).cmp(&(one.matches.len(), &other.matches));
            order.then(one.customer.id.cmp(&other.customer.id))
        });
        matching.truncate(SHOWN);
        Ok(matching)
    }

    pub(super) async fn match_groups(&self, list: &ListMatches) -> Result<Vec<MatchGroup>, Error> {
        let (owner, after) = (list.caller.only_owner(), list.after.as_deref());
        Ok(queries::groups(&self.db, owner, list.by, after, list.limit).await?)
    }
}
