//! The objects of the emulated S3: any key that S3 takes, small objects in memory, large ones in [`Spill`].
//!
//! Implements the operations that this project uses; s3s answers the others with `NotImplemented`.

use std::{
    collections::{BTreeMap, HashMap},
    io,
    ops::{Bound, Range},
    sync::{Arc, PoisonError, RwLock},
    time::SystemTime,
};

use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use futures_util::TryStreamExt;
use s3s::{
    Body, S3, S3Error, S3ErrorCode, S3Request, S3Response, S3Result,
    dto::{
        CreateBucketInput, CreateBucketOutput, DeleteObjectInput, DeleteObjectOutput, ETag, GetObjectInput,
        GetObjectOutput, HeadBucketInput, HeadBucketOutput, HeadObjectInput, HeadObjectOutput,
        ListObjectsV2Input, ListObjectsV2Output, Metadata, Object as ListedObject, PutObjectInput,
        PutObjectOutput, StreamingBlob, Timestamp,
    },
};
use sha2::{Digest, Sha256};

use super::spill::Spill;

/// Objects beyond this many bytes go to the temporary file.
const MEMORY_LIMIT: usize = 512 * 1024;
/// The most keys in one answer of `ListObjectsV2`, as in S3.
const MAX_KEYS: i32 = 1000;

type Bucket = BTreeMap<String, Arc<Object>>;

/// All buckets with their objects.
pub(super) struct Store {
    buckets: RwLock<HashMap<String, Bucket>>,
    spill: Arc<Spill>,
}

struct Object {
    content: Content,
    length: u64,
    etag: String,
    last_modified: Timestamp,
    content_type: Option<String>,
    content_encoding: Option<String>,
    content_disposition: Option<String>,
    cache_control: Option<String>,
    metadata: Option<Metadata>,
}

enum Content {
    Memory(Bytes),
    Spilled { offset: u64 },
}

impl Store {
    pub(super) fn new() -> io::Result<Self> {
        Ok(Self { buckets: RwLock::default(), spill: Arc::new(Spill::new()?) })
    }

    fn bucket<T>(&self, name: &str, read: impl FnOnce(&Bucket) -> T) -> S3Result<T> {
        let buckets = self.buckets.read().unwrap_or_else(PoisonError::into_inner);
        buckets.get(name).map(read).ok_or_else(|| no_such_bucket(name))
    }

    fn change_bucket<T>(&self, name: &str, change: impl FnOnce(&mut Bucket) -> T) -> S3Result<T> {
        let mut buckets = self.buckets.write().unwrap_or_else(PoisonError::into_inner);
        buckets.get_mut(name).map(change).ok_or_else(|| no_such_bucket(name))
    }

    fn object(&self, bucket: &str, key: &str) -> S3Result<Arc<Object>> {
        self.bucket(bucket, |objects| objects.get(key).cloned())?
            .ok_or_else(|| S3Error::with_message(S3ErrorCode::NoSuchKey, "The specified key does not exist."))
    }

    async fn keep(&self, bytes: Bytes) -> S3Result<Content> {
        if bytes.len() <= MEMORY_LIMIT {
            return Ok(Content::Memory(bytes));
        }
        let spill = Arc::clone(&self.spill);
        let offset = blocking(move || spill.append(&bytes)).await?;
        Ok(Content::Spilled { offset })
    }

    async fn read(&self, object: &Object, range: Range<u64>) -> S3Result<Bytes> {
        match &object.content {
            Content::Memory(bytes) => {
                let start = usize::try_from(range.start).map_err(S3Error::internal_error)?;
                let end = usize::try_from(range.end).map_err(S3Error::internal_error)?;
                Ok(bytes.slice(start..end))
            }
            Content::Spilled { offset } => {
                let spill = Arc::clone(&self.spill);
                let range = offset + range.start..offset + range.end;
                blocking(move || spill.read(range)).await.map(Bytes::from)
            }
        }
    }
}

#[async_trait]
impl S3 for Store {
    async fn create_bucket(
        &self,
        request: S3Request<CreateBucketInput>,
    ) -> S3Result<S3Response<CreateBucketOutput>> {
        let name = request.input.bucket;
        let mut buckets = self.buckets.write().unwrap_or_else(PoisonError::into_inner);
        if buckets.contains_key(&name) {
            return Err(S3Error::with_message(
                S3ErrorCode::BucketAlreadyOwnedByYou,
                "Your previous request to create the named bucket succeeded and you already own it.",
            ));
        }
        let location = Some(format!("/{name}"));
        buckets.insert(name, Bucket::new());
        Ok(S3Response::new(CreateBucketOutput { location }))
    }

    async fn head_bucket(
        &self,
        request: S3Request<HeadBucketInput>,
    ) -> S3Result<S3Response<HeadBucketOutput>> {
        self.bucket(&request.input.bucket, |_| ())?;
        Ok(S3Response::new(HeadBucketOutput::default()))
    }

    async fn put_object(&self, request: S3Request<PutObjectInput>) -> S3Result<S3Response<PutObjectOutput>> {
        let input = request.input;
        let mut bytes = BytesMut::new();
        if let Some(mut body) = input.body {
            while let Some(chunk) = body
                .try_next()
                .await
                .map_err(|error| S3Error::with_source(S3ErrorCode::IncompleteBody, error))?
            {
                bytes.extend_from_slice(&chunk);
            }
        }
        let bytes = bytes.freeze();
        let etag = etag_of(&bytes);
        let object = Object {
            length: bytes.len() as u64,
            content: self.keep(bytes).await?,
            etag: etag.clone(),
            last_modified: now(),
            content_type: input.content_type,
            content_encoding: input.content_encoding,
            content_disposition: input.content_disposition,
            cache_control: input.cache_control,
            metadata: input.metadata,
        };
        self.change_bucket(&input.bucket, |objects| objects.insert(input.key, Arc::new(object)))?;
        Ok(S3Response::new(PutObjectOutput { e_tag: Some(ETag::Strong(etag)), ..Default::default() }))
    }

