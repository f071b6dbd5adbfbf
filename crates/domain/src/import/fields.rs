//! The fields that a column may be mapped to, and the headers that are mapped by themselves. Pure.

use crate::customer::record::CustomerStatus;
use crate::deal::stage::DealStage;
use crate::import::record::ImportKind;
use crate::task::record::TaskStatus;
use kernel::text_key;

/// What stands in a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cell {
    /// A text of the record.
    Text,
    /// A day.
    Day,
    /// A moment; of a day alone, its first minute.
    Moment,
    /// A moment; of a day alone, its last minute.
    Due,
    /// Minutes.
    Minutes,
    /// Percent.
    Percent,
    Amount,
    Currency,
    /// One of these words: name in the API, and how people write it.
    Choice(&'static [Word]),
    /// The address of a user.
    User,
    CustomerEmail,
    CustomerExternalId,
    ExternalId,
}

/// A word of a choice, and other spellings of it.
pub type Word = (&'static str, &'static [&'static str]);

/// A field.
#[derive(Debug)]
pub struct Field {
    /// Its name in a mapping.
    pub name: &'static str,
    pub cell: Cell,
    /// Whether a new record needs it.
    pub is_required: bool,
    /// Headers that mean it, beside its name.
    pub headers: &'static [&'static str],
}

impl Field {
    /// Whether a header means it.
    fn is_meant_by(&self, key: &str) -> bool {
        let name = self.name.replace('_', " ");
        key == self.name || key == name || self.headers.iter().any(|header| text_key::key(header) == key)
    }
}

const fn field(name: &'static str, cell: Cell, headers: &'static [&'static str]) -> Field {
    Field { name, cell, is_required: false, headers }
}

const fn required(name: &'static str, cell: Cell, headers: &'static [&'static str]) -> Field {
    Field { name, cell, is_required: true, headers }
}

const STATUSES: [Word; 3] = [
    (CustomerStatus::Lead.as_str(), &["見込み", "見込", "見込み客", "見込客", "リード", "新規", "prospect"]),
    (CustomerStatus::Active.as_str(), &["取引中", "有効", "アクティブ", "既存", "customer"]),
    (CustomerStatus::Dormant.as_str(), &["休眠", "休眠中", "無効", "inactive"]),
];

const TASK_STATUSES: [Word; 2] = [
    (TaskStatus::Open.as_str(), &["未完了", "未着手", "対応中", "未", "todo", "to do", "in progress"]),
    (TaskStatus::Done.as_str(), &["完了", "済", "済み", "完了済み", "completed", "complete", "closed"]),
];

const STAGES: [Word; 5] = [
    (DealStage::Qualify.as_str(), &["見極め", "ヒアリング", "qualification", "qualified"]),
    (DealStage::Propose.as_str(), &["提案", "提案中", "proposal", "proposed"]),
    (DealStage::Negotiate.as_str(), &["交渉", "交渉中", "negotiation"]),
    (DealStage::Won.as_str(), &["受注", "成約", "closed won"]),
    (DealStage::Lost.as_str(), &["失注", "closed lost"]),
];

const EXTERNAL_ID: Field = field(
    "external_id",
    Cell::ExternalId,
    &["外部id", "管理番号", "レコードid", "コード", "id", "external key", "record id"],
);
const NOTES: Field =
    field("notes", Cell::Text, &["備考", "メモ", "ノート", "note", "memo", "remarks", "comments"]);
const OWNER: Field = field(
    "owner_email",
    Cell::User,
    &[
        "担当",
        "担当者",
        "担当メール",
        "担当者メール",
        "担当者メールアドレス",
        "owner",
        "owner e-mail",
        "sales rep",
    ],
);
const CUSTOMER_EMAIL: Field = field(
    "customer_email",
    Cell::CustomerEmail,
    &["顧客メール", "顧客メールアドレス", "顧客のメールアドレス", "customer e-mail", "customer"],
);
const CUSTOMER_EXTERNAL_ID: Field = field(
    "customer_external_id",
    Cell::CustomerExternalId,
    &["顧客id", "顧客外部id", "顧客コード", "顧客番号", "customer id", "customer code", "account id"],
);

const CUSTOMERS: [Field; 9] = [
    required(
        "name",
        Cell::Text,
        &["氏名", "名前", "顧客名", "お名前", "お客様名", "full name", "customer name", "contact name"],
    ),
    field("kana", Cell::Text, &["カナ", "フリガナ", "ふりがな", "氏名カナ", "よみ", "読み", "reading"]),
    field(
        "email",
        Cell::Text,
        &["メール", "メールアドレス", "eメール", "e-mail", "e-mail address", "email address", "mail"],
    ),
    field("phone", Cell::Text, &["電話", "電話番号", "tel", "telephone", "phone number", "mobile"]),
    field(
        "company",
        Cell::Text,
        &["会社", "会社名", "企業名", "法人名", "勤務先", "company name", "organization", "organisation"],
    ),
    field("status", Cell::Choice(&STATUSES), &["状態", "ステータス", "区分", "lifecycle stage"]),
    NOTES,
    OWNER,
    EXTERNAL_ID,
];

const MEETINGS: [Field; 10] = [
    CUSTOMER_EMAIL,
    CUSTOMER_EXTERNAL_ID,
    required("title", Cell::Text, &["件名", "題名", "タイトル", "商談名", "商談", "subject", "meeting"]),
    required(
        "met_at",
        Cell::Moment,
        &[
            "日時",
            "商談日時",
            "商談日",
            "訪問日",
            "実施日",
            "日付",
            "date",
            "date and time",
            "meeting date",
            "start",
        ],
    ),
    field(
        "duration_minutes",
        Cell::Minutes,
        &["所要時間", "分", "時間(分)", "所要時間(分)", "duration", "minutes", "duration (minutes)"],
    ),
    field("location", Cell::Text, &["場所", "会場", "place", "venue"]),
    NOTES,
    field("outcome", Cell::Text, &["結果", "成果", "商談結果", "result"]),
    OWNER,
    EXTERNAL_ID,
];

const TASKS: [Field; 8] = [
    required(
        "title",
        Cell::Text,
        &["件名", "題名", "タイトル", "タスク", "タスク名", "やること", "subject", "task"],
    ),
    required(
        "due_at",
        Cell::Due,
        &["期限", "期日", "締切", "締め切り", "期限日", "due", "due date", "deadline"],
    ),
    CUSTOMER_EMAIL,
    CUSTOMER_EXTERNAL_ID,
    field(
        "assignee_email",
        Cell::User,
        &[
            "担当",
            "担当者",
            "担当メール",
            "担当者メール",
            "担当者メールアドレス",
            "assignee",
            "assignee e-mail",
            "owner",
            "assigned to",
        ],
    ),
    NOTES,
    field("status", Cell::Choice(&TASK_STATUSES), &["状態", "ステータス", "進捗"]),
    EXTERNAL_ID,
];

const DEALS: [Field; 11] = [
    CUSTOMER_EMAIL,
    CUSTOMER_EXTERNAL_ID,
    required(
        "title",
        Cell::Text,
        &[
            "案件",
            "案件名",
            "件名",
            "題名",
            "タイトル",
            "deal",
            "deal name",
            "opportunity",
            "opportunity name",
            "subject",
        ],
    ),
    required(
        "amount",
        Cell::Amount,
        &["金額", "見込金額", "見込み金額", "受注金額", "売上", "value", "price", "deal value"],
    ),
    field("currency", Cell::Currency, &["通貨", "currency code"]),
    field(
        "stage",
        Cell::Choice(&STAGES),
        &["段階", "ステージ", "フェーズ", "商談フェーズ", "状態", "phase", "status"],
    ),
    field("probability", Cell::Percent, &["確度", "受注確度", "受注確率", "確率", "probability (%)"]),
    field(
        "expected_on",
        Cell::Day,
        &["受注予定日", "予定日", "見込日", "完了予定日", "close date", "expected close date", "expected"],
    ),
    field("lost_reason", Cell::Text, &["失注理由", "敗因", "loss reason", "reason lost"]),
    OWNER,
    EXTERNAL_ID,
];

impl ImportKind {
    /// Its fields, in the order in which they are shown.
    pub fn fields(self) -> &'static [Field] {
        match self {
            Self::Customers => &CUSTOMERS,
            Self::Meetings => &MEETINGS,
            Self::Tasks => &TASKS,
            Self::Deals => &DEALS,
        }
    }

    /// The field of this name.
    pub fn field(self, name: &str) -> Option<&'static Field> {
        self.fields().iter().find(|field| field.name == name)
    }

    /// The field that a header means.
    pub fn field_meant(self, header: &str) -> Option<&'static Field> {
        let key = text_key::key(header);
        self.fields().iter().find(|field| field.is_meant_by(&key))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn a_header_means_one_field_of_a_kind() {
        for kind in ImportKind::ALL {
            let mut seen = HashSet::new();
            for field in kind.fields() {
                let spelled = std::iter::once(&field.name).chain(field.headers);
                for key in spelled.map(|header| text_key::key(header)).collect::<HashSet<_>>() {
                    assert!(seen.insert(key.clone()), "{kind:?}: {key}");
                }
            }
        }
    }

    #[test]
    fn a_word_of_a_choice_means_one_thing() {
        for words in [&STATUSES[..], &TASK_STATUSES, &STAGES] {
            let mut seen = HashSet::new();
            for (name, others) in words {
                for word in std::iter::once(name).chain(*others) {
                    assert!(seen.insert(text_key::key(word)), "{word}");
                }
            }
        }
    }

    #[test]
    fn headers_are_known_in_both_languages_whatever_their_width_and_case() {
        let meant = |kind: ImportKind, header| kind.field_meant(header).map(|field| field.name);
        let customers = ImportKind::Customers;
        for (header, name) in [
            ("氏名", "name"),
            ("ﾌﾘｶﾞﾅ", "kana"),
            ("Ｅメール", "email"),
            ("E-Mail", "email"),
            (" Owner  email ", "owner_email"),
            ("External ID", "external_id"),
            ("external_id", "external_id"),
        ] {
            assert_eq!(meant(customers, header), Some(name), "{header}");
        }
        assert_eq!(meant(ImportKind::Tasks, "担当者"), Some("assignee_email"));
        assert_eq!(meant(ImportKind::Deals, "Close Date"), Some("expected_on"));
        assert_eq!(meant(customers, "好きな色"), None);
    }
}
