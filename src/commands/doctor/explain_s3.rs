//! What S3 says when it refuses a signed URL, and what that usually means.
//!
//! S3 answers some refusals with the text that was signed, session token included. Only the code and the harmless part of
//! the message are ever shown.

use super::browser::Reply;
use super::finding::Trouble;

/// A sentence of a server longer than this is cut, in characters.
const MESSAGE_CHARS: usize = 300;

/// Where a picture should have been.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place<'a> {
    pub(super) bucket: &'a str,
    pub(super) key: &'a str,
    /// The region that the signature is for.
    pub(super) region: &'a str,
}

/// The error of S3 in a body of XML.
#[derive(Debug, PartialEq, Eq)]
struct Refusal<'a> {
    code: &'a str,
    message: String,
    region: Option<&'a str>,
}

impl<'a> Refusal<'a> {
    fn read(body: &'a str) -> Option<Self> {
        let code = element(body, "Code")?;
        let is_word =
            |text: &str| text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-_".contains(&byte));
        if !is_word(code) {
            return None;
        }
        let message = harmless(element(body, "Message").unwrap_or_default());
        Some(Self { code, message, region: element(body, "Region").filter(|region| is_word(region)) })
    }
}

/// Why this answer is no picture.
pub(super) fn explain(reply: &Reply, place: Place<'_>) -> Trouble {
    let Place { bucket, key, region } = place;
    let at = format!("{bucket}/{key}");
    let Some(refusal) = Refusal::read(&reply.body) else {
        return Trouble::new(
            format!("{at}: status {} without an error of S3", reply.status),
            "something else than S3 answers there (a proxy, a login page): look at S3_PUBLIC_ENDPOINT",
        );
    };
    let Refusal { code, message, .. } = &refusal;
    let found = format!("{at}: S3 says {code}");
    let with_message = if message.is_empty() { found.clone() } else { format!("{found} ({message})") };
    match *code {
        "AccessDenied" => access_denied(with_message, message, place),
        "NoSuchKey" => Trouble::new(
            format!("{at}: S3 says NoSuchKey"),
            format!(
                "a row names an object that bucket {bucket} does not hold: upload it again, or correct the row"
            ),
        ),
        "NoSuchBucket" => Trouble::new(
            found,
            format!(
                "no bucket {bucket}: correct THUMBS_BUCKET (thumbnails) or the row (photos), or create it"
            ),
        ),
        "AllAccessDisabled" | "InvalidBucketName" => {
            Trouble::new(with_message, format!("bucket {bucket} cannot be used: correct its name"))
        }
        "SignatureDoesNotMatch" => Trouble::new(
            found,
            "the secret key is not that of the access key (copied with a character too few?), or a proxy between changes Host or \
             path: S3_PUBLIC_ENDPOINT must be the address that arrives at S3",
        ),
        "InvalidAccessKeyId" => Trouble::new(
            found,
            "this S3 does not know the access key: keys of another account, partition or local stack, or deleted ones; with a \
             local stack, is AWS_ENDPOINT_URL_S3 set?",
        ),
        "ExpiredToken" | "TokenRefreshRequired" => Trouble::new(
            found,
            "the credentials have ended: renew them (aws sso login), or let a role renew them",
        ),
        "InvalidToken" => Trouble::new(
            found,
            "AWS_SESSION_TOKEN is not that of the access key: set all three variables anew, or unset all of them",
        ),
        "RequestTimeTooSkewed" => Trouble::new(with_message, "this machine's clock is wrong: let NTP set it"),
        "PermanentRedirect"
        | "TemporaryRedirect"
        | "AuthorizationHeaderMalformed"
        | "IllegalLocationConstraintException"
        | "AuthorizationQueryParametersError" => {
            let right = refusal
                .region
                .map_or_else(|| "its region".to_owned(), |right| format!("{right}, its region"));
            Trouble::new(
                with_message,
                format!(
                    "the signature is for {region}, and bucket {bucket} is elsewhere: set AWS_REGION to {right}; all buckets and \
                     tables of a service are in one region"
                ),
            )
        }
        code if code.starts_with("KMS.") => Trouble::new(
            with_message,
            "the bucket's KMS key cannot be used: it is disabled, deleted or not yet ready; look at it in the KMS console",
        ),
        "InvalidRange" => {
            Trouble::new(format!("{at}: the object is empty"), "upload the picture again: it has no bytes")
        }
        "InvalidObjectState" => Trouble::new(
            found,
            "the object is archived (Glacier): restore it, and let no lifecycle rule archive what people look at",
        ),
        "SlowDown" | "InternalError" | "ServiceUnavailable" => {
            Trouble::new(found, "S3 is busy or has a fault of its own: ask again in a minute")
        }
        "InvalidRequest" if message.contains("AWS4-HMAC-SHA256") => Trouble::new(
            with_message,
            "the object is encrypted with a key that the client brings (SSE-C): such objects have no plain URL",
        ),
        _ => Trouble::new(
            with_message,
            format!("status {}; the code is explained in AWS's «List of error codes» of S3", reply.status),
        ),
    }
}

