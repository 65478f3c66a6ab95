//! Where a list goes on, as a text that clients hand back unchanged.
//!
//! A cursor is authenticated together with the list that it belongs to, so that a changed one, or one of another
//! person's list, is refused before it reaches DynamoDB.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;
use serde::de::DeserializeOwned;
use sha2::Sha256;

use super::GalleryError;

/// Instances without `lists.cursor_key` must read each other's cursors. Known to everybody, this key tells accidents from
/// cursors; the worst that a forged one does is to start a public list somewhere else.
const BUILT_IN_KEY: &str = "beetroot-api cursor 1";
/// A truncated HMAC of 128 bits cannot be guessed and keeps cursors short.
const TAG_BYTES: usize = 16;

/// Makes and checks cursors.
#[derive(Clone, Debug)]
pub struct CursorKey(SecretString);

impl CursorKey {
    /// The operator's key, the same on all instances; empty takes the built-in one.
    pub fn new(key: &SecretString) -> Self {
        let key = key.expose_secret();
        Self(if key.is_empty() { BUILT_IN_KEY } else { key }.into())
    }

    /// `list` names the list that the position is in.
    pub(super) fn seal(&self, list: &str, position: &impl Serialize) -> Option<String> {
        let position = serde_json::to_vec(position).ok()?;
        let mut sealed = self.mac(list, &position).finalize().into_bytes()[..TAG_BYTES].to_vec();
        sealed.extend(position);
        Some(URL_SAFE_NO_PAD.encode(sealed))
    }

    /// The position in `list`; an error for anything that [`Self::seal`] did not make for it.
    pub(super) fn open<T: DeserializeOwned>(&self, list: &str, cursor: &str) -> Result<T, GalleryError> {
        let sealed = URL_SAFE_NO_PAD.decode(cursor).map_err(|_| GalleryError::Cursor)?;
        let (tag, position) = sealed.split_at_checked(TAG_BYTES).ok_or(GalleryError::Cursor)?;
        self.mac(list, position).verify_truncated_left(tag).map_err(|_| GalleryError::Cursor)?;
        serde_json::from_slice(position).map_err(|_| GalleryError::Cursor)
    }

    fn mac(&self, list: &str, position: &[u8]) -> Hmac<Sha256> {
        #[expect(
            clippy::expect_used,
            reason = "HMAC takes keys of every length, the signature is the trait's"
        )]
        let mac = Hmac::<Sha256>::new_from_slice(self.0.expose_secret().as_bytes())
            .expect("HMAC takes keys of every length");
        // the length keeps list and position apart
        mac.chain_update((list.len() as u64).to_be_bytes()).chain_update(list).chain_update(position)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_cursor_opens_in_its_own_list_only(
            list in ".{0,40}", other in ".{0,40}", position in ".{0,60}", at in 0_usize..200, bit in 0_u8..6,
        ) {
            let key = CursorKey::new(&SecretString::default());
            let cursor = key.seal(&list, &position).unwrap();
            prop_assert_eq!(key.open::<String>(&list, &cursor).unwrap(), position);
            if other != list {
                prop_assert!(key.open::<String>(&other, &cursor).is_err());
            }
            prop_assert!(CursorKey::new(&"another key of an operator".into()).open::<String>(&list, &cursor).is_err());
            let mut changed = cursor.into_bytes();
            let at = at % changed.len();
            changed[at] = if changed[at] == b'A' + bit { b'z' } else { b'A' + bit };
            prop_assert!(key.open::<String>(&list, std::str::from_utf8(&changed).unwrap()).is_err());
        }

        #[test]
        fn any_text_is_refused_without_a_panic(text in ".*") {
            prop_assert!(CursorKey::new(&SecretString::default()).open::<String>("persons", &text).is_err());
        }
    }
}
