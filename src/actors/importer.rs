//! Reads the files of imports, on the node that received them. Rows go in chunks to the service that keeps their kind, which says what
//! would become of them; those that make or change a record go back to it as the batches of a saga that is not begun yet. Of a
//! file its bytes are in memory and some chunks, never all rows.

use std::collections::HashSet;
use std::hash::{BuildHasher, RandomState};
use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Semaphore, mpsc};

use crate::actors::customer::client::CustomerClient;
use crate::actors::importing::plain;
use crate::actors::opportunity::client::OpportunityClient;
use crate::actors::sales::client::SalesClient;
use crate::actors::uploads::Uploads;
use domain::api_key::needs::to_import;
use domain::attachment::record::Upload;
use domain::bulk::progress::BATCH;
use domain::import::form::{ImportChanges, ImportForm};
use domain::import::mapping::{Columns, columns};
use domain::import::messages::{
    ChangeImport, CheckRows, CheckedRow, CreateImport, DropRows, FindImport, ROWS_CHECKED_MAX, RowWork,
    StageRows,
};
use domain::import::record::{
    FAULTS_MAX, Import, ImportCounts, ImportKind, ImportRow, MatchOn, ROWS_KEPT_MAX, Reading, RowOutcome,
    Staged,
};
use domain::import::row::{ParsedRow, faults, parse};
use domain::import::rules::{Found, check_open};
use kernel::caller::Caller;
use kernel::context::Context;
use kernel::error::{Error, FieldError};
use kernel::ids::{Id, new_id};
use kernel::scopes::{Scope, Scopes};
use runtime::progress;
use sheets::{Encoding, Fault, Format, Head, Row, Sink};

/// Files that a node reads at the same time, and how long another one waits for its turn.
const AT_ONCE: usize = 2;
const TURN_WITHIN: Duration = Duration::from_secs(20);
/// Bytes of the cells of a chunk, and of a batch, after which it is full.
const BYTES_MAX: usize = 512 * 1024;
/// Chunks that wait to be checked.
const WAITING: usize = 2;
/// The first batches are small, so that progress is seen; later ones are larger, so that the saga of a long file has not too many steps.
const SMALL_BATCHES: i64 = 50;
const LARGE_BATCH: usize = 1_000;
/// Bytes of the rows of an outcome that are kept.
const KEPT_BYTES_MAX: usize = 1024 * 1024;

/// Reads the files of a node's imports.
pub struct Importer {
    uploads: Uploads,
    customers: CustomerClient,
    sales: SalesClient,
    opportunity: OpportunityClient,
    turns: Arc<Semaphore>,
}

/// What a file is read for.
struct Task<'a> {
    kind: ImportKind,
    settings: &'a ImportChanges,
    before: Option<&'a Import>,
    /// The caller's time zone.
    zone: &'a str,
    context: &'a Context,
}

impl Importer {
    pub fn new(
        uploads: Uploads,
        customers: CustomerClient,
        sales: SalesClient,
        opportunity: OpportunityClient,
    ) -> Self {
        Self { uploads, customers, sales, opportunity, turns: Arc::new(Semaphore::new(AT_ONCE)) }
    }

    /// Checks, before the file is received, that the caller may import anything.
    ///
    /// # Errors
    /// `missing_scope`.
    pub fn may_import(caller: &Caller) -> Result<(), Error> {
        caller.scopes.check(Scopes::of(&[Scope::ImportsWrite]))
    }

    /// Reads a file that was received, and keeps what it found as an import.
    ///
    /// # Errors
    /// `invalid_fields` if it cannot be read, or not so; `overloaded`, `unavailable`.
    pub async fn create(
        &self,
        upload: &Upload,
        form: &ImportForm,
        zone: &str,
        context: Context,
    ) -> Result<Arc<Import>, Error> {
        context.caller.scopes.check(to_import(form.kind))?;
        let task = Task { kind: form.kind, settings: &form.settings, before: None, zone, context: &context };
        let (found, rows) = self.preview(upload.id, &task).await?;
        let (kind, saga) = (form.kind, found.staged.saga);
        let (file_name, upload) = (upload.name.clone(), upload.id);
        let create = CreateImport { upload, kind, file_name, found, rows, context: context.clone() };
        let kept = self.customers.service.ask(create).await;
        if kept.is_err() {
            self.drop_rows(kind, saga, &context).await;
        }
        kept
    }

