//! Memory is bounded by bytes, not by counting on good manners.

use std::process::Command;

use futures_util::stream::{self, StreamExt};

use super::rows::located;
use super::served::{Served, emulated_tables};
use super::test_app::put_all;

const PERSONS: usize = 20_000;
const CACHE_MEMORY_KIB: u64 = 64 * 1024;
/// What everything else may take: code, connections, allocator.
const REST_KIB: u64 = 100_000;

fn resident_kib(process: u32) -> u64 {
    let output = Command::new("ps").args(["-o", "rss=", "-p", &process.to_string()]).output().unwrap();
    String::from_utf8(output.stdout).unwrap().trim().parse().expect("kibibytes")
}

#[actix_web::test]
async fn twenty_thousand_different_pages_stay_within_their_memory() {
    let (emulators, client) = emulated_tables().await;
    let rows = (0..PERSONS).flat_map(|number| {
        ["1", "2"].map(|one| located(&format!("p{number}"), one, &format!("{number}-{one}")))
    });
    put_all(&client, "Occurrences", rows).await;

    // a token as long as those of roles
    let served = Served::start(&emulators, &[("AWS_SESSION_TOKEN", &"x".repeat(900)), ("RUST_LOG", "info")]);
    let before = resident_kib(served.id());

    let client = reqwest::Client::new();
    let mut most = before;
    let mut bytes = 0;
    for thousand in 0..PERSONS / 1000 {
        let pages = stream::iter(thousand * 1000..(thousand + 1) * 1000).map(|number| {
            let page = client
                .get(format!("http://{}/persons/p{number}/photos", served.address))
                .header("accept-encoding", "gzip");
            async move {
                let answer = page.send().await.unwrap();
                assert_eq!(answer.status(), 200);
                answer.bytes().await.unwrap().len()
            }
        });
        bytes += pages.buffer_unordered(8).fold(0, |sum, bytes| async move { sum + bytes }).await;
        most = most.max(resident_kib(served.id()));
    }

    let lines = served.end().len();
    println!("{PERSONS} pages, {bytes} bytes compressed, {lines} lines of log");
    println!(
        "resident: {before} KiB at the start, {most} KiB at most; cache.memory is {CACHE_MEMORY_KIB} KiB"
    );
    assert!(most <= CACHE_MEMORY_KIB + REST_KIB, "{most} KiB");
}
