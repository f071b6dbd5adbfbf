//! The first start: makes a secret for tokens and the first user.

use std::fs::{self, OpenOptions, Permissions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;

use anyhow::Context as _;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rand::Rng;

use crate::app::demo;
use crate::app::services::Services;
use crate::config::Config;
use domain::user::messages::CreateUser;
use domain::user::record::NewUser;
use kernel::caller::Role;
use kernel::context::Context;
use kernel::error::{Error, ErrorCode};
use kernel::locale::Locale;

/// The first user's credentials, after the first start.
#[derive(Clone, Debug)]
pub struct FirstLogin {
    pub email: String,
    /// The password, if it was made here.
    pub made_password: Option<String>,
    pub demo: bool,
}

/// The secret of the tokens: as configured, or made once and stored beside the SQLite file with mode 0600.
///
/// # Errors
/// When the file can't be read or written.
pub fn jwt_secret(config: &Config) -> anyhow::Result<Vec<u8>> {
    if let Some(secret) = config.auth.jwt_secret() {
        return Ok(secret.as_bytes().to_vec());
    }
    let path = config.secret_file().context("--jwt-secret: required")?;
    let made = random_text(48);
    match OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path) {
        Ok(mut file) => {
            file.write_all(made.as_bytes())
                .and_then(|()| file.sync_all())
                .with_context(|| path.display().to_string())?;
            Ok(made.into_bytes())
        }
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            let kept = fs::read(&path).with_context(|| path.display().to_string())?;
            keep_private(&path);
            anyhow::ensure!(
                kept.len() >= 32,
                "{}: shorter than 32 bytes; remove it to have one made",
                path.display()
            );
            Ok(kept)
        }
        Err(error) => Err(error).with_context(|| path.display().to_string()),
    }
}

/// Takes from others what they may do with a file.
fn keep_private(path: &Path) {
    let narrowed = fs::metadata(path).and_then(|file| {
        let mode = file.permissions().mode();
        if mode & 0o077 == 0 {
            Ok(())
        } else {
            fs::set_permissions(path, Permissions::from_mode(mode & 0o700))
        }
    });
    if let Err(error) = narrowed {
        tracing::warn!(path = %path.display(), %error, "the secret of the tokens can be read by others");
    }
}

/// The secrets in force: the first one signs and seals, and each of them is accepted.
///
/// # Errors
/// The errors of [`jwt_secret`].
pub fn secrets(config: &Config) -> anyhow::Result<Vec<Vec<u8>>> {
    let accepted = config.auth.accepted_secrets().map(|secret| secret.as_bytes().to_vec());
    Ok([jwt_secret(config)?].into_iter().chain(accepted).collect())
}

/// Creates the first ADMIN, or the demo's users and records. `None` if this node does not host auth, if there are
/// users, or if another node was faster.
///
/// # Errors
/// Errors of the services, for example for a password that is too short.
pub async fn first_users(config: &Config, services: &Services) -> anyhow::Result<Option<FirstLogin>> {
    if services.auth.accounts().is_none() {
        return Ok(None);
    }
    let made = if config.demo { demo_users(services).await } else { first_admin(config, services).await };
    match made {
        Err(error) if is_taken(&error) => Ok(None),
        made => made.map(Some),
    }
}

/// Whether another node has created the first user, whose address is unique.
fn is_taken(error: &anyhow::Error) -> bool {
    error.downcast_ref::<Error>().is_some_and(|error| error.code == ErrorCode::EmailTaken)
}

async fn demo_users(services: &Services) -> anyhow::Result<FirstLogin> {
    demo::load(services).await?;
    Ok(FirstLogin { email: demo::ADMIN.into(), made_password: Some(demo::PASSWORD.into()), demo: true })
}

async fn first_admin(config: &Config, services: &Services) -> anyhow::Result<FirstLogin> {
    let given = config.auth.admin_password().map(str::to_owned);
    let made_password = given.is_none().then(|| random_text(15));
    let email = config.auth.admin_email.clone();
    let password = given.or_else(|| made_password.clone()).context("a password is given or made")?;
    let user = NewUser {
        email: email.clone(),
        name: "Administrator".into(),
        role: Role::Admin,
        manager_id: None,
        locale: Some(Locale::default()),
        time_zone: None,
        password,
    };
    let made = services.auth.service.ask(CreateUser { user, context: Context::system() }).await;
    made.context("--admin-email, --admin-password")?;
    Ok(FirstLogin { email, made_password, demo: false })
}

/// `bytes` random bytes as text.
#[expect(clippy::disallowed_methods, reason = "secrets are the one thing that must not be reproducible")]
fn random_text(bytes: usize) -> String {
    let mut random = vec![0; bytes];
    rand::rng().fill_bytes(&mut random);
    URL_SAFE_NO_PAD.encode(random)
}