/// The code says little; newer sentences of S3 name the action that lacks.
fn access_denied(found: String, message: &str, place: Place<'_>) -> Trouble {
    let Place { bucket, key, .. } = place;
    let prefix = key.split_once('/').map_or("", |(folder, _)| folder);
    let folder = if prefix.is_empty() { String::new() } else { format!("{prefix}/") };
    let advice = if message.contains("Request has expired") {
        "S3's clock is beyond the URL's end: compare the line clock; this machine's clock may be behind"
            .to_owned()
    } else if message.contains("not valid yet") {
        "the URL begins in S3's future: this machine's clock is ahead; let NTP set it".to_owned()
    } else if message.contains("kms:Decrypt") || message.contains("ciphertext") {
        format!(
            "bucket {bucket} is encrypted with a KMS key: allow kms:Decrypt on it, in the role's policy and in the key's own"
        )
    } else if message.contains("explicit deny") {
        format!(
            "a policy forbids it in so many words: look for Deny in the bucket policy of {bucket} (aws:SourceVpce, aws:SourceIp and \
             s3:signatureAge are usual), in the role's boundary and in the organisation's"
        )
    } else if message.contains("s3:ListBucket") {
        format!(
            "the object does not exist; S3 says so only to those who may list: upload it, or correct the row. With s3:ListBucket on \
             {bucket} it would be NoSuchKey"
        )
    } else if message.contains("s3:GetObject") {
        format!(
            "allow s3:GetObject on arn:aws:s3:::{bucket}/{folder}* to the role that signs; does its policy name this prefix?"
        )
    } else {
        format!(
            "either s3:GetObject on arn:aws:s3:::{bucket}/{folder}* is missing (does the policy name this prefix?), or the object does \
             not exist: without s3:ListBucket on {bucket} S3 does not tell these apart"
        )
    };
    Trouble::new(found, advice)
}

/// The text of the first element of that name.
fn element<'a>(xml: &'a str, name: &str) -> Option<&'a str> {
    let start = xml.find(&format!("<{name}>"))? + name.len() + 2;
    let length = xml[start..].find(&format!("</{name}>"))?;
    Some(xml[start..start + length].trim())
}

/// A server's sentence without escapes; nothing of one that quotes a signed request.
fn harmless(message: &str) -> String {
    let message = message
        .replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&quot;", "\"")
        .replace("&apos;", "'")
        .replace("&amp;", "&");
    if message.to_ascii_lowercase().contains("x-amz-") {
        return String::new();
    }
    match message.char_indices().nth(MESSAGE_CHARS) {
        Some((end, _)) => format!("{}…", &message[..end]),
        None => message,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn explained(code: &str, message: &str) -> Trouble {
        let body = format!(
            "<?xml version=\"1.0\"?>\n<Error><Code>{code}</Code><Message>{message}</Message>\
             <Region>eu-west-1</Region><StringToSign>X-Amz-Security-Token=hunter2</StringToSign></Error>"
        );
        let place = Place { bucket: "raw", key: "photos-raw/1.jpg", region: "eu-central-1" };
        explain(&Reply::of(403, &body), place)
    }

    #[test]
    fn every_refusal_of_s3_has_its_own_advice() {
        for (code, message, advice) in [
            ("AccessDenied", "Access Denied", "either s3:GetObject on arn:aws:s3:::raw/photos-raw/*"),
            (
                "AccessDenied",
                "User: x is not authorized to perform: s3:GetObject on resource: y",
                "allow s3:GetObject",
            ),
            (
                "AccessDenied",
                "not authorized to perform: s3:ListBucket on resource: y",
                "the object does not exist",
            ),
            ("AccessDenied", "not authorized to perform: kms:Decrypt on resource: y", "allow kms:Decrypt"),
            (
                "AccessDenied",
                "s3:GetObject on resource y with an explicit deny in a policy",
                "a policy forbids it",
            ),
            ("AccessDenied", "Request has expired", "may be behind"),
            ("AccessDenied", "Request is not valid yet", "clock is ahead"),
            ("NoSuchKey", "", "upload it again"),
            ("NoSuchBucket", "", "THUMBS_BUCKET"),
            ("SignatureDoesNotMatch", "", "S3_PUBLIC_ENDPOINT"),
            ("InvalidAccessKeyId", "", "AWS_ENDPOINT_URL_S3"),
            ("ExpiredToken", "", "renew"),
            ("InvalidToken", "", "AWS_SESSION_TOKEN"),
            ("RequestTimeTooSkewed", "", "NTP"),
            ("PermanentRedirect", "", "AWS_REGION to eu-west-1"),
            (
                "AuthorizationHeaderMalformed",
                "the region 'a' is wrong; expecting 'b'",
                "AWS_REGION to eu-west-1",
            ),
            ("KMS.DisabledException", "", "KMS key"),
            ("InvalidRange", "", "no bytes"),
            ("InvalidObjectState", "", "archived"),
            ("SlowDown", "", "busy"),
            ("Teapot", "", "status 403"),
        ] {
            let trouble = explained(code, message);
            assert!(trouble.advice.contains(advice), "{code}: {trouble:?}");
            assert!(trouble.found.starts_with("raw/photos-raw/1.jpg"), "{trouble:?}");
        }
    }

    #[test]
    fn what_s3_quotes_of_a_signed_request_is_not_shown() {
        let trouble = explained("Odd", "the query X-Amz-Security-Token=hunter2 is odd");
        assert!(!format!("{trouble:?}").contains("hunter2"), "{trouble:?}");
        let long = explained("Odd", &"é".repeat(5000));
        assert!(long.found.chars().count() < 400);
    }

    #[test]
    fn an_answer_that_is_not_of_s3_is_told_as_such() {
        let place = Place { bucket: "raw", key: "1.jpg", region: "eu-central-1" };
        for body in ["", "<html>Login</html>", "<Code></Code", "<Code>a b</Code>"] {
            let trouble = explain(&Reply::of(502, body), place);
            assert!(trouble.found.contains("status 502") && trouble.advice.contains("proxy"), "{trouble:?}");
        }
    }
}
