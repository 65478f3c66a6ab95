//! A collection of pictures: who is in them and where their bytes come from. The sample and a person's own
//! folder both become one, and [`seed`](super::seed) puts it into the tables and buckets.

use std::path::PathBuf;

use bytes::Bytes;
use sha2::{Digest, Sha256};

/// Persons, photos, and who is in which.
#[derive(Debug, Clone, Default)]
pub struct Collection {
    /// Everyone, in no particular order.
    pub persons: Vec<Person>,
    /// Every photo once, however many persons are in it.
    pub photos: Vec<Photo>,
}

/// A person with all occurrences in photos.
#[derive(Debug, Clone)]
pub struct Person {
    /// The key of the row in `Persons`.
    pub id: String,
    /// A first name, or the name of a folder, for messages.
    pub name: String,
    /// In the order in which the table will hold them.
    pub occurrences: Vec<Occurrence>,
    /// The occurrence whose thumbnail stands for the person, by its place in `occurrences`; `None`: the row
    /// holds an empty key.
    pub representative: Option<usize>,
}

/// A person in a photo.
#[derive(Debug, Clone)]
pub struct Occurrence {
    /// The photo, by its place in [`Collection::photos`].
    pub photo: usize,
    /// The thumbnail, a JPEG.
    pub thumb: Bytes,
    /// Whether the row says in which bucket the photo is. If not, the row in `Photos` has to be asked.
    pub has_bucket: bool,
    /// Whether the row says under which key the photo is. If not, the row in `Photos` has to be asked.
    pub has_key: bool,
}

/// A photo.
#[derive(Debug, Clone)]
pub struct Photo {
    /// The key of the row in `Photos`.
    pub id: String,
    /// The key of the object in the bucket of photos.
    pub key: String,
    /// The media type of the bytes.
    pub content_type: &'static str,
    /// Where the bytes are.
    pub source: Source,
}

/// Where the bytes of a photo are.
#[derive(Debug, Clone)]
pub enum Source {
    /// In memory.
    Memory(Bytes),
    /// In a file, which is read when it is uploaded, so that a large folder never fills the memory.
    File(PathBuf),
}

impl Collection {
    /// How many thumbnails and photos there are to upload.
    pub fn object_count(&self) -> usize {
        self.photos.len() + self.persons.iter().map(|person| person.occurrences.len()).sum::<usize>()
    }
}

impl Occurrence {
    /// Half of the rows lack something, as in tables that have grown over years; which half follows from the
    /// photo's place.
    pub(super) fn new(photo: usize, thumb: Bytes) -> Self {
        let (has_bucket, has_key) = match photo % 8 {
            0 | 4 => (false, false),
            2 => (false, true),
            6 => (true, false),
            _ => (true, true),
        };
        Self { photo, thumb, has_bucket, has_key }
    }
}

impl Person {
    /// The key of an occurrence's thumbnail in the bucket of thumbnails.
    pub fn thumb_key(&self, photo: &Photo) -> String {
        format!("faces-thumbs/{}/{}_face_1.jpg", self.id, photo.id)
    }
}

/// An id that looks like a UUID and is always the same for the same `name`.
pub(super) fn stable_id(name: impl AsRef<[u8]>) -> String {
    let digest = hex::encode(&Sha256::digest(name)[..16]);
    // With the version and the variant of a random UUID.
    let (first, second, last) = (&digest[..8], &digest[8..12], &digest[20..]);
    format!("{first}-{second}-4{}-a{}-{last}", &digest[13..16], &digest[17..20])
}

#[cfg(test)]
mod tests {
    use super::stable_id;

    #[test]
    fn a_stable_id_has_the_form_of_a_uuid() {
        let id = stable_id("Ada");
        assert_eq!(id, stable_id("Ada"));
        assert_ne!(id, stable_id("Bo"));
        let parts: Vec<usize> = id.split('-').map(str::len).collect();
        assert_eq!(parts, [8, 4, 4, 4, 12]);
    }
}
