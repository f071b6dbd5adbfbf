//! A user's deletion (SPEC §5, flow 7): who the successors are, and what they take over. Pure.

use std::collections::HashMap;

use crate::events::{
    APPROVALS_REASSIGNED, CUSTOMERS_REASSIGNED, DEALS_REASSIGNED, MEETINGS_REASSIGNED, TASKS_DELETED,
};
use crate::saga::record::Counted;
use crate::saga::step_plan::StepPlan;
use crate::service_name::ServiceName;
use crate::user::messages::{LiveUser, Successors};
use kernel::caller::Role;
use kernel::error::{Error, ErrorCode};
use kernel::ids::Id;

/// The steps of the saga.
pub const STEPS: &[StepPlan] = &[
    StepPlan {
        service: ServiceName::Customer,
        name: "reassign_customers",
        closed_by: CUSTOMERS_REASSIGNED,
        counts: Counted::Customers,
    },
    StepPlan {
        service: ServiceName::Sales,
        name: "delete_tasks",
        closed_by: TASKS_DELETED,
        counts: Counted::Tasks,
    },
    StepPlan {
        service: ServiceName::Sales,
        name: "reassign_meetings",
        closed_by: MEETINGS_REASSIGNED,
        counts: Counted::Meetings,
    },
    StepPlan {
        service: ServiceName::Opportunity,
        name: "reassign_approvals",
        closed_by: APPROVALS_REASSIGNED,
        counts: Counted::Approvals,
    },
    // At the end: a saga that was started before there were deals has the steps before it in these places.
    StepPlan {
        service: ServiceName::Opportunity,
        name: "reassign_deals",
        closed_by: DEALS_REASSIGNED,
        counts: Counted::Deals,
    },
];

/// Chooses the successors of `leaving`: `wanted`, else the user's manager, else the SALES user with the fewest
/// customers, else the deleting ADMIN; for approvals another MANAGER or ADMIN, the user's manager before others.
/// `live` are all live users in the order of their creation, `customers` the number of customers of each.
///
/// # Errors
/// `not_found` if `leaving` is not a live user; `invalid_fields` if `wanted` is not a live user or is `leaving`;
/// `no_successor`.
pub fn choose_successors(
    leaving: Id,
    wanted: Option<Id>,
    deleting: Id,
    live: &[LiveUser],
    customers: &HashMap<Id, i64>,
) -> Result<Successors, Error> {
    let others = || live.iter().filter(|user| user.id != leaving);
    let other = |id: Id| others().find(|user| user.id == id).copied();
    let user = live.iter().find(|user| user.id == leaving);
    let user = user.ok_or_else(|| Error::new(ErrorCode::NotFound))?;
    let manager = user.manager_id.and_then(other);
    let held = |user: &&LiveUser| customers.get(&user.id).copied().unwrap_or(0);
    let least = || others().filter(|user| user.role == Role::Sales).min_by_key(held).copied();
    let successor = match wanted {
        Some(wanted) => other(wanted).ok_or_else(|| Error::field("reassign_to", "unknown_user"))?,
        None => manager
            .or_else(least)
            .or_else(|| other(deleting))
            .ok_or_else(|| Error::new(ErrorCode::NoSuccessor))?,
    };
    let decides = |user: &LiveUser| user.role != Role::Sales;
    let approver = manager.filter(decides).or_else(|| Some(successor).filter(decides));
    let by_role = |role: Role| others().find(|user| user.role == role).copied();
    let approver = approver.or_else(|| by_role(Role::Manager)).or_else(|| by_role(Role::Admin));
    Ok(Successors { successor, approver })
}

#[cfg(test)]
mod tests {
    use super::*;
    use kernel::ids::new_id;

    fn user(role: Role, manager_id: Option<Id>) -> LiveUser {
        LiveUser { id: new_id(), version: 1, role, manager_id }
    }

    /// Three SALES users, the first under the MANAGER; the last has the fewest customers.
    struct Team {
        admin: LiveUser,
        manager: LiveUser,
        sales: [LiveUser; 3],
        customers: HashMap<Id, i64>,
    }

    impl Team {
        fn new() -> Self {
            let manager = user(Role::Manager, None);
            let sales =
                [user(Role::Sales, Some(manager.id)), user(Role::Sales, None), user(Role::Sales, None)];
            let customers = HashMap::from([(sales[0].id, 0), (sales[1].id, 5), (sales[2].id, 2)]);
            Self { admin: user(Role::Admin, None), manager, sales, customers }
        }

        fn live(&self) -> Vec<LiveUser> {
            [self.admin, self.manager].into_iter().chain(self.sales).collect()
        }

        fn settle(
            &self,
            leaving: LiveUser,
            wanted: Option<Id>,
            live: &[LiveUser],
        ) -> Result<Successors, Error> {
            choose_successors(leaving.id, wanted, self.admin.id, live, &self.customers)
        }
    }

    #[test]
    fn the_wanted_inherits_else_the_manager_else_who_has_least_else_the_deleting_admin() {
        let team = Team::new();
        let live = team.live();
        let successor = |leaving, wanted| team.settle(leaving, wanted, &live).unwrap().successor;
        assert_eq!(successor(team.sales[0], Some(team.sales[1].id)), team.sales[1]);
        assert_eq!(successor(team.sales[0], None), team.manager);
        assert_eq!(successor(team.sales[1], None), team.sales[0], "nobody has fewer than none");
        assert_eq!(successor(team.manager, None), team.sales[0]);
        let alone = [team.admin, team.sales[1]];
        assert_eq!(team.settle(team.sales[1], None, &alone).unwrap().successor, team.admin);
    }

    #[test]
    fn a_wanted_who_is_gone_or_leaving_is_refused() {
        let team = Team::new();
        for wanted in [new_id(), team.sales[0].id] {
            let error = team.settle(team.sales[0], Some(wanted), &team.live()).unwrap_err();
            assert_eq!(error.code, ErrorCode::InvalidFields);
            assert_eq!(
                (error.fields[0].field.as_str(), &*error.fields[0].code),
                ("reassign_to", "unknown_user")
            );
        }
        let stranger = user(Role::Sales, None);
        assert_eq!(team.settle(stranger, None, &team.live()).unwrap_err().code, ErrorCode::NotFound);
    }

    #[test]
    fn nobody_left_is_refused() {
        let team = Team::new();
        assert_eq!(
            team.settle(team.manager, None, &[team.manager]).unwrap_err().code,
            ErrorCode::NoSuccessor
        );
    }

    #[test]
    fn approvals_go_to_another_who_may_decide_or_to_nobody() {
        let team = Team::new();
        let live = team.live();
        let approver =
            |leaving, wanted, live: &[LiveUser]| team.settle(leaving, wanted, live).unwrap().approver;
        assert_eq!(approver(team.sales[0], None, &live), Some(team.manager));
        assert_eq!(approver(team.manager, None, &live), Some(team.admin), "the only other one");
        assert_eq!(approver(team.manager, Some(team.admin.id), &live), Some(team.admin));
        let without = [team.manager, team.sales[0]];
        assert_eq!(approver(team.manager, None, &without), None);
    }
}
