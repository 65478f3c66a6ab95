use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering as Atomic};

use futures_util::FutureExt;
use futures_util::future::join_all;
use proptest::prelude::*;

use super::*;
use crate::catalog::{CatalogError, FailureKind};

const FRESH: Duration = Duration::from_secs(5);

fn shared_ranking(options: impl FnOnce(&mut RankingOptions)) -> (Arc<SharedRanking>, Clock) {
    let clock = Clock::manual(Timestamp::from_second(1_790_000_000).unwrap());
    let mut settings = RankingOptions { fresh: FRESH, memory: 1 << 20, deadline: Duration::from_secs(60) };
    options(&mut settings);
    (Arc::new(SharedRanking::new(settings, clock.clone(), Metrics::default())), clock)
}

fn position(count: i128, id: &str) -> Position {
    (PhotoCount::Whole(count), PersonId::from_row(id.into()).unwrap())
}

fn person((count, id): &Position) -> Person {
    Person { id: id.clone(), photo_count: *count, rep_thumb_key: Some("faces-thumbs/1.jpg".into()) }
}

/// The persons of a table, `p000` to the last, in an order of their own.
#[derive(Default)]
struct Table {
    persons: AtomicUsize,
    scans: AtomicU32,
}

impl Table {
    fn of(persons: usize) -> Arc<Self> {
        Arc::new(Self { persons: persons.into(), scans: AtomicU32::new(0) })
    }

    fn scan(self: &Arc<Self>, mut gathering: Gathering) -> impl Future<Output = Gathered> + Send + use<> {
        let table = Arc::clone(self);
        async move {
            table.scans.fetch_add(1, Atomic::SeqCst);
            tokio::task::yield_now().await;
            let persons = table.persons.load(Atomic::SeqCst);
            let numbers = (0..persons).rev().step_by(2).chain((0..persons).rev().skip(1).step_by(2));
            numbers.for_each(|number| gathering.add(person(&of_number(number))));
            Ok(gathering)
        }
    }

    fn scans(&self) -> u32 {
        self.scans.load(Atomic::SeqCst)
    }
}

type Gathered = Result<Gathering, GalleryError>;

fn of_number(number: usize) -> Position {
    position(i128::try_from(number % 7).unwrap(), &format!("p{number:03}"))
}

fn ids(part: &Part) -> Vec<&str> {
    part.persons.iter().map(|person| person.id.as_str()).collect()
}

fn failing() -> GalleryError {
    CatalogError { kind: FailureKind::Unavailable, operation: "Scan", answer: None, source: None }.into()
}

/// All identifiers, from the first page to the last.
async fn walk(ranking: &Arc<SharedRanking>, table: &Arc<Table>, limit: usize) -> Vec<String> {
    let (mut seen, mut after) = (Vec::new(), None);
    loop {
        let part = ranking.part(after.as_ref(), limit, |gathering| table.scan(gathering)).await.unwrap();
        seen.extend(ids(&part).into_iter().map(str::to_owned));
        match part.persons.last() {
            Some(last) if part.has_more => after = Some((last.photo_count, last.id.clone())),
            _ => return seen,
        }
    }
}

fn ranked(persons: usize) -> Vec<String> {
    let mut all: Vec<_> = (0..persons).map(of_number).map(|(count, id)| (Reverse(count), id)).collect();
    all.sort();
    all.into_iter().map(|(_, id)| id.as_str().to_owned()).collect()
}

#[tokio::test]
async fn different_pages_at_once_and_one_after_another_are_one_scan() {
    let (ranking, clock) = shared_ranking(|_| {});
    let table = Table::of(100);

    let parts =
        join_all((1..50).map(|limit| ranking.part(None, limit, |gathering| table.scan(gathering)))).await;
    clock.advance(Duration::from_secs(4));
    let after = of_number(6);
    let later = ranking.part(Some(&after), 3, |gathering| table.scan(gathering)).await.unwrap();

    for (limit, part) in (1..50).zip(&parts) {
        assert_eq!(ids(part.as_ref().unwrap()), ranked(100)[..limit]);
    }
    assert_eq!(ids(&later), ["p013", "p020", "p027"]);
    assert_eq!(table.scans(), 1);
}

#[tokio::test]
async fn it_is_read_anew_when_it_is_as_old_as_an_answer_may_be() {
    let (ranking, clock) = shared_ranking(|_| {});
    let table = Table::of(3);
    let first = ranking.part(None, 9, |gathering| table.scan(gathering)).await.unwrap();
    table.persons.store(5, Atomic::SeqCst);
    clock.advance(FRESH);

    let second = ranking.part(None, 9, |gathering| table.scan(gathering)).await.unwrap();

    assert_eq!((first.persons.len(), second.persons.len()), (3, 5));
    assert_eq!(second.read_at, first.read_at + FRESH);
}

