//! Where a list goes on, as a text that clients hand back unchanged.
//!
//! A cursor is sealed together with the list that it belongs to, so that a changed one, or one of another person's list, is
//! refused before it reaches DynamoDB.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::GalleryError;
use crate::seal::{Seal, TAG_BYTES};

/// The text for a position in `list`.
pub(super) fn write(seal: &Seal, list: &str, position: &impl Serialize) -> Option<String> {
    let position = serde_json::to_vec(position).ok()?;
    let mut sealed = seal.tag(list, &position).to_vec();
    sealed.extend(position);
    Some(URL_SAFE_NO_PAD.encode(sealed))
}

/// The position in `list`; an error for anything that [`write()`] did not make for it.
pub(super) fn read<T: DeserializeOwned>(seal: &Seal, list: &str, cursor: &str) -> Result<T, GalleryError> {
    let sealed = URL_SAFE_NO_PAD.decode(cursor).map_err(|_| GalleryError::Cursor)?;
    let (tag, position) = sealed.split_at_checked(TAG_BYTES).ok_or(GalleryError::Cursor)?;
    if !seal.is_of(list, position, tag) {
        return Err(GalleryError::Cursor);
    }
    serde_json::from_slice(position).map_err(|_| GalleryError::Cursor)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use secrecy::SecretString;

    use super::*;

    proptest! {
        #[test]
        fn a_cursor_is_read_in_its_own_list_only(
            list in ".{0,40}", other in ".{0,40}", position in ".{0,60}", at in 0_usize..200, bit in 0_u8..6,
        ) {
            let seal = Seal::new(&SecretString::default());
            let cursor = write(&seal, &list, &position).unwrap();
            prop_assert_eq!(read::<String>(&seal, &list, &cursor).unwrap(), position);
            if other != list {
                prop_assert!(read::<String>(&seal, &other, &cursor).is_err());
            }
            prop_assert!(read::<String>(&Seal::new(&"another key of an operator".into()), &list, &cursor).is_err());
            let mut changed = cursor.into_bytes();
            let at = at % changed.len();
            changed[at] = if changed[at] == b'A' + bit { b'z' } else { b'A' + bit };
            prop_assert!(read::<String>(&seal, &list, std::str::from_utf8(&changed).unwrap()).is_err());
        }

        #[test]
        fn any_text_is_refused_without_a_panic(text in ".*") {
            prop_assert!(read::<String>(&Seal::new(&SecretString::default()), "persons", &text).is_err());
        }
    }
}