    /// Reads the file of an import again.
    ///
    /// # Errors
    /// `not_found`, `import_not_previewed`, `stale_version`; as [`Self::create`].
    pub async fn change(
        &self,
        id: Id,
        settings: ImportChanges,
        zone: &str,
        context: Context,
    ) -> Result<Arc<Import>, Error> {
        Self::may_import(&context.caller)?;
        let before = self.customers.service.ask(FindImport { id, caller: context.caller }).await?;
        context.caller.scopes.check(to_import(before.kind))?;
        check_open(&before)?;
        context.check_version(before.version)?;
        let settings = settings.checked()?;
        let kind = before.kind;
        let task = Task { kind, settings: &settings, before: Some(&before), zone, context: &context };
        let (found, rows) = self.preview(id, &task).await?;
        let saga = found.staged.saga;
        let kept =
            self.customers.service.ask(ChangeImport { id, found, rows, context: context.clone() }).await;
        let of_no_use = if kept.is_ok() { before.staged.saga } else { saga };
        self.drop_rows(kind, of_no_use, &context).await;
        kept
    }

    async fn preview(&self, upload: Id, task: &Task<'_>) -> Result<(Found, Vec<ImportRow>), Error> {
        let turn = tokio::time::timeout(TURN_WITHIN, self.turns.clone().acquire_owned()).await;
        let _turn = turn
            .ok()
            .and_then(Result::ok)
            .ok_or_else(|| Error::overloaded().with_cause(format_args!("{AT_ONCE} files are being read")))?;
        let bytes = Arc::new(self.uploads.bytes(upload, sheets::FILE_MAX).await?);
        let told = match &task.settings.encoding {
            Some(told) => told.clone(),
            None => task.before.and_then(|before| before.encoding.clone()),
        };
        let told = told.as_deref().and_then(Encoding::of);
        // First the whole file is looked at: what cannot be read leaves nothing behind.
        let head = look(bytes.clone(), told).await?;
        let before = task.before.map(|before| &before.reading);
        let reading = task.settings.reading(task.kind, &head.headers, before, task.zone)?;
        let (saga, caller) = (new_id(), task.context.caller);
        let mut preview = Preview::new(self, task, (&head, reading), saga);
        let done = preview.run(bytes, told).await;
        if done.is_err() {
            self.drop_rows(task.kind, saga, task.context).await;
        }
        done?;
        let Preview { reading, counts, faults, kept, batches, .. } = preview;
        let staged = Staged { saga, batches, by: caller };
        let format = if head.format == Format::Csv { "csv" } else { "xlsx" }.to_owned();
        let encoding = head.encoding.map(|encoding| encoding.name().to_owned());
        let Head { headers, .. } = head;
        Ok((Found { format, encoding, headers, reading, counts, faults, staged }, kept.rows))
    }

    async fn check(&self, check: CheckRows) -> Result<Vec<CheckedRow>, Error> {
        match check.kind {
            ImportKind::Customers => self.customers.service.ask(check).await,
            ImportKind::Meetings | ImportKind::Tasks => self.sales.service.ask(check).await,
            ImportKind::Deals => self.opportunity.service.ask(check).await,
        }
    }

    async fn stage(&self, stage: StageRows) -> Result<(), Error> {
        match stage.kind {
            ImportKind::Customers => self.customers.service.ask(stage).await,
            ImportKind::Meetings | ImportKind::Tasks => self.sales.service.ask(stage).await,
            ImportKind::Deals => self.opportunity.service.ask(stage).await,
        }
    }

