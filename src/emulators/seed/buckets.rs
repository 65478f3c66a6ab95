//! The two buckets and what goes into them.

use aws_sdk_s3::{
    Client,
    primitives::ByteStream,
    types::{BucketLocationConstraint, CreateBucketConfiguration},
};
use bytes::Bytes;
use futures_util::{StreamExt, TryStreamExt, stream};

use super::{SeedError, SeedNames, Steps};
use crate::emulators::collection::{Collection, Source};

/// Uploads at a time. Each holds one file in memory.
const CONCURRENT_UPLOADS: usize = 16;
/// The one region that must not be named when a bucket is created.
const REGION_WITHOUT_CONSTRAINT: &str = "us-east-1";

struct Upload<'a> {
    bucket: &'a str,
    key: String,
    content_type: &'static str,
    source: Source,
}

pub(super) async fn create_missing(s3: &Client, names: &SeedNames) -> Result<(), SeedError> {
    for name in [&names.raw_bucket, &names.thumbs_bucket] {
        if s3.head_bucket().bucket(name).send().await.is_ok() {
            continue;
        }
        let region = s3.config().region().map(AsRef::as_ref);
        let elsewhere = region.filter(|region| *region != REGION_WITHOUT_CONSTRAINT).map(|region| {
            let constraint = BucketLocationConstraint::from(region);
            CreateBucketConfiguration::builder().location_constraint(constraint).build()
        });
        let create = s3.create_bucket().bucket(name).set_create_bucket_configuration(elsewhere);
        create
            .send()
            .await
            .map_err(|error| SeedError::Bucket { name: name.clone(), source: error.into() })?;
    }
    Ok(())
}

pub(super) async fn upload(
    s3: &Client,
    names: &SeedNames,
    collection: &Collection,
    steps: &Steps<'_>,
) -> Result<(), SeedError> {
    let photos = collection.photos.iter().map(|photo| Upload {
        bucket: &names.raw_bucket,
        key: photo.key.clone(),
        content_type: photo.content_type,
        source: photo.source.clone(),
    });
    let thumbs = collection.persons.iter().flat_map(|person| {
        person.occurrences.iter().map(|occurrence| Upload {
            bucket: &names.thumbs_bucket,
            key: person.thumb_key(&collection.photos[occurrence.photo]),
            content_type: "image/jpeg",
            source: Source::Memory(occurrence.thumb.clone()),
        })
    });
    stream::iter(photos.chain(thumbs))
        .map(|upload| async move {
            put(s3, upload).await?;
            steps.advance(1);
            Ok(())
        })
        .buffer_unordered(CONCURRENT_UPLOADS)
        .try_collect()
        .await
}

async fn put(s3: &Client, Upload { bucket, key, content_type, source }: Upload<'_>) -> Result<(), SeedError> {
    let bytes = read(source).await?;
    let put = s3.put_object().bucket(bucket).key(&key).content_type(content_type);
    match put.body(ByteStream::from(bytes)).send().await {
        Ok(_) => Ok(()),
        Err(error) => Err(SeedError::Object { bucket: bucket.to_owned(), key, source: error.into() }),
    }
}

async fn read(source: Source) -> Result<Bytes, SeedError> {
    match source {
        Source::Memory(bytes) => Ok(bytes),
        Source::File(path) => {
            let file = path.clone();
            let read = tokio::task::spawn_blocking(move || std::fs::read(file)).await;
            let read = read.unwrap_or_else(|panic| Err(panic.into()));
            read.map(Bytes::from).map_err(|source| SeedError::File { path, source })
        }
    }
}
