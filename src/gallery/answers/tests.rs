use std::sync::atomic::{AtomicU32, Ordering};

use futures_util::FutureExt;
use futures_util::future::join_all;

use super::*;
use crate::catalog::{CatalogError, FailureKind};
use crate::gallery::PageRequest;

const FRESH: Duration = Duration::from_secs(5);
const PLACES: usize = 8;

fn answers(memory: usize) -> (Arc<Answers>, Clock) {
    let clock = Clock::manual(Timestamp::from_second(1_790_000_000).unwrap());
    let options = AnswerOptions {
        fresh: FRESH,
        stale: Duration::from_secs(30),
        memory,
        deadline: Duration::from_secs(5),
        places: PLACES,
    };
    (Arc::new(Answers::new(options, clock.clone(), Metrics::default())), clock)
}

fn key(limit: usize) -> PageKey {
    PageKey::Persons(PageRequest { limit, cursor: None })
}

fn page(text: &str) -> Result<Page, Arc<GalleryError>> {
    Ok(Page::of(&text, None)?)
}

type Got = Result<Rendered, Arc<GalleryError>>;

fn text_of(outcome: &Got) -> String {
    let rendered = outcome.as_ref().unwrap();
    serde_json::from_slice(&rendered.body(Coding::Identity).0.bytes).unwrap()
}

fn failing() -> Arc<GalleryError> {
    let error =
        CatalogError { kind: FailureKind::Unavailable, operation: "Scan", answer: None, source: None };
    GalleryError::from(error).into()
}

#[tokio::test]
async fn a_load_that_panics_strands_nobody() {
    let (answers, _) = answers(1 << 20);
    let loads = Arc::new(AtomicU32::new(0));
    let panicking = || {
        let loads = Arc::clone(&loads);
        async move {
            loads.fetch_add(1, Ordering::SeqCst);
            tokio::task::yield_now().await;
            panic!("a load that panics, for a test");
        }
    };

    let wanted = key(1);
    let outcomes = join_all((0..100).map(|_| answers.get(&wanted, panicking))).await;

    let broken_off =
        |outcome: &Got| matches!(outcome, Err(error) if matches!(**error, GalleryError::BrokenOff));
    assert!(outcomes.iter().all(broken_off));
    assert_eq!(loads.load(Ordering::SeqCst), 2, "once, and once more for those who waited");
    let next = answers.get(&key(1), || async { page("good") }).await;
    assert_eq!(text_of(&next), "good", "the page is free");
}

#[tokio::test]
async fn who_waited_for_a_panic_is_served_by_the_next_load() {
    let (answers, _) = answers(1 << 20);
    let loads = Arc::new(AtomicU32::new(0));
    let first_panics = || {
        let number = loads.fetch_add(1, Ordering::SeqCst);
        async move {
            tokio::task::yield_now().await;
            assert!(number > 0, "the first load panics, for a test");
            page("second")
        }
    };

    let wanted = key(1);
    let outcomes = join_all((0..100).map(|_| answers.get(&wanted, first_panics))).await;

    assert!(outcomes.iter().all(|outcome| text_of(outcome) == "second"));
    assert_eq!(loads.load(Ordering::SeqCst), 2);
}

#[test]
fn who_waits_for_a_thread_that_ends_starts_again() {
    let (answers, _) = answers(1 << 20);
    let runtime = || tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let ending = runtime();
    // its loads never end, and are dropped with it
    let never = std::future::pending::<Result<Page, Arc<GalleryError>>>;
    ending.block_on(async { drop(answers.refill(&key(1), never)) });

    let outcome = runtime().block_on(async {
        let (wanted, load) = (key(1), || async { page("from the other thread") });
        let mut waiting = std::pin::pin!(answers.get(&wanted, load));
        assert!(waiting.as_mut().now_or_never().is_none(), "it joined the refill");
        std::thread::spawn(|| drop(ending)).join().unwrap();
        waiting.await
    });

    assert_eq!(text_of(&outcome), "from the other thread");
}

