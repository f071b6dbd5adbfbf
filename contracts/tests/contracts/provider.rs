//! The provider: the real binary on an empty SQLite file, and pact's verifier before it.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use pact_verifier::callback_executors::NullRequestFilterExecutor;
use pact_verifier::{
    FilterInfo, PactSource, ProviderInfo, ProviderTransport, VerificationOptions, verify_provider_async,
};
use store::Db;

use crate::states::States;
use testing::app::{ADMIN, PASSWORD};
use testing::{Api, Kizuna, Member, Sqlite, TestDatabase};

/// A running server and its first ADMIN.
pub struct Provider {
    pub admin: Member,
    pub server: Kizuna,
    _database: TestDatabase,
}

impl Provider {
    pub async fn start() -> Self {
        Self::with(&[], &[]).await
    }

    /// With these arguments and variables too.
    pub async fn with(args: &[&str], env: &[(&str, &str)]) -> Self {
        Self::on(async |_| (), args, env).await
    }

    /// A provider on a database into which `prepare` has put something.
    pub async fn on(prepare: impl AsyncFnOnce(&Db), args: &[&str], env: &[(&str, &str)]) -> Self {
        let database = TestDatabase::fresh(Sqlite);
        prepare(&database.migrated().await).await;
        let launch = Kizuna::launch(env!("CARGO_BIN_EXE_provider"))
            .database(&database.url)
            .args(["--admin-email", ADMIN, "--admin-password", PASSWORD])
            .args(args.iter().copied());
        let launch = env.iter().fold(launch, |launch, (name, value)| launch.env(name, value));
        let server = launch.start().await;
        let admin = Member::sign_in(&Api::new(server.base_url()), ADMIN, PASSWORD).await;
        Self { admin, server, _database: database }
    }

    /// Has pact ask what stands in the file, as the ADMIN.
    ///
    /// # Panics
    /// With what pact says, unless every interaction was verified.
    pub async fn verify(&self, pact: &Path) {
        // A real token in the place of the example's, which no contract can know.
        let token = self.admin.access_token().expect("a signed-in ADMIN");
        let options = VerificationOptions::<NullRequestFilterExecutor> {
            custom_headers: HashMap::from([("Authorization".to_owned(), format!("Bearer {token}"))]),
            coloured_output: false,
            ..VerificationOptions::default()
        };
        let states = Arc::new(States::of(&self.admin));
        let source = vec![PactSource::File(pact.display().to_string())];
        let done = verify_provider_async(
            self.info(),
            source,
            FilterInfo::None,
            vec![],
            &options,
            None,
            &states,
            None,
        );
        let done = done.await.expect("a verifier that runs");
        assert!(done.result, "{}\n{}", done.output.join("\n"), self.server.output());
        assert!(!done.interaction_results.is_empty(), "{} holds no interaction", pact.display());
    }

    fn info(&self) -> ProviderInfo {
        let (_, port) = self.server.base_url().rsplit_once(':').expect("an address with a port");
        let port = port.parse().expect("a port");
        let transport = ProviderTransport { port: Some(port), ..ProviderTransport::default() };
        ProviderInfo {
            name: "Kizuna".to_owned(),
            host: "127.0.0.1".to_owned(),
            transports: vec![transport],
            ..ProviderInfo::default()
        }
    }
}
