//! A finished answer: bytes that leave as they are, in each coding at most made once.

use std::fmt::Write as _;
use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use jiff::Timestamp;
use serde::Serialize;
use sha2::{Digest, Sha256};

use super::GalleryError;
use super::coding::Coding;

/// A body below this is one packet in any coding.
const SMALLEST_CODED_BYTES: usize = 512;
/// Of the hash in an `ETag`: 128 bits do not meet by accident.
const HASH_BYTES: usize = 16;
/// Hexadecimal digits of that.
const HASH_DIGITS: usize = 2 * HASH_BYTES;
/// What an answer needs besides its bodies, roughly: the structs, the tags, its place in a cache.
const OVERHEAD_BYTES: usize = 512;

/// A page as JSON, not yet an answer.
pub(super) struct Page {
    json: Bytes,
    usable_until: Option<Timestamp>,
    read_at: Option<Timestamp>,
}

impl Page {
    /// `usable_until` is when the first of its URLs is no longer handed out; `None` when there are none.
    pub(super) fn of(page: &impl Serialize, usable_until: Option<Timestamp>) -> Result<Self, GalleryError> {
        let json = serde_json::to_vec(page).map_err(GalleryError::Unrendered)?;
        // without the room for more, which nobody would weigh
        Ok(Self { json: json.into_boxed_slice().into(), usable_until, read_at: None })
    }

    /// It says what the tables held at `at`. Without this, they were read for this page alone, just now.
    pub(super) fn of_what_was_read(self, at: Timestamp) -> Self {
        Self { read_at: Some(at), ..self }
    }

    /// When what it says was read.
    pub(super) fn read_at(&self) -> Option<Timestamp> {
        self.read_at
    }
}

/// A finished answer. Clones share its bodies.
#[derive(Clone, Debug)]
pub struct Rendered {
    content: Arc<Content>,
    usable_until: Option<Timestamp>,
    made_at: Timestamp,
}

/// The same content has the same tags on every instance.
struct Content {
    identity: Body,
    tags: Tags,
    /// `None` when coding does not make it smaller.
    gzip: OnceLock<Option<Body>>,
    brotli: OnceLock<Option<Body>>,
    zstd: OnceLock<Option<Body>>,
}

/// The bytes of an answer in one coding.
#[derive(Clone)]
pub struct Body {
    /// How they are coded.
    pub coding: Coding,
    /// What is sent.
    pub bytes: Bytes,
    /// A strong entity tag, with its quotes.
    pub etag: Bytes,
}

/// The entity tags of all codings: `"hash"`, `"hash-gzip"`, …
struct Tags {
    hash: [u8; HASH_DIGITS],
    /// In the order of [`Coding::BY_PREFERENCE`].
    quoted: [Bytes; 4],
}

impl Rendered {
    /// An answer that was made at `made_at`.
    pub(super) fn new(page: Page, made_at: Timestamp) -> Self {
        let tags = Tags::of(&page.json);
        let identity =
            Body { coding: Coding::Identity, bytes: page.json, etag: tags.quoted(Coding::Identity).clone() };
        let content =
            Content { identity, tags, gzip: OnceLock::new(), brotli: OnceLock::new(), zstd: OnceLock::new() };
        Self { content: Arc::new(content), usable_until: page.usable_until, made_at }
    }

    /// Takes over the bodies of an earlier answer when they say the same; tells whether they did.
    pub(super) fn adopt_bodies_of(&mut self, earlier: &Self) -> bool {
        let same = self.content.tags.hash == earlier.content.tags.hash;
        if same {
            self.content = Arc::clone(&earlier.content);
        }
        same
    }

    /// When the first of its URLs is no longer handed out, and with it the answer; `None` when it has no URL.
    pub fn usable_until(&self) -> Option<Timestamp> {
        self.usable_until
    }

    /// When its bytes came to be.
    pub fn made_at(&self) -> Timestamp {
        self.made_at
    }

    /// Its body in that coding, the plain one where coding is no gain; and whether this call has made it, and the answer heavier.
    pub(super) fn body(&self, coding: Coding) -> (&Body, bool) {
        let content = &*self.content;
        let made = match coding {
            Coding::Identity => return (&content.identity, false),
            Coding::Gzip => &content.gzip,
            Coding::Brotli => &content.brotli,
            Coding::Zstd => &content.zstd,
        };
        let mut heavier = false;
        let body = made.get_or_init(|| {
            let body = content.encode(coding);
            heavier = body.is_some();
            body
        });
        (body.as_ref().unwrap_or(&content.identity), heavier)
    }

    /// The coding whose entity tag this is, quotes included and without `W/`.
    pub fn coding_of_tag(&self, tag: &[u8]) -> Option<Coding> {
        let of_this = tag.get(1..=HASH_DIGITS) == Some(&self.content.tags.hash);
        Coding::BY_PREFERENCE.into_iter().find(|coding| of_this && self.etag(*coding) == tag)
    }

    /// The entity tag of its body in that coding, whether it has been made or not.
    pub fn etag(&self, coding: Coding) -> &Bytes {
        self.content.tags.quoted(coding)
    }

    /// What it takes in memory, in bytes: grows with each coding.
    pub fn weight(&self) -> usize {
        let content = &*self.content;
        let coded = [&content.gzip, &content.brotli, &content.zstd];
        let coded = coded.into_iter().filter_map(|made| made.get()?.as_ref());
        OVERHEAD_BYTES + content.identity.bytes.len() + coded.map(|body| body.bytes.len()).sum::<usize>()
    }

    /// Whether both have the same bodies in memory.
    pub(super) fn shares_bodies_with(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.content, &other.content)
    }
}

impl Content {
    fn encode(&self, coding: Coding) -> Option<Body> {
        let plain = &self.identity.bytes;
        if plain.len() < SMALLEST_CODED_BYTES {
            return None;
        }
        let coded = coding
            .encode(plain)
            .inspect_err(|error| tracing::error!(coding = coding.name(), %error, "a body could not be coded"))
            .ok()?;
        (coded.len() < plain.len()).then(|| Body {
            coding,
            bytes: coded.into(),
            etag: self.tags.quoted(coding).clone(),
        })
    }
}

impl Tags {
    fn of(bytes: &[u8]) -> Self {
        let mut hash = [0; HASH_DIGITS];
        // the buffer has the length that it needs
        let _ = hex::encode_to_slice(&Sha256::digest(bytes)[..HASH_BYTES], &mut hash);
        let digits = String::from_utf8_lossy(&hash);
        let quoted = Coding::BY_PREFERENCE.map(|coding| {
            let mut tag = format!("\"{digits}");
            if coding != Coding::Identity {
                // writing to a String cannot fail
                let _ = write!(tag, "-{}", coding.name());
            }
            tag.push('"');
            Bytes::from(tag)
        });
        Self { hash, quoted }
    }

    fn quoted(&self, coding: Coding) -> &Bytes {
        let [zstd, brotli, gzip, identity] = &self.quoted;
        match coding {
            Coding::Identity => identity,
            Coding::Gzip => gzip,
            Coding::Brotli => brotli,
            Coding::Zstd => zstd,
        }
    }
}

// These hold signed URLs, which are secrets: they print their size only.
impl std::fmt::Debug for Page {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Page({} bytes)", self.json.len())
    }
}

impl std::fmt::Debug for Content {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.identity.fmt(formatter)
    }
}

impl std::fmt::Debug for Body {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{} bytes, {}, {:?}", self.bytes.len(), self.coding.name(), self.etag)
    }
}
