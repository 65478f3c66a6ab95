use std::{collections::HashMap, time::Duration};

use aws_sdk_dynamodb::{
    Client,
    error::ProvideErrorMetadata,
    types::{
        AttributeDefinition, AttributeValue, BillingMode, KeySchemaElement, KeyType, KeysAndAttributes,
        ScalarAttributeType,
    },
};

use super::DynamoDbEmulator;
use crate::emulators::{Emulators, Ports, testing::dynamodb_client};

struct Fixture {
    emulators: Emulators,
    client: Client,
}

impl Fixture {
    /// A table `Photos` with the key `photoId`, and one `Occurrences` with `personId` and `occurrenceId`.
    async fn start() -> Self {
        let emulators = Emulators::start(Ports::default()).unwrap();
        let client = dynamodb_client(&emulators);
        for (table, keys) in
            [("Photos", ["photoId"].as_slice()), ("Occurrences", &["personId", "occurrenceId"])]
        {
            let mut create = client.create_table().table_name(table).billing_mode(BillingMode::PayPerRequest);
            for (name, kind) in keys.iter().zip([KeyType::Hash, KeyType::Range]) {
                let string = AttributeDefinition::builder().attribute_type(ScalarAttributeType::S);
                let element = KeySchemaElement::builder().attribute_name(*name).key_type(kind);
                create = create
                    .attribute_definitions(string.attribute_name(*name).build().unwrap())
                    .key_schema(element.build().unwrap());
            }
            create.send().await.unwrap();
        }
        emulators.dynamodb().reset_counts();
        Self { emulators, client }
    }

    fn emulator(&self) -> &DynamoDbEmulator {
        self.emulators.dynamodb()
    }

    async fn put(&self, table: &str, row: HashMap<String, AttributeValue>) {
        self.client.put_item().table_name(table).set_item(Some(row)).send().await.unwrap();
    }

    async fn scan_error(&self) -> (Option<String>, u16) {
        let error = self.client.scan().table_name("Photos").send().await.unwrap_err();
        let status = error.raw_response().unwrap().status().as_u16();
        (error.code().map(str::to_owned), status)
    }
}