#[tokio::test]
async fn a_clock_that_is_set_back_makes_it_no_younger() {
    let (ranking, clock) = shared_ranking(|_| {});
    let table = Table::of(3);
    ranking.part(None, 9, |gathering| table.scan(gathering)).await.unwrap();
    let Clock::Manual(second) = &clock else { panic!("a manual clock") };
    second.fetch_sub(1, Atomic::SeqCst);

    ranking.part(None, 9, |gathering| table.scan(gathering)).await.unwrap();

    assert_eq!(table.scans(), 2);
}

#[tokio::test]
async fn without_reuse_each_page_scans_for_itself() {
    let (ranking, _) = shared_ranking(|options| options.fresh = Duration::ZERO);
    let table = Table::of(100);
    let parts = join_all((0..4).map(|_| ranking.part(None, 9, |gathering| table.scan(gathering)))).await;

    assert!(parts.iter().all(|part| part.as_ref().unwrap().has_more));
    assert_eq!(table.scans(), 4);
    assert!(lock(&ranking.present).is_none());
}

#[tokio::test]
async fn a_failure_is_shared_by_those_who_wait_and_forgotten() {
    let (ranking, _) = shared_ranking(|_| {});
    let scans = AtomicU32::new(0);
    let fails = |_| {
        scans.fetch_add(1, Atomic::SeqCst);
        async {
            tokio::task::yield_now().await;
            Err(failing())
        }
    };

    let parts = join_all((1..20).map(|limit| ranking.part(None, limit, fails))).await;

    assert!(
        parts.iter().all(|part| matches!(part.as_ref().err().unwrap().as_ref(), GalleryError::Catalog(_)))
    );
    assert_eq!(scans.load(Atomic::SeqCst), 1);
    let table = Table::of(3);
    assert!(ranking.part(None, 9, |gathering| table.scan(gathering)).await.is_ok());
}

#[tokio::test]
async fn a_scan_without_an_end_ends_at_its_deadline() {
    let (ranking, _) = shared_ranking(|options| options.deadline = Duration::from_millis(1));
    let never = |_| std::future::pending::<Gathered>();

    let part = ranking.part(None, 9, never).await;

    assert!(matches!(*part.err().unwrap(), GalleryError::DeadlineExceeded));
}

#[tokio::test]
async fn who_waited_for_a_scan_that_panics_is_served_by_the_next() {
    let (ranking, _) = shared_ranking(|_| {});
    let (table, scans) = (Table::of(9), AtomicU32::new(0));
    let first_panics = |gathering| {
        let is_first = scans.fetch_add(1, Atomic::SeqCst) == 0;
        let scan = table.scan(gathering);
        async move {
            tokio::task::yield_now().await;
            assert!(!is_first, "the first scan panics, for a test");
            scan.await
        }
    };

    let parts = join_all((1..20).map(|limit| ranking.part(None, limit, first_panics))).await;

    assert!(parts.iter().all(Result::is_ok));
    assert_eq!(scans.load(Atomic::SeqCst), 2);
}

#[tokio::test]
async fn scans_that_always_panic_are_given_up() {
    let (ranking, _) = shared_ranking(|_| {});
    let panics = |_| async { panic!("a scan that panics, for a test") };

    let part = ranking.part(None, 9, panics).await;

    assert!(matches!(*part.err().unwrap(), GalleryError::BrokenOff));
}

#[test]
fn who_waits_for_a_scan_whose_thread_ends_starts_again() {
    let (ranking, _) = shared_ranking(|_| {});
    let table = Table::of(9);
    let runtime = || tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let ending = runtime();
    ending.block_on(async { drop(ranking.read(|_| std::future::pending::<Gathered>())) });

    let part = runtime().block_on(async {
        let mut waiting = std::pin::pin!(ranking.part(None, 9, |gathering| table.scan(gathering)));
        assert!(waiting.as_mut().now_or_never().is_none(), "it joined the scan");
        assert_eq!(table.scans(), 0);
        std::thread::spawn(|| drop(ending)).join().unwrap();
        waiting.await
    });

    assert_eq!(part.unwrap().persons.len(), 9);
}

