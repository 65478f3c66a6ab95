//! Whose signatures the emulated S3 accepts.
//!
//! s3s verifies the signature and the expiry. It leaves out that the session token must be the one that
//! belongs to the credentials; that is added here.

use std::{
    collections::HashMap,
    sync::{Arc, PoisonError, RwLock},
};

use async_trait::async_trait;
use percent_encoding::percent_decode_str;
use s3s::{
    S3Error, S3ErrorCode, S3Result,
    access::{S3Access, S3AccessContext},
    auth::{S3Auth, SecretKey},
};

/// Access keys with what belongs to them. Clones share the same keys.
#[derive(Clone, Default)]
pub(super) struct KnownCredentials {
    by_access_key_id: Arc<RwLock<HashMap<String, Known>>>,
}

#[derive(Clone)]
struct Known {
    secret_access_key: String,
    session_token: Option<String>,
}

impl KnownCredentials {
    pub(super) fn add(&self, access_key_id: &str, secret_access_key: &str, session_token: Option<&str>) {
        let known = Known {
            secret_access_key: secret_access_key.to_owned(),
            session_token: session_token.map(str::to_owned),
        };
        self.by_access_key_id
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(access_key_id.to_owned(), known);
    }

    fn find(&self, access_key_id: &str) -> S3Result<Known> {
        let known = self.by_access_key_id.read().unwrap_or_else(PoisonError::into_inner);
        known.get(access_key_id).cloned().ok_or_else(|| {
            S3Error::with_message(
                S3ErrorCode::InvalidAccessKeyId,
                "The AWS Access Key Id you provided does not exist in our records.",
            )
        })
    }
}

#[async_trait]
impl S3Auth for KnownCredentials {
    async fn get_secret_key(&self, access_key: &str) -> S3Result<SecretKey> {
        Ok(SecretKey::from(self.find(access_key)?.secret_access_key))
    }
}

#[async_trait]
impl S3Access for KnownCredentials {
    /// Called when the signature is known to be good.
    async fn check(&self, context: &mut S3AccessContext<'_>) -> S3Result<()> {
        let Some(credentials) = context.credentials() else {
            return Err(S3Error::with_message(S3ErrorCode::AccessDenied, "Signature is required"));
        };
        let expected = self.find(&credentials.access_key)?.session_token;
        let query = context.uri().query().unwrap_or_default();
        let in_header = context.headers().get("x-amz-security-token").and_then(|value| value.to_str().ok());
        let carried = query_value(query, "X-Amz-Security-Token").or_else(|| in_header.map(str::to_owned));
        if carried != expected {
            return Err(S3Error::with_message(
                S3ErrorCode::InvalidToken,
                "The provided token is malformed or otherwise invalid.",
            ));
        }
        Ok(())
    }
}

fn query_value(query: &str, name: &str) -> Option<String> {
    let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    let (_, value) = pairs.into_iter().find(|(found, _)| *found == name)?;
    Some(percent_decode_str(value).decode_utf8_lossy().into_owned())
}
