//! Sample users and records for `--demo`, created through the services as a user would create them.

use std::time::Duration;

use crate::app::services::Services;
use domain::approval::messages::{DecideApproval, Decision, OptionalComment, RequestApproval};
use domain::approval::record::NewApproval;
use domain::customer::messages::CreateCustomer;
use domain::customer::record::CustomerStatus;
use domain::customer::record::NewCustomer;
use domain::deal::messages::CreateDeal;
use domain::deal::record::NewDeal;
use domain::deal::stage::DealStage;
use domain::meeting::messages::CreateMeeting;
use domain::meeting::record::NewMeeting;
use domain::task::messages::CreateTask;
use domain::task::record::NewTask;
use domain::task::record::TaskStatus;
use domain::user::messages::CreateUser;
use domain::user::record::NewUser;
use kernel::caller::{Caller, Role};
use kernel::clock::Timestamp;
use kernel::context::Context;
use kernel::day::Day;
use kernel::error::Error;
use kernel::ids::Id;
use kernel::locale::Locale;
use kernel::scopes::Scopes;
use kernel::whole_number::Whole;

/// The demo's ADMIN.
pub const ADMIN: &str = "admin@example.com";
/// The password of all demo users.
pub const PASSWORD: &str = "kizuna-demo";

/// The customers: name, kana, address, company, status.
const CUSTOMERS: [(&str, Option<&str>, &str, &str, CustomerStatus); 6] = [
    (
        "山田 太郎",
        Some("ヤマダ タロウ"),
        "yamada@aozora.example.jp",
        "青空商事株式会社",
        CustomerStatus::Active,
    ),
    (
        "鈴木 一郎",
        Some("スズキ イチロウ"),
        "suzuki@hikari.example.jp",
        "ひかり電機株式会社",
        CustomerStatus::Active,
    ),
    (
        "高橋 美咲",
        Some("タカハシ ミサキ"),
        "takahashi@sakura.example.jp",
        "さくら印刷株式会社",
        CustomerStatus::Lead,
    ),
    ("Maria Rossi", None, "rossi@ponte.example.com", "Ponte S.p.A.", CustomerStatus::Lead),
    ("伊藤 健", Some("イトウ ケン"), "ito@minato.example.jp", "みなと運輸株式会社", CustomerStatus::Dormant),
    ("John Smith", None, "smith@bridge.example.com", "Bridge Ltd.", CustomerStatus::Active),
];

/// The approvals of the first customers: title, amount in yen, and whether the manager has approved.
const APPROVALS: [(&str, i64, bool); 3] = [
    ("特別値引き 10%", 1_200_000, true),
    ("保守契約の無償延長", 350_000, false),
    ("初年度キャンペーン価格", 480_000, false),
];

