//! The seed's consumer contract (コントラクトテスト): `GET /api/customers` where customers exist.

use std::path::Path;

use crate::provider::Provider;

/// Written by the seed's own consumer test (`clients/typescript/tests/seed/pact.test.ts`), which fails when it is another.
const PACT: &str = "pacts/customer-mfe-kizuna.json";

#[tokio::test]
async fn the_contract_of_the_seed_holds_unchanged() {
    let provider = Provider::start().await;
    provider.verify(&Path::new(env!("CARGO_MANIFEST_DIR")).join(PACT)).await;
}