    async fn get_object(&self, request: S3Request<GetObjectInput>) -> S3Result<S3Response<GetObjectOutput>> {
        let input = request.input;
        let object = self.object(&input.bucket, &input.key)?;
        let range = match input.range {
            Some(range) => range.check(object.length)?,
            None => 0..object.length,
        };
        let content_range = input
            .range
            .map(|_| format!("bytes {}-{}/{}", range.start, range.end.saturating_sub(1), object.length));
        let bytes = self.read(&object, range).await?;
        Ok(S3Response::new(GetObjectOutput {
            content_length: i64::try_from(bytes.len()).ok(),
            body: Some(StreamingBlob::from(Body::from(bytes))),
            content_range,
            accept_ranges: Some("bytes".to_owned()),
            e_tag: Some(ETag::Strong(object.etag.clone())),
            last_modified: Some(object.last_modified.clone()),
            content_type: object.content_type.clone(),
            content_encoding: object.content_encoding.clone(),
            content_disposition: object.content_disposition.clone(),
            cache_control: object.cache_control.clone(),
            metadata: object.metadata.clone(),
            ..Default::default()
        }))
    }

    async fn head_object(
        &self,
        request: S3Request<HeadObjectInput>,
    ) -> S3Result<S3Response<HeadObjectOutput>> {
        let object = self.object(&request.input.bucket, &request.input.key)?;
        Ok(S3Response::new(HeadObjectOutput {
            content_length: i64::try_from(object.length).ok(),
            accept_ranges: Some("bytes".to_owned()),
            e_tag: Some(ETag::Strong(object.etag.clone())),
            last_modified: Some(object.last_modified.clone()),
            content_type: object.content_type.clone(),
            content_encoding: object.content_encoding.clone(),
            content_disposition: object.content_disposition.clone(),
            cache_control: object.cache_control.clone(),
            metadata: object.metadata.clone(),
            ..Default::default()
        }))
    }

    async fn delete_object(
        &self,
        request: S3Request<DeleteObjectInput>,
    ) -> S3Result<S3Response<DeleteObjectOutput>> {
        self.change_bucket(&request.input.bucket, |objects| objects.remove(&request.input.key))?;
        Ok(S3Response::new(DeleteObjectOutput::default()))
    }

    /// Lists keys in order, without a delimiter. The continuation token is the last key of the page before.
    async fn list_objects_v2(
        &self,
        request: S3Request<ListObjectsV2Input>,
    ) -> S3Result<S3Response<ListObjectsV2Output>> {
        let input = request.input;
        let prefix = input.prefix.clone().unwrap_or_default();
        let max_keys = input.max_keys.unwrap_or(MAX_KEYS).clamp(0, MAX_KEYS);
        let after = input.continuation_token.clone().or_else(|| input.start_after.clone());
        let from = after.as_ref().map_or(Bound::Unbounded, |after| Bound::Excluded(after.as_str()));
        let mut found = self.bucket(&input.bucket, |objects| {
            let range = objects.range::<str, _>((from, Bound::Unbounded));
            let matching = range.filter(|(key, _)| key.starts_with(&prefix));
            let one_more = usize::try_from(max_keys).unwrap_or_default() + 1;
            matching.take(one_more).map(|(key, object)| listed(key, object)).collect::<Vec<_>>()
        })?;
        let is_truncated = i32::try_from(found.len()).is_ok_and(|found| found > max_keys);
        if is_truncated {
            found.pop();
        }
        let last_key = found.last().and_then(|object| object.key.clone());
        Ok(S3Response::new(ListObjectsV2Output {
            name: Some(input.bucket),
            prefix: input.prefix,
            max_keys: Some(max_keys),
            key_count: i32::try_from(found.len()).ok(),
            is_truncated: Some(is_truncated),
            next_continuation_token: last_key.filter(|_| is_truncated),
            continuation_token: input.continuation_token,
            start_after: input.start_after,
            contents: Some(found),
            ..Default::default()
        }))
    }
}

fn listed(key: &str, object: &Object) -> ListedObject {
    ListedObject {
        key: Some(key.to_owned()),
        size: i64::try_from(object.length).ok(),
        e_tag: Some(ETag::Strong(object.etag.clone())),
        last_modified: Some(object.last_modified.clone()),
        ..Default::default()
    }
}

/// Half a SHA-256 in hexadecimal. S3 uses MD5 for most objects and promises nothing.
fn etag_of(bytes: &[u8]) -> String {
    hex::encode(&Sha256::digest(bytes)[..16])
}

#[expect(clippy::disallowed_methods, reason = "the true time of an upload, which no test needs to move")]
fn now() -> Timestamp {
    Timestamp::from(SystemTime::now())
}

fn no_such_bucket(name: &str) -> S3Error {
    S3Error::with_message(S3ErrorCode::NoSuchBucket, format!("The specified bucket does not exist: {name}"))
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> io::Result<T> + Send + 'static) -> S3Result<T> {
    let outcome = tokio::task::spawn_blocking(work).await.map_err(S3Error::internal_error)?;
    outcome.map_err(S3Error::internal_error)
}