#[tokio::test]
async fn the_whole_ranking_is_seen_once_wherever_pages_and_memory_end() {
    let one = PERSON_BYTES + "p000".len() + "faces-thumbs/1.jpg".len();
    for persons in [0, 1, 2, 99, 100] {
        for memory in [0, one - 1, one, 50 * one, 100 * one, 1 << 20] {
            for limit in [1, 7, 99, 100, 500] {
                let (ranking, _) = shared_ranking(|options| options.memory = memory);
                let table = Table::of(persons);

                let seen = walk(&ranking, &table, limit).await;

                assert_eq!(seen, ranked(persons), "{persons} persons by {limit} in {memory} bytes");
                let fits = persons * one <= memory;
                assert_eq!(table.scans() == 1, fits, "{persons} persons by {limit} in {memory} bytes");
                assert!(lock(&ranking.present).as_ref().unwrap().bytes <= memory);
            }
        }
    }
}

#[tokio::test]
async fn pages_of_a_ranking_that_is_too_large_come_from_its_head_as_far_as_that_reaches() {
    let one = PERSON_BYTES + "p000".len() + "faces-thumbs/1.jpg".len();
    let (ranking, _) = shared_ranking(|options| options.memory = 50 * one);
    let table = Table::of(100);

    for limit in [1, 10, 49] {
        ranking.part(None, limit, |gathering| table.scan(gathering)).await.unwrap();
    }

    assert_eq!(table.scans(), 1);
    ranking.part(None, 50, |gathering| table.scan(gathering)).await.unwrap();
    assert_eq!(table.scans(), 2, "whether others follow is not in memory");
}

#[tokio::test]
async fn a_page_behind_the_head_does_not_wait_for_the_head_to_be_read() {
    let one = PERSON_BYTES + "p000".len() + "faces-thumbs/1.jpg".len();
    let (ranking, clock) = shared_ranking(|options| options.memory = 50 * one);
    let table = Table::of(100);
    let first = ranking.part(None, 49, |gathering| table.scan(gathering)).await.unwrap();
    clock.advance(FRESH);
    let end = ranked(100)[49].clone();
    let end = (0..100).map(of_number).find(|(_, id)| id.as_str() == end).unwrap();

    let behind = ranking.part(Some(&end), 9, |gathering| table.scan(gathering)).await.unwrap();

    assert_eq!(
        (first.persons.len(), ids(&behind)),
        (49, ranked(100)[50..59].iter().map(String::as_str).collect())
    );
    assert_eq!(table.scans(), 2, "one for the head, one for the page");
}

#[tokio::test]
async fn few_pages_scan_alone_at_once() {
    let (ranking, _) = shared_ranking(|options| options.fresh = Duration::ZERO);
    let (now, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let table = Table::of(9);
    let counted = |gathering| {
        let scan = table.scan(gathering);
        let (now, most) = (Arc::clone(&now), Arc::clone(&most));
        async move {
            most.fetch_max(now.fetch_add(1, Atomic::SeqCst) + 1, Atomic::SeqCst);
            let gathered = scan.await;
            now.fetch_sub(1, Atomic::SeqCst);
            gathered
        }
    };

    let parts = join_all((1..50).map(|limit| ranking.part(None, limit, counted))).await;

    assert!(parts.iter().all(Result::is_ok));
    assert_eq!(most.load(Atomic::SeqCst), SCANS_ALONE);
}

proptest! {
    #[test]
    fn a_gathering_never_holds_more_than_there_is_room_for(
        rows in proptest::collection::vec((0_i128..5, "[a-z]{1,40}"), 0..200),
        most_persons in 0_usize..60, most_bytes in 0_usize..9000,
    ) {
        let room = Room { persons: most_persons, bytes: most_bytes };
        let mut gathering = Gathering::new(Some(position(3, "m")), room);
        for (count, id) in &rows {
            gathering.add(person(&position(*count, id)));
            prop_assert!(gathering.first.len() <= most_persons && gathering.bytes <= most_bytes);
            prop_assert_eq!(gathering.bytes, gathering.first.iter().map(Ranked::bytes).sum::<usize>());
        }
        let ranking = gathering.into_ranking(Timestamp::UNIX_EPOCH);
        let mut all: Vec<_> = rows.iter().map(|(count, id)| (Reverse(*count), id.as_str())).collect();
        all.retain(|row| *row > (Reverse(3), "m"));
        all.sort_unstable();
        let kept: Vec<_> = ranking.persons.iter().map(|Ranked(person)| (person.photo_count, person.id.as_str())).collect();
        let head: Vec<_> = all[..kept.len()].iter().map(|(Reverse(count), id)| (PhotoCount::Whole(*count), *id)).collect();
        prop_assert_eq!(ranking.is_whole, kept.len() == all.len());
        prop_assert_eq!(kept, head);
    }
}
