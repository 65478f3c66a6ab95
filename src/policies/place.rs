//! Where the service runs, and the Amazon Resource Names that follow from it.

/// Regions whose names begin so are in another partition than `aws`.
/// Source: <https://docs.aws.amazon.com/general/latest/gr/rande.html>
const PARTITIONS: [(&str, &str); 7] = [
    ("cn-", "aws-cn"),
    ("us-gov-", "aws-us-gov"),
    ("us-iso-", "aws-iso"),
    ("us-isob-", "aws-iso-b"),
    ("us-isof-", "aws-iso-f"),
    ("eu-isoe-", "aws-iso-e"),
    ("eusc-", "aws-eusc"),
];

/// The partition of a region, which is what its resource names begin with.
pub(super) fn partition(region: &str) -> &'static str {
    PARTITIONS
        .into_iter()
        .find(|(beginning, _)| region.starts_with(beginning))
        .map_or("aws", |(_, partition)| partition)
}

/// The objects of a bucket whose keys begin with a prefix. A wildcard in the prefix means itself.
pub(super) fn objects(region: &str, bucket: &str, prefix: &str) -> String {
    format!("{}/{}*", bucket_arn(region, bucket), literal(prefix))
}

/// A bucket.
pub(super) fn bucket_arn(region: &str, bucket: &str) -> String {
    format!("arn:{}:s3:::{bucket}", partition(region))
}

/// A text in which `*`, `?` and `$` are no wildcards and no variables.
/// Source: <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html>
pub(super) fn literal(text: &str) -> String {
    text.chars()
        .map(
            |letter| {
                if matches!(letter, '*' | '?' | '$') { format!("${{{letter}}}") } else { letter.to_string() }
            },
        )
        .collect()
}

/// An account in a region.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// Twelve digits.
    pub account_id: String,
    /// Such as `eu-central-1`; its partition follows from it.
    pub region: String,
}

impl Place {
    /// A table by its name here, or the one that an ARN names wherever it is.
    pub(super) fn table(&self, table: &str) -> String {
        if table.starts_with("arn:") {
            return table.to_owned();
        }
        let Self { account_id, region } = self;
        format!("arn:{}:dynamodb:{region}:{account_id}:table/{table}", self.partition())
    }

    pub(super) fn partition(&self) -> &'static str {
        partition(&self.region)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(region: &str) -> Place {
        Place { account_id: "123456789012".to_owned(), region: region.to_owned() }
    }

    #[test]
    fn the_partition_follows_from_the_region() {
        for (region, arn) in [
            ("eu-central-1", "arn:aws:dynamodb:eu-central-1:123456789012:table/Persons"),
            ("cn-north-1", "arn:aws-cn:dynamodb:cn-north-1:123456789012:table/Persons"),
            ("us-gov-west-1", "arn:aws-us-gov:dynamodb:us-gov-west-1:123456789012:table/Persons"),
            ("us-isob-east-1", "arn:aws-iso-b:dynamodb:us-isob-east-1:123456789012:table/Persons"),
            ("eusc-de-east-1", "arn:aws-eusc:dynamodb:eusc-de-east-1:123456789012:table/Persons"),
        ] {
            assert_eq!(place(region).table("Persons"), arn);
        }
        assert_eq!(bucket_arn("cn-northwest-1", "thumbs"), "arn:aws-cn:s3:::thumbs");
    }

    #[test]
    fn an_arn_of_a_table_stays_as_it_is() {
        let arn = "arn:aws:dynamodb:us-east-1:999999999999:table/Persons";
        assert_eq!(place("eu-central-1").table(arn), arn);
    }

    #[test]
    fn a_wildcard_in_a_prefix_allows_no_more_than_itself() {
        assert_eq!(objects("eu-central-1", "raw", "a*b?c$d/"), "arn:aws:s3:::raw/a${*}b${?}c${$}d/*");
    }
}
