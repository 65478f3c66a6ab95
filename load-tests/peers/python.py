"""The replaced function as a service of its own: FastAPI, uvicorn and boto3, as people write it.

Each request reads DynamoDB (Scan of 200, Query of 200, one GetItem for each photo whose place the row lacks) and signs every
URL anew. The handlers are plain functions, because boto3 blocks: FastAPI runs them in its threads. One process.
AWS and THUMBS_BUCKET come from the environment.
"""

import os

import boto3
from boto3.dynamodb.types import TypeDeserializer
from botocore.config import Config
from fastapi import FastAPI

THUMBS_BUCKET = os.environ["THUMBS_BUCKET"]
EXPIRES = int(os.environ.get("PRESIGN_EXPIRES", "3600"))
# as many connections as FastAPI has threads
dynamodb = boto3.client("dynamodb", config=Config(max_pool_connections=40))
# path style, because the emulated S3 has one host
s3 = boto3.client("s3", config=Config(signature_version="s3v4", s3={"addressing_style": "path"}))
deserializer = TypeDeserializer()
app = FastAPI()


def plain(item):
    return {name: deserializer.deserialize(value) for name, value in item.items()}


def sign(bucket, key):
    if not bucket or not key:
        return None
    return s3.generate_presigned_url("get_object", Params={"Bucket": bucket, "Key": key}, ExpiresIn=EXPIRES)


@app.get("/healthz")
def get_healthz():
    return {"ok": True}


@app.get("/persons")
def get_persons():
    rows = [plain(item) for item in dynamodb.scan(TableName="Persons", Limit=200)["Items"]]
    rows.sort(key=lambda row: int(row.get("photoCount", 0)), reverse=True)
    persons = [
        {
            "personId": row["personId"],
            "photoCount": int(row.get("photoCount", 0)),
            "repThumbKey": row.get("repThumbKey"),
            "repThumbURL": sign(THUMBS_BUCKET, row.get("repThumbKey")),
        }
        for row in rows[:100]
    ]
    return {"persons": persons}


@app.get("/persons/{person_id}/photos")
def get_person_photos(person_id: str):
    answer = dynamodb.query(
        TableName="Occurrences",
        KeyConditionExpression="personId = :person",
        ExpressionAttributeValues={":person": {"S": person_id}},
        Limit=200,
    )
    photos = []
    for row in map(plain, answer["Items"]):
        bucket, key = row.get("photoBucket"), row.get("photoKey")
        if not bucket or not key:
            found = dynamodb.get_item(TableName="Photos", Key={"photoId": {"S": row["photoId"]}}).get("Item")
            if found is None:
                continue
            found = plain(found)
            bucket, key = bucket or found.get("s3Bucket"), key or found.get("s3Key")
        photos.append(
            {
                "photoId": row["photoId"],
                "photoBucket": bucket,
                "photoKey": key,
                "thumbKey": row.get("thumbKey"),
                "photoURL": sign(bucket, key),
                "thumbURL": sign(THUMBS_BUCKET, row.get("thumbKey")),
            }
        )
    return {"personId": person_id, "photos": photos}
