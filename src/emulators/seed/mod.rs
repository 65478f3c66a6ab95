//! Puts a [`Collection`] into tables and buckets through the SDK's own clients, so that it works with the
//! emulators as with any other DynamoDB and S3. Running it again changes nothing.

mod buckets;
mod tables;

use std::{
    io,
    path::PathBuf,
    sync::atomic::{AtomicUsize, Ordering},
};

use aws_sdk_dynamodb::error::BoxError;

use super::{Progress, collection::Collection};

/// Where a collection goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeedNames {
    /// The table with one row for each person.
    pub persons_table: String,
    /// The table with one row for each person in each photo.
    pub occurrences_table: String,
    /// The table that says where each photo is.
    pub photos_table: String,
    /// The bucket of the photos.
    pub raw_bucket: String,
    /// The bucket of the thumbnails.
    pub thumbs_bucket: String,
}

/// What was written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SeedReport {
    /// Rows in the table of persons.
    pub persons: usize,
    /// Rows in the table of occurrences.
    pub occurrences: usize,
    /// Rows in the table of photos.
    pub photos: usize,
    /// Objects in both buckets.
    pub objects: usize,
}

/// Why a collection could not be written. What was written before stays.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SeedError {
    /// A table is not there and cannot be created.
    #[error("table {name} cannot be created")]
    Table {
        /// The table.
        name: String,
        /// What DynamoDB answered.
        source: BoxError,
    },
    /// Rows cannot be written.
    #[error("rows cannot be written to table {name}")]
    Rows {
        /// The table.
        name: String,
        /// What DynamoDB answered.
        source: BoxError,
    },
    /// DynamoDB left rows out again and again.
    #[error("DynamoDB does not take all rows of table {name}, however often they are sent")]
    Unprocessed {
        /// The table.
        name: String,
    },
    /// A bucket is not there and cannot be created.
    #[error("bucket {name} cannot be created")]
    Bucket {
        /// The bucket.
        name: String,
        /// What S3 answered.
        source: BoxError,
    },
    /// An object cannot be written.
    #[error("object {bucket}/{key} cannot be written")]
    Object {
        /// The bucket.
        bucket: String,
        /// The key.
        key: String,
        /// What S3 answered.
        source: BoxError,
    },
    /// A photo's file has gone, or cannot be read any more.
    #[error("{} cannot be read", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system answered.
        source: io::Error,
    },
}

/// Creates what is missing, uploads all objects, then writes all rows: no row ever names an object that is
/// not there.
///
/// `progress` is called after each object and each batch of rows.
pub async fn seed(
    dynamodb: &aws_sdk_dynamodb::Client,
    s3: &aws_sdk_s3::Client,
    names: &SeedNames,
    collection: &Collection,
    progress: &(dyn Fn(Progress) + Sync),
) -> Result<SeedReport, SeedError> {
    let occurrences = collection.persons.iter().map(|person| person.occurrences.len()).sum();
    let report = SeedReport {
        persons: collection.persons.len(),
        occurrences,
        photos: collection.photos.len(),
        objects: collection.object_count(),
    };
    let steps = Steps {
        done: AtomicUsize::new(0),
        total: report.objects + report.persons + report.occurrences + report.photos,
        progress,
    };
    tables::create_missing(dynamodb, names).await?;
    buckets::create_missing(s3, names).await?;
    buckets::upload(s3, names, collection, &steps).await?;
    tables::write(dynamodb, names, collection, &steps).await?;
    Ok(report)
}

/// Counts rows and objects.
struct Steps<'a> {
    done: AtomicUsize,
    total: usize,
    progress: &'a (dyn Fn(Progress) + Sync),
}

impl Steps<'_> {
    fn advance(&self, steps: usize) {
        let done = self.done.fetch_add(steps, Ordering::Relaxed) + steps;
        (self.progress)(Progress { done, total: self.total });
    }
}

#[cfg(test)]
mod tests;