/// The deals of the first customers: title, amount in minor units, currency, stage, days until they are expected, and why it
/// was lost.
type DemoDeal = (&'static str, i64, &'static str, DealStage, Option<i64>, Option<&'static str>);
const DEALS: [DemoDeal; 6] = [
    ("年間保守契約", 3_600_000, "JPY", DealStage::Negotiate, Some(12), None),
    ("照明設備の更新", 12_500_000, "JPY", DealStage::Propose, Some(45), None),
    ("会社案内の印刷", 480_000, "JPY", DealStage::Qualify, None, None),
    ("Espresso machines", 1_250_000, "EUR", DealStage::Propose, Some(-3), None),
    ("倉庫管理システム", 8_900_000, "JPY", DealStage::Lost, Some(-10), Some("予算が翌年度に延期された")),
    ("Bridge inspection", 2_400_000, "USD", DealStage::Won, Some(-5), None),
];

/// The tasks of the first customers: title, hours until due (negative: overdue), status.
const TASKS: [(&str, i64, TaskStatus); 4] = [
    ("提案書を送付する", -20, TaskStatus::Open),
    ("見積もりを作成する", 6, TaskStatus::Open),
    ("デモの日程を調整する", 120, TaskStatus::Open),
    ("議事録を共有する", -48, TaskStatus::Done),
];

/// Loads the samples into an empty database.
///
/// # Errors
/// Errors of the services.
pub async fn load(services: &Services) -> Result<(), Error> {
    user(services, ADMIN, "管理 花子", Role::Admin, None).await?;
    let manager = user(services, "manager@example.com", "佐藤 部長", Role::Manager, None).await?;
    let sales = user(services, "sales@example.com", "田中 次郎", Role::Sales, Some(manager)).await?;
    let (sales, manager) = (context(sales, Role::Sales), context(manager, Role::Manager));
    let now = services.auth.clock.now();
    for (place, (name, kana, email, company, status)) in CUSTOMERS.into_iter().enumerate() {
        let customer = NewCustomer {
            name: name.into(),
            kana: kana.map(str::to_owned),
            email: Some(email.into()),
            company: Some(company.into()),
            status: Some(status),
            ..NewCustomer::default()
        };
        let create = CreateCustomer { customer, allow_duplicate: false, context: sales.clone() };
        let made = services.customers.service.ask(create).await?;
        if place % 2 == 0 {
            meeting(services, &sales, made.id, hours_after(now, -24 * (place as i64 + 1))).await?;
        }
        if let Some((title, amount, is_approved)) = APPROVALS.get(place) {
            let asked = approval(services, &sales, made.id, title, *amount).await?;
            if *is_approved {
                approve(services, &manager, asked).await?;
            }
        }
        if let Some(sample) = DEALS.get(place) {
            deal(services, &sales, made.id, now, *sample).await?;
        }
        if let Some((title, hours, status)) = TASKS.get(place) {
            task(services, &sales, made.id, title, hours_after(now, *hours), *status).await?;
        }
    }
    Ok(())
}

fn hours_after(now: Timestamp, hours: i64) -> Timestamp {
    Timestamp::from_micros(now.micros() + hours * Duration::from_hours(1).as_micros() as i64)
}

fn context(user_id: Id, role: Role) -> Context {
    let caller = Caller { user_id, role, session_id: Id::nil(), scopes: Scopes::ALL };
    Context { caller, ..Context::system() }
}

async fn user(
    services: &Services,
    email: &str,
    name: &str,
    role: Role,
    manager_id: Option<Id>,
) -> Result<Id, Error> {
    let user = NewUser {
        email: email.into(),
        name: name.into(),
        role,
        manager_id,
        locale: Some(Locale::Ja),
        time_zone: None,
        password: PASSWORD.into(),
    };
    Ok(services.auth.service.ask(CreateUser { user, context: Context::system() }).await?.user.id)
}

async fn meeting(
    services: &Services,
    sales: &Context,
    customer_id: Id,
    met_at: Timestamp,
) -> Result<(), Error> {
    let meeting = NewMeeting {
        customer_id,
        title: "初回訪問".into(),
        met_at,
        duration_minutes: Some(Whole(60)),
        location: Some("本社会議室".into()),
        notes: None,
        outcome: Some("提案書を送付する".into()),
        owner_id: None,
    };
    services.sales.service.ask(CreateMeeting { meeting, context: sales.clone() }).await.map(drop)
}

async fn approval(
    services: &Services,
    sales: &Context,
    customer_id: Id,
    title: &str,
    amount: i64,
) -> Result<Id, Error> {
    let approval = NewApproval {
        customer_id,
        deal_id: None,
        title: title.into(),
        amount: Whole(amount),
        currency: None,
        reason: Some("競合他社の見積もりに合わせるため".into()),
        approver_id: None,
    };
    let asked = RequestApproval { approval, context: sales.clone() };
    Ok(services.opportunity.service.ask(asked).await?.id)
}

async fn approve(services: &Services, manager: &Context, id: Id) -> Result<(), Error> {
    let decision = Decision::Approve(OptionalComment {
        comment: Some("この条件で進めてください。".into())
    });
    let decide = DecideApproval { id, decision, context: manager.clone() };
    services.opportunity.service.ask(decide).await.map(drop)
}

async fn deal(
    services: &Services,
    sales: &Context,
    customer_id: Id,
    now: Timestamp,
    (title, amount, currency, stage, days, lost_reason): DemoDeal,
) -> Result<(), Error> {
    let deal = NewDeal {
        customer_id,
        title: title.into(),
        amount: Whole(amount),
        currency: Some(currency.into()),
        stage: Some(stage),
        probability: None,
        expected_on: days.and_then(|days| Day::of(hours_after(now, 24 * days).date())),
        lost_reason: lost_reason.map(str::to_owned),
        owner_id: None,
    };
    services.opportunity.service.ask(CreateDeal { deal, context: sales.clone() }).await.map(drop)
}

async fn task(
    services: &Services,
    sales: &Context,
    customer_id: Id,
    title: &str,
    due_at: Timestamp,
    status: TaskStatus,
) -> Result<(), Error> {
    let task = NewTask {
        title: title.into(),
        due_at,
        customer_id: Some(customer_id),
        assignee_id: None,
        notes: None,
        status: Some(status),
    };
    services.sales.service.ask(CreateTask { task, context: sales.clone() }).await.map(drop)
}