fn row<const N: usize>(attributes: [(&str, AttributeValue); N]) -> HashMap<String, AttributeValue> {
    attributes.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

fn s(value: impl Into<String>) -> AttributeValue {
    AttributeValue::S(value.into())
}

#[tokio::test]
async fn calls_are_counted_by_operation_and_remembered() {
    let fixture = Fixture::start().await;

    fixture.client.scan().table_name("Photos").projection_expression("photoId").send().await.unwrap();
    fixture.client.scan().table_name("Photos").limit(7).send().await.unwrap();

    let emulator = fixture.emulator();
    assert_eq!((emulator.calls("Scan"), emulator.calls("Query"), emulator.calls_total()), (2, 0, 2));
    assert_eq!(emulator.last_request("Scan").unwrap()["Limit"], 7);
    emulator.reset_counts();
    assert_eq!((emulator.calls_total(), emulator.last_request("Scan")), (0, None));
}

#[tokio::test]
async fn faults_are_those_of_dynamodb_and_heal() {
    let fixture = Fixture::start().await;
    let emulator = fixture.emulator();
    let error = |code: &str, status: u16| (Some(code.to_owned()), status);

    emulator.throttle_all();
    assert_eq!(fixture.scan_error().await, error("ProvisionedThroughputExceededException", 400));
    emulator.fail_all();
    assert_eq!(fixture.scan_error().await, error("InternalServerError", 500));
    emulator.deny_all();
    assert_eq!(fixture.scan_error().await, error("AccessDeniedException", 400));
    emulator.heal();
    emulator.throttle_next(1);
    assert_eq!(fixture.scan_error().await, error("ProvisionedThroughputExceededException", 400));

    fixture.client.scan().table_name("Photos").send().await.unwrap();
    assert_eq!(emulator.calls("Scan"), 5);
}

#[tokio::test]
async fn a_hanging_call_is_accepted_and_never_answered() {
    let fixture = Fixture::start().await;
    fixture.emulator().hang_all();

    let call = fixture.client.scan().table_name("Photos").send();
    let outcome = tokio::time::timeout(Duration::from_millis(200), call).await;

    assert!(outcome.is_err());
    assert_eq!(fixture.emulator().calls("Scan"), 1);
}

#[tokio::test]
async fn a_batch_leaves_keys_unprocessed_with_their_projection() {
    let fixture = Fixture::start().await;
    let mut wanted = KeysAndAttributes::builder().projection_expression("photoId");
    for number in 0..5 {
        let key = row([("photoId", s(format!("p{number}")))]);
        fixture.put("Photos", key.clone()).await;
        wanted = wanted.keys(key);
    }
    let wanted = wanted.build().unwrap();
    let batch = async |keys: &KeysAndAttributes| {
        let answer = fixture.client.batch_get_item().request_items("Photos", keys.clone()).send().await;
        let answer = answer.unwrap();
        let found = answer.responses.unwrap().get("Photos").map_or(0, Vec::len);
        (found, answer.unprocessed_keys.unwrap_or_default().remove("Photos"))
    };

    fixture.emulator().leave_unprocessed(2, 2);

    let (found, rest) = batch(&wanted).await;
    let rest = rest.unwrap();
    assert_eq!((found, rest.keys().len(), rest.projection_expression()), (2, 3, Some("photoId")));
    let (found, rest) = batch(&rest).await;
    let rest = rest.unwrap();
    assert_eq!((found, rest.keys().len()), (2, 1));
    assert_eq!(batch(&rest).await, (1, None));

    fixture.emulator().leave_unprocessed(0, u32::MAX);
    for _ in 0..3 {
        assert_eq!(batch(&wanted).await, (0, Some(wanted.clone())));
    }
}

/// What this project relies on, seen in the engine. Real DynamoDB does the same.
#[tokio::test]
async fn the_engine_agrees_with_dynamodb_where_it_matters() {
    let fixture = Fixture::start().await;
    let client = &fixture.client;

    // Fractional and huge numbers, empty strings and rows that lack everything but their key.
    let odd = row([
        ("photoId", s("odd")),
        ("s3Key", s("")),
        ("count", AttributeValue::N("2.50".to_owned())),
        ("huge", AttributeValue::N("1E+30".to_owned())),
    ]);
    fixture.put("Photos", odd).await;
    let found = client.get_item().table_name("Photos").key("photoId", s("odd")).send().await.unwrap();
    let found = found.item.unwrap();
    assert_eq!(found["s3Key"], s(""));
    assert_eq!(found["count"], AttributeValue::N("2.5".to_owned()));

    // A limit that equals the number of rows still yields a LastEvaluatedKey; the page after it is empty.
    for number in 0..3 {
        let id = s(format!("o{number}"));
        fixture.put("Occurrences", row([("personId", s("p")), ("occurrenceId", id)])).await;
    }
    let query = |limit| {
        let query = client.query().table_name("Occurrences").limit(limit);
        query.key_condition_expression("personId = :p").expression_attribute_values(":p", s("p"))
    };
    let page = query(3).send().await.unwrap();
    assert_eq!(page.items().len(), 3);
    let last = page.last_evaluated_key.clone();
    assert!(last.is_some());
    let next = query(3).set_exclusive_start_key(last).send().await.unwrap();
    assert_eq!((next.items().len(), next.last_evaluated_key), (0, None));
    assert_eq!(query(4).send().await.unwrap().last_evaluated_key, None);

    // A batch that names a key twice is an error, and so are more than 100 keys.
    let key = row([("photoId", s("odd"))]);
    let twice = KeysAndAttributes::builder().keys(key.clone()).keys(key).build().unwrap();
    let error = client.batch_get_item().request_items("Photos", twice).send().await.unwrap_err();
    assert_eq!(error.code(), Some("ValidationException"));
    let keys = (0..101).map(|number| row([("photoId", s(number.to_string()))])).collect();
    let many = KeysAndAttributes::builder().set_keys(Some(keys)).build().unwrap();
    let error = client.batch_get_item().request_items("Photos", many).send().await.unwrap_err();
    assert_eq!(error.code(), Some("ValidationException"));

    // A table that is not there.
    let error = client.scan().table_name("Missing").send().await.unwrap_err();
    assert_eq!(error.code(), Some("ResourceNotFoundException"));
}

#[tokio::test]
async fn a_scan_pages_at_one_megabyte() {
    let fixture = Fixture::start().await;
    for number in 0..30 {
        let row = row([("photoId", s(format!("{number:02}"))), ("filler", s("x".repeat(100_000)))]);
        fixture.put("Photos", row).await;
    }

    let mut pages = Vec::new();
    let mut from = None;
    loop {
        let scan = fixture.client.scan().table_name("Photos").projection_expression("photoId");
        let page = scan.set_exclusive_start_key(from).send().await.unwrap();
        pages.push(page.items().len());
        from = page.last_evaluated_key;
        if from.is_none() {
            break;
        }
    }

    assert_eq!(pages, [10, 10, 10]);
}