    /// Drops the batches of a preview. What can't be dropped now is purged with all old batches.
    async fn drop_rows(&self, kind: ImportKind, saga: Id, context: &Context) {
        let drop = DropRows { saga, context: plain(context) };
        let dropped = match kind {
            ImportKind::Customers => self.customers.service.ask(drop).await,
            ImportKind::Meetings | ImportKind::Tasks => self.sales.service.ask(drop).await,
            ImportKind::Deals => self.opportunity.service.ask(drop).await,
        };
        if let Err(error) = dropped {
            tracing::warn!(%error, %saga, "batches of a preview that is of no use are purged later");
        }
    }
}

/// What a preview has found so far.
struct Preview<'a> {
    importer: &'a Importer,
    task: &'a Task<'a>,
    headers: &'a [String],
    columns: Columns,
    reading: Reading,
    saga: Id,
    seen: Seen,
    counts: ImportCounts,
    faults: Vec<domain::import::record::RowFault>,
    kept: KeptRows,
    batches: i64,
    works: Vec<RowWork>,
    works_bytes: usize,
}

impl<'a> Preview<'a> {
    fn new(
        importer: &'a Importer,
        task: &'a Task<'a>,
        (head, reading): (&'a Head, Reading),
        saga: Id,
    ) -> Self {
        Self {
            importer,
            task,
            headers: &head.headers,
            columns: columns(task.kind, &head.headers, &reading.mapping),
            reading,
            saga,
            seen: Seen::default(),
            counts: ImportCounts::default(),
            faults: Vec::new(),
            kept: KeptRows::default(),
            batches: 0,
            works: Vec::new(),
            works_bytes: 0,
        }
    }

    async fn run(&mut self, bytes: Arc<Vec<u8>>, told: Option<Encoding>) -> Result<(), Error> {
        let (chunks, mut read) = mpsc::channel(WAITING);
        let reader = tokio::task::spawn_blocking(move || {
            let mut sink = Chunks { chunks, chunk: Vec::new(), bytes: 0 };
            sheets::read(&bytes, told, &mut sink).map(|()| _ = sink.flush())
        });
        while let Some(chunk) = read.recv().await {
            progress::made();
            self.take(chunk).await?;
        }
        drop(read);
        reader.await.map_err(Error::internal)?.map_err(|fault| error_of(&fault))?;
        self.stage().await
    }

    async fn take(&mut self, chunk: Vec<Row>) -> Result<(), Error> {
        let rows = chunk.into_iter().map(|row| {
            let mut row = parse(row.number, row.cells, &self.columns, &self.reading);
            self.seen.note(&mut row, self.task.kind, self.reading.match_on);
            row
        });
        let rows = rows.collect();
        let (kind, match_on, caller) = (self.task.kind, self.reading.match_on, self.task.context.caller);
        let checked = self.importer.check(CheckRows { kind, match_on, rows, caller }).await?;
        for mut row in checked {
            let names_again = row.outcome != RowOutcome::New
                && row.record_id.is_some_and(|id| row.faults.is_empty() && !self.seen.records.insert(id));
            if names_again {
                row.faults.push(FieldError::new(match_on.as_str(), "duplicate_row"));
                (row.outcome, row.work, row.changes) = (RowOutcome::Wrong, None, Vec::new());
            }
            self.note(row);
            if self.is_full() {
                self.stage().await?;
            }
        }
        Ok(())
    }

    fn note(&mut self, row: CheckedRow) {
        let CheckedRow { row, outcome, record_id, changes, faults: of_row, work } = row;
        self.counts.add(outcome);
        let of_row = faults(row, of_row, &self.columns, self.headers);
        let room = FAULTS_MAX.saturating_sub(self.faults.len());
        self.faults.extend(of_row.iter().take(room).cloned());
        self.kept.keep(ImportRow { row, outcome, record_id, changes, faults: of_row });
        if let Some(work) = work {
            self.works_bytes +=
                work.fields.values().map(|value| value.as_str().map_or(8, str::len)).sum::<usize>();
            self.works.push(work);
        }
    }

    fn is_full(&self) -> bool {
        let most = if self.batches < SMALL_BATCHES { BATCH } else { LARGE_BATCH };
        self.works.len() >= most || self.works_bytes >= BYTES_MAX
    }

    async fn stage(&mut self) -> Result<(), Error> {
        if self.works.is_empty() {
            return Ok(());
        }
        let rows = std::mem::take(&mut self.works);
        let (kind, saga, number) = (self.task.kind, self.saga, self.batches);
        self.importer
            .stage(StageRows { kind, saga, number, rows, context: plain(self.task.context) })
            .await?;
        (self.batches, self.works_bytes) = (self.batches + 1, 0);
        Ok(())
    }
}

/// What the rows before have named, as hashes: of a long file all texts would be much.
#[derive(Default)]
struct Seen {
    hashes: RandomState,
    emails: HashSet<u64>,
    external_ids: HashSet<u64>,
    records: HashSet<Id>,
}

impl Seen {
    fn note(&mut self, row: &mut ParsedRow, kind: ImportKind, match_on: MatchOn) {
        let is_again = |seen: &mut HashSet<u64>, text: Option<&String>| {
            text.is_some_and(|text| !seen.insert(self.hashes.hash_one(text)))
        };
        if is_again(&mut self.external_ids, row.external_id.as_ref()) {
            row.faults.push(FieldError::new("external_id", "duplicate_row"));
        }
        let email = row.email().filter(|_| kind == ImportKind::Customers);
        if is_again(&mut self.emails, email.as_ref()) {
            let code = if match_on == MatchOn::Email { "duplicate_row" } else { "duplicate_email" };
            row.faults.push(FieldError::new("email", code));
        }
    }
}

/// The first rows of each outcome.
#[derive(Default)]
struct KeptRows {
    rows: Vec<ImportRow>,
    counts: ImportCounts,
    bytes: [usize; 4],
}

impl KeptRows {
    fn keep(&mut self, row: ImportRow) {
        let bytes = &mut self.bytes[row.outcome as usize];
        if self.counts.of(row.outcome) >= ROWS_KEPT_MAX as i64 || *bytes > KEPT_BYTES_MAX {
            return;
        }
        *bytes += serde_json::to_string(&row).map_or(0, |text| text.len());
        self.counts.add(row.outcome);
        self.rows.push(row);
    }
}

/// Gathers rows, and waits while nobody takes them.
struct Chunks {
    chunks: mpsc::Sender<Vec<Row>>,
    chunk: Vec<Row>,
    bytes: usize,
}

impl Chunks {
    fn flush(&mut self) -> ControlFlow<()> {
        self.bytes = 0;
        let chunk = std::mem::take(&mut self.chunk);
        let is_taken = chunk.is_empty() || self.chunks.blocking_send(chunk).is_ok();
        if is_taken { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    }
}

impl Sink for Chunks {
    fn head(&mut self, _: Head) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }

