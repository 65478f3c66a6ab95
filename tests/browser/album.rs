//! A service with persons and photos whose pictures a browser can decode.

use std::io::Cursor;
use std::sync::LazyLock;

use beetroot_api::emulators::seed::{SeedNames, seed};
use beetroot_api::emulators::{Collection, sample};
use image::{ImageFormat, Rgb, RgbImage};

use super::rows::{located, person};
use super::test_app::{RAW_BUCKET, THUMBS_BUCKET, TestApp, Wishes};

/// With the page, and nobody in it.
pub async fn empty(change: impl FnOnce(&mut Wishes)) -> TestApp {
    TestApp::start_with(|wishes| {
        wishes.settings.server.viewer = true;
        change(wishes);
    })
    .await
}

/// With the pictures of the demo: 24 persons, 23 of whom have a thumbnail, 200 photos.
pub async fn sampled(change: impl FnOnce(&mut Wishes)) -> TestApp {
    static SAMPLE: LazyLock<Collection> = LazyLock::new(sample);
    let app = empty(change).await;
    let names = SeedNames {
        raw_bucket: RAW_BUCKET.into(),
        thumbs_bucket: THUMBS_BUCKET.into(),
        persons_table: "Persons".into(),
        occurrences_table: "Occurrences".into(),
        photos_table: "Photos".into(),
    };
    seed(app.dynamodb_client(), app.s3_client(), &names, &SAMPLE, &|_| {}).await.expect("the sample");
    app.s3().reset_counts();
    app
}

/// The address of the page.
pub fn page_of(app: &TestApp) -> String {
    format!("http://{}/", app.addr)
}

/// With so many persons, `person-000` first and with the most photos; the first one's photos are `photo-0` and on.
pub async fn with_persons(persons: usize, photos: usize, change: impl FnOnce(&mut Wishes)) -> TestApp {
    let app = empty(change).await;
    let names: Vec<String> = (0..persons).map(|number| format!("person-{number:03}")).collect();
    for (number, name) in names.iter().enumerate() {
        put_thumb(&app, name, number).await;
    }
    for number in 0..photos {
        let photo = format!("photo-{number}");
        put_picture(&app, THUMBS_BUCKET, &format!("faces-thumbs/person-000/{photo}.jpg"), number, 240).await;
        put_picture(&app, RAW_BUCKET, &format!("photos-raw/{photo}.jpg"), number, 900).await;
    }
    app.put_occurrences(
        (0..photos).map(|n| located("person-000", &format!("{n:04}"), &format!("photo-{n}"))),
    )
    .await;
    let count = |number: usize| if number == 0 { persons + photos } else { persons - number };
    app.put_persons(names.iter().enumerate().map(|(n, name)| person(name, &count(n).to_string()))).await;
    app.s3().reset_counts();
    app
}

/// The key of a person's thumbnail.
pub fn thumb_of(person: &str) -> String {
    format!("faces-thumbs/{person}.jpg")
}

/// A thumbnail in one of many colours.
pub async fn put_thumb(app: &TestApp, person: &str, number: usize) {
    put_picture(app, THUMBS_BUCKET, &thumb_of(person), number, 240).await;
}

async fn put_picture(app: &TestApp, bucket: &str, key: &str, number: usize, side: u32) {
    let shade = |step: usize| u8::try_from(number * step % 200 + 30).unwrap();
    let colour = Rgb([shade(37), shade(59), shade(83)]);
    let mut jpeg = Cursor::new(Vec::new());
    RgbImage::from_pixel(side, side, colour).write_to(&mut jpeg, ImageFormat::Jpeg).unwrap();
    app.put_object(bucket, key, jpeg.get_ref()).await;
}