#[test]
fn threads_that_want_the_same_page_share_one_load() {
    let (answers, _) = answers(1 << 20);
    let loads = Arc::new(AtomicU32::new(0));
    let threads: Vec<_> = (0..8)
        .map(|_| {
            let (answers, loads) = (Arc::clone(&answers), Arc::clone(&loads));
            std::thread::spawn(move || {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
                runtime.block_on(async {
                    let load = || {
                        loads.fetch_add(1, Ordering::SeqCst);
                        async {
                            tokio::time::sleep(Duration::from_millis(50)).await;
                            page("shared")
                        }
                    };
                    let key = key(1);
                    join_all((0..50).map(|_| answers.get(&key, load)))
                        .await
                        .iter()
                        .map(text_of)
                        .collect::<Vec<_>>()
                })
            })
        })
        .collect();
    for thread in threads {
        assert!(thread.join().unwrap().iter().all(|text| text == "shared"));
    }
    assert_eq!(loads.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn who_finds_the_waiting_line_full_is_refused_at_once_and_nobody_else() {
    let (answers, _) = answers(1 << 20);
    let (made, done) = tokio::sync::watch::channel(false);
    let load = || {
        let mut done = done.clone();
        async move {
            let _ = done.wait_for(|done| *done).await;
            page("made")
        }
    };
    let keys: Vec<_> = (1..=PLACES * (1 + WAITING_FOR_EACH)).map(key).collect();
    let mut waiting = std::pin::pin!(join_all(keys.iter().map(|key| answers.get(key, &load))));
    assert!(waiting.as_mut().now_or_never().is_none());

    let outcome = answers.get(&key(0), load).now_or_never();

    let refused = outcome.expect("at once").unwrap_err();
    assert!(matches!(*refused, GalleryError::Overloaded));
    made.send(true).unwrap();
    assert!(waiting.await.iter().all(|outcome| text_of(outcome) == "made"));
    answers.get(&key(0), load).await.unwrap();
}

#[tokio::test]
async fn refreshes_that_nobody_waits_for_are_in_the_waiting_line_as_well() {
    let (answers, clock) = answers(1 << 20);
    let keys: Vec<_> = (1..=PLACES * (1 + WAITING_FOR_EACH)).map(key).collect();
    for key in &keys {
        answers.get(key, || async { page("stale") }).await.unwrap();
    }
    clock.advance(FRESH);
    for key in &keys {
        let given = answers.get(key, std::future::pending).await;
        assert_eq!(text_of(&given), "stale");
    }

    let outcome = answers.get(&key(0), std::future::pending).now_or_never();

    let refused = outcome.expect("at once").unwrap_err();
    assert!(matches!(*refused, GalleryError::Overloaded));
}

#[tokio::test]
async fn an_answer_gets_no_younger_by_a_refresh_that_finds_no_place() {
    let (answers, clock) = answers(1 << 20);
    answers.get(&key(1), || async { page("old") }).await.unwrap();
    clock.advance(FRESH + Duration::from_secs(30));

    let outcome = answers.get(&key(1), || async { Err(GalleryError::Overloaded.into()) }).await;

    assert!(matches!(*outcome.unwrap_err(), GalleryError::Overloaded));
    assert_eq!(answers.state(&answers.stored.peek(&key(1)).unwrap()), State::Expired);
}

#[tokio::test]
async fn a_clock_that_is_set_back_makes_an_answer_no_younger() {
    let (answers, clock) = answers(1 << 20);
    answers.get(&key(1), || async { page("old") }).await.unwrap();
    let Clock::Manual(second) = &clock else { panic!("a manual clock") };
    second.fetch_sub(3600, Ordering::SeqCst);

    let next = answers.get(&key(1), || async { page("new") }).await;

    assert_eq!(text_of(&next), "new");
}

#[tokio::test]
async fn an_answer_is_as_old_as_what_it_says() {
    let (answers, clock) = answers(1 << 20);
    let read_at = clock.now();
    clock.advance(Duration::from_secs(4));
    let old = || async move { Ok(page("old")?.of_what_was_read(read_at)) };
    answers.get(&key(1), old).await.unwrap();
    let state = || answers.state(&answers.stored.peek(&key(1)).unwrap());
    assert_eq!(state(), State::Fresh);

    clock.advance(Duration::from_secs(1));

    assert_eq!(state(), State::Stale);
    clock.advance(Duration::from_secs(30));
    assert_eq!(state(), State::Expired);
}

#[tokio::test]
async fn a_cursor_that_is_refused_anew_ends_the_present_answer() {
    let (answers, clock) = answers(1 << 20);
    answers.get(&key(1), || async { page("old") }).await.unwrap();
    clock.advance(Duration::from_mins(1));
    let kept = answers.get(&key(1), || async { Err(failing()) }).await;
    assert_eq!(text_of(&kept), "old");
    clock.advance(Duration::from_mins(1));

    let refused = answers.get(&key(1), || async { Err(GalleryError::Cursor.into()) }).await;

    assert!(matches!(*refused.unwrap_err(), GalleryError::Cursor));
    let failed = answers.get(&key(1), || async { Err(failing()) }).await;
    assert!(matches!(*failed.unwrap_err(), GalleryError::Catalog(_)), "nothing is left to be kept");
}

#[tokio::test]
async fn a_weight_is_that_of_all_bodies_and_of_the_key() {
    let (answers, _) = answers(8 << 20);
    let text = "a text that compresses ".repeat(1000);
    let rendered =
        answers.get(&key(1), || async { page(&"a text that compresses ".repeat(1000)) }).await.unwrap();
    let plain = answers.stored.weight();
    assert!(plain > text.len() as u64 && plain < text.len() as u64 + 2048, "{plain}");

    let (body, heavier) = rendered.body(Coding::Gzip);
    assert!(heavier);
    answers.weigh_again(&key(1), &rendered, Coding::Gzip);

    assert_eq!(answers.stored.weight(), plain + body.bytes.len() as u64);
    assert!(!rendered.body(Coding::Gzip).1, "made once");
    let long = PageKey::Persons(PageRequest { limit: 1, cursor: Some("x".repeat(5000)) });
    let before = answers.stored.weight();
    answers.get(&long, || async { page("") }).await.unwrap();
    assert!(answers.stored.weight() > before + 5000);
}

#[tokio::test]
async fn pages_of_all_sizes_stay_within_the_memory() {
    for memory in [512 << 10, 32 << 20] {
        let (answers, _) = answers(memory);
        for number in 0..200 {
            let size = 1 << (fastrand::u32(0..21));
            answers.get(&key(number), || async move { page(&"x".repeat(size)) }).await.unwrap();
            assert!(answers.stored.weight() <= memory as u64, "{} of {memory}", answers.stored.weight());
        }
        assert!(answers.stored.weight() > memory as u64 / 4, "{} of {memory}", answers.stored.weight());
    }
}

#[test]
fn the_largest_pages_have_a_place_in_the_default_memory() {
    let (answers, _) = answers(24 << 20);
    assert!(answers.stored.shard_capacity() >= 8 << 20, "{}", answers.stored.shard_capacity());
}