    fn row(&mut self, row: Row) -> ControlFlow<()> {
        self.bytes += row.cells.iter().map(String::len).sum::<usize>();
        self.chunk.push(row);
        if self.chunk.len() >= ROWS_CHECKED_MAX || self.bytes >= BYTES_MAX {
            return self.flush();
        }
        ControlFlow::Continue(())
    }
}

/// The headers of a file that can be read to its end.
async fn look(bytes: Arc<Vec<u8>>, told: Option<Encoding>) -> Result<Head, Error> {
    struct Looked(Option<Head>);

    impl Sink for Looked {
        fn head(&mut self, head: Head) -> ControlFlow<()> {
            self.0 = Some(head);
            ControlFlow::Continue(())
        }

        fn row(&mut self, _: Row) -> ControlFlow<()> {
            ControlFlow::Continue(())
        }
    }

    let read = tokio::task::spawn_blocking(move || {
        let mut looked = Looked(None);
        sheets::read(&bytes, told, &mut looked).map(|()| looked.0)
    });
    let head = read.await.map_err(Error::internal)?.map_err(|fault| error_of(&fault))?;
    head.ok_or_else(|| error_of(&Fault::Empty))
}

/// What is wrong with a file, as the fault of the form's field.
fn error_of(fault: &Fault) -> Error {
    let error = FieldError::new("file", fault.code());
    let error = FieldError { limit: fault.number(), allowed: fault.name().map(str::to_owned), ..error };
    Error::fields(vec![error])
}
