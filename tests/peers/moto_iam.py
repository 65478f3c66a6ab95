"""moto's server, and what it lacks to enforce a policy as AWS does.

moto keeps users, roles and sessions, verifies signatures, and matches actions and resources. What is missing in 5.2.5, and
added here at the places that moto has for it:

1. It does not ask which table a call to DynamoDB is about: each would need a policy for every resource.
2. It fails at presigned URLs as soon as it checks who asks.
3. It ignores the conditions of policies that are no trust policies.

Usage: moto_iam.py PORT
"""

import fnmatch
import sys
import threading
from datetime import datetime, timedelta, timezone
from urllib.parse import parse_qsl

from botocore.auth import S3SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from moto import server
from moto.dynamodb.responses import DynamoHandler
from moto.iam import access_control, policy_conditions
from moto.s3.exceptions import S3AccessDeniedError


def table_of_request(self):
    (table,) = [self.body["TableName"]] if "TableName" in self.body else self.body.get("RequestItems", ["*"])
    return f"arn:aws:dynamodb:{self.region}:{self.current_account}:table/{table}"


DynamoHandler._determine_resource = table_of_request


class S3Request(access_control.S3IAMRequest):
    """Understands presigned URLs: what stands in the query goes to where moto looks for it."""

    def __init__(self, *, path, headers, **others):
        path, _, query = path.partition("?")
        self.query = dict(parse_qsl(query, keep_blank_values=True))
        self.is_presigned = "Authorization" not in headers and "X-Amz-Signature" in self.query
        if self.is_presigned:
            names = ("Credential", "SignedHeaders", "Signature")
            fields = ", ".join(f"{name}={self.query[f'X-Amz-{name}']}" for name in names)
            headers = {**headers, "Authorization": f"AWS4-HMAC-SHA256 {fields}"}
            if "X-Amz-Security-Token" in self.query:
                headers["X-Amz-Security-Token"] = self.query["X-Amz-Security-Token"]
            query = "&".join(part for part in query.split("&") if not part.startswith("X-Amz-Signature="))
        super().__init__(path=f"{path}?{query}", headers=headers, **others)

    def check_signature(self):
        super().check_signature()
        if self.is_presigned:
            signed_at = datetime.strptime(self.query["X-Amz-Date"], "%Y%m%dT%H%M%S%z")
            if datetime.now(timezone.utc) > signed_at + timedelta(seconds=int(self.query["X-Amz-Expires"])):
                raise S3AccessDeniedError()

    def _create_aws_request(self):
        if not self.is_presigned:
            return super()._create_aws_request()
        request = AWSRequest(method=self._method, url=self._path, headers={"Host": self._headers["Host"]})
        request.context["timestamp"] = self.query["X-Amz-Date"]
        return request

    def _create_auth(self, credentials):
        if not self.is_presigned:
            return super()._create_auth(credentials)
        return S3SigV4QueryAuth(credentials, self._service, self._region)

    def check_action_permitted(self, resource):
        Statement.said.prefix = self.query.get("prefix", "")
        super().check_action_permitted(resource)


class Statement(access_control.IAMPolicyStatement):
    """Hands the conditions what the request of this thread says."""

    said = threading.local()

    def _check_conditions(self, incoming_condition_values):
        prefix = getattr(self.said, "prefix", "")
        return super()._check_conditions(incoming_condition_values or {"s3:prefix": prefix})


def is_like(expected, actual):
    patterns = [expected] if isinstance(expected, str) else expected
    return any(fnmatch.fnmatchcase(actual, pattern) for pattern in patterns)


policy_conditions.CONDITION_OPERATIONS["StringLike"] = is_like
access_control.S3IAMRequest = S3Request
access_control.IAMPolicyStatement = Statement
server.main(["--host", "127.0.0.1", "--port", sys.argv[1]])
