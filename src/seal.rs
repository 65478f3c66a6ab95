//! Tells what this service wrote from what somebody else did, for texts that leave it and come back: cursors, and the places
//! of photos in Redis.

use hmac::{Hmac, KeyInit, Mac};
use secrecy::{ExposeSecret, SecretString};
use sha2::Sha256;

/// Instances without `seal.key` must read each other's texts. Known to everybody, this key tells accidents from what was
/// written on purpose, and does not stop a forger who has read the source.
const BUILT_IN_KEY: &str = "beetroot-api seal 1";
/// A truncated HMAC of 128 bits cannot be guessed and keeps texts short.
pub const TAG_BYTES: usize = 16;

/// A key that all instances share.
#[derive(Clone, Debug)]
pub struct Seal(SecretString);

impl Seal {
    /// The operator's key, the same on all instances; empty takes the built-in one.
    pub fn new(key: &SecretString) -> Self {
        let key = key.expose_secret();
        Self(if key.is_empty() { BUILT_IN_KEY } else { key }.into())
    }

    /// Belongs to these bytes in this place only.
    pub fn tag(&self, place: &str, bytes: &[u8]) -> [u8; TAG_BYTES] {
        let mut tag = [0; TAG_BYTES];
        tag.copy_from_slice(&self.mac(place, bytes).finalize().into_bytes()[..TAG_BYTES]);
        tag
    }

    /// Whether [`Self::tag`] gave this tag, compared in constant time.
    pub fn is_of(&self, place: &str, bytes: &[u8], tag: &[u8]) -> bool {
        tag.len() == TAG_BYTES && self.mac(place, bytes).verify_truncated_left(tag).is_ok()
    }

    fn mac(&self, place: &str, bytes: &[u8]) -> Hmac<Sha256> {
        #[expect(
            clippy::expect_used,
            reason = "HMAC takes keys of every length, the signature is the trait's"
        )]
        let mac = Hmac::<Sha256>::new_from_slice(self.0.expose_secret().as_bytes())
            .expect("HMAC takes keys of every length");
        // the length keeps place and bytes apart
        mac.chain_update((place.len() as u64).to_be_bytes()).chain_update(place).chain_update(bytes)
    }
}
