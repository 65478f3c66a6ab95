// The two lists in Node as people write them: Fastify and the AWS SDK v3. One process, one thread.
//
// Each request reads DynamoDB (Scan of 200, Query of 200, one GetItem for each photo whose place the row lacks, all of them at
// once) and signs every URL. With REDIS_URL set, URLs are kept in Redis: one MGET for a list, a SET with a time to live for
// each that is missing. PORT, THUMBS_BUCKET and AWS come from the environment.

import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { GetObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { DynamoDBDocumentClient, GetCommand, QueryCommand, ScanCommand } from '@aws-sdk/lib-dynamodb';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import Fastify from 'fastify';
import { Redis } from 'ioredis';

const { PORT, THUMBS_BUCKET, REDIS_URL } = process.env;
const EXPIRES = 3600;
const KEPT = EXPIRES - 300;

const dynamodb = DynamoDBDocumentClient.from(new DynamoDBClient({}));
// path style, because the emulated S3 has one host
const s3 = new S3Client({ forcePathStyle: true });
const redis = REDIS_URL ? new Redis(REDIS_URL) : null;
const app = Fastify();

const sign = ({ bucket, key }) =>
  getSignedUrl(s3, new GetObjectCommand({ Bucket: bucket, Key: key }), { expiresIn: EXPIRES });

// A URL, or null, for each object, or null.
async function urls(objects) {
  if (!redis) return Promise.all(objects.map((object) => object && sign(object)));
  const present = objects.filter(Boolean);
  if (present.length === 0) return objects;
  const name = ({ bucket, key }) => `peer:url:${bucket}/${key}`;
  const kept = await redis.mget(present.map(name));
  const found = await Promise.all(
    present.map(async (object, at) => {
      if (kept[at]) return kept[at];
      const url = await sign(object);
      await redis.set(name(object), url, 'EX', KEPT);
      return url;
    }),
  );
  let next = 0;
  return objects.map((object) => object && found[next++]);
}

const object = (bucket, key) => (bucket && key ? { bucket, key } : null);

app.get('/healthz', async () => ({ ok: true }));

app.get('/persons', async () => {
  const { Items } = await dynamodb.send(new ScanCommand({ TableName: 'Persons', Limit: 200 }));
  const rows = Items.sort((one, other) => (other.photoCount ?? 0) - (one.photoCount ?? 0)).slice(0, 100);
  const signed = await urls(rows.map((row) => object(THUMBS_BUCKET, row.repThumbKey)));
  const persons = rows.map((row, at) => ({
    personId: row.personId,
    photoCount: row.photoCount ?? 0,
    repThumbKey: row.repThumbKey ?? null,
    repThumbURL: signed[at],
  }));
  return { persons };
});

app.get('/persons/:personId/photos', async (request) => {
  const { personId } = request.params;
  const { Items } = await dynamodb.send(
    new QueryCommand({
      TableName: 'Occurrences',
      KeyConditionExpression: 'personId = :person',
      ExpressionAttributeValues: { ':person': personId },
      Limit: 200,
    }),
  );
  const rows = await Promise.all(
    Items.map(async (row) => {
      if (row.photoBucket && row.photoKey) return row;
      const { Item } = await dynamodb.send(new GetCommand({ TableName: 'Photos', Key: { photoId: row.photoId } }));
      if (!Item) return null;
      return { ...row, photoBucket: row.photoBucket || Item.s3Bucket, photoKey: row.photoKey || Item.s3Key };
    }),
  );
  const found = rows.filter(Boolean);
  const signed = await urls(
    found.flatMap((row) => [object(row.photoBucket, row.photoKey), object(THUMBS_BUCKET, row.thumbKey)]),
  );
  const photos = found.map((row, at) => ({
    photoId: row.photoId,
    photoBucket: row.photoBucket ?? null,
    photoKey: row.photoKey ?? null,
    thumbKey: row.thumbKey ?? null,
    photoURL: signed[2 * at],
    thumbURL: signed[2 * at + 1],
  }));
  return { personId, photos };
});

await app.listen({ host: '127.0.0.1', port: Number(PORT) });
