//! `beetroot-api demo`, as a newcomer starts it.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use futures_util::stream::{self, StreamExt};
use serde_json::Value;

use super::process::program;

struct Demo {
    process: Child,
    /// What it printed up to its last line.
    guide: String,
    service: String,
}

impl Demo {
    fn start(arguments: &[&str]) -> Self {
        let mut process = program()
            .args(["demo", "--port", "0"])
            .args(arguments)
            .env("RUST_LOG", "warn")
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut guide = String::new();
        for line in BufReader::new(process.stdout.as_mut().unwrap()).lines() {
            let line = line.unwrap();
            guide.push_str(&line);
            guide.push('\n');
            if line.starts_with("Ctrl-C") {
                break;
            }
        }
        let service = guide.lines().find_map(|line| line.strip_prefix("  service   "));
        let Some(service) = service.map(str::to_owned) else {
            let mut told = String::new();
            process.stderr.take().unwrap().read_to_string(&mut told).unwrap();
            panic!("no demo: {guide}\n{told}");
        };
        Self { process, guide, service }
    }

    async fn get(&self, path: &str) -> Value {
        reqwest::get(format!("{}{path}", self.service)).await.unwrap().json().await.unwrap()
    }

    /// Ctrl-C; gives what it told on standard error.
    fn interrupt(mut self) -> String {
        assert!(
            Command::new("kill").args(["-INT", &self.process.id().to_string()]).status().unwrap().success()
        );
        let mut told = String::new();
        self.process.stderr.take().unwrap().read_to_string(&mut told).unwrap();
        assert_eq!(self.process.wait().unwrap().code(), Some(0), "{told}");
        told
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        // a test that failed leaves it running; one that did not has ended it
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[actix_web::test]
async fn the_sample_is_complete_and_every_picture_is_fetched_by_its_url() {
    let demo = Demo::start(&[]);
    let persons = demo.get("/persons").await;
    let persons = persons["persons"].as_array().unwrap();
    assert_eq!(persons.len(), 24);
    assert_eq!(persons.iter().filter(|person| person["repThumbURL"].is_null()).count(), 1);

    let mut urls = BTreeSet::new();
    let mut persons_of_photo: BTreeMap<String, usize> = BTreeMap::new();
    for person in persons {
        let id = person["personId"].as_str().unwrap();
        let photos = demo.get(&format!("/persons/{id}/photos")).await;
        let photos = photos["photos"].as_array().unwrap();
        assert_eq!(person["photoCount"], photos.len());
        for photo in photos {
            *persons_of_photo.entry(photo["photoId"].as_str().unwrap().to_owned()).or_default() += 1;
            urls.extend(["photoURL", "thumbURL"].map(|name| photo[name].as_str().unwrap().to_owned()));
        }
    }
    assert_eq!(persons_of_photo.len(), 200);
    assert_eq!(persons_of_photo.values().filter(|persons| **persons == 2).count(), 1);

    let pictures = stream::iter(&urls).map(|url| async move {
        let picture = reqwest::get(url).await.unwrap();
        assert_eq!(picture.status(), 200);
        assert_eq!(picture.headers()["content-type"], "image/jpeg");
        picture.bytes().await.unwrap()
    });
    let pictures: Vec<_> = pictures.buffer_unordered(8).collect().await;
    assert_eq!(pictures.len(), 401);
    for picture in pictures {
        image::load_from_memory_with_format(&picture, image::ImageFormat::Jpeg)
            .expect("a picture that decodes");
    }
    demo.interrupt();
}

#[actix_web::test]
async fn the_printed_curl_lines_work_when_pasted() {
    let dir = tempfile::tempdir().unwrap();
    let demo = Demo::start(&["--photos", album(dir.path()).to_str().unwrap()]);
    let lines: Vec<_> = demo
        .guide
        .lines()
        .filter_map(|line| line.strip_prefix("  "))
        .filter(|line| line.starts_with("curl"))
        .collect();
    assert_eq!(lines.len(), 3, "{}", demo.guide);
    let run = |line: &str| {
        let output = Command::new("sh").args(["-c", line]).current_dir(dir.path()).output().unwrap();
        assert!(output.status.success(), "{line}: {output:?}");
        output.stdout
    };
    assert_eq!(
        serde_json::from_slice::<Value>(&run(lines[0])).unwrap()["persons"][0]["personId"],
        "Zoë & co"
    );
    assert_eq!(
        serde_json::from_slice::<Value>(&run(lines[1])).unwrap()["photos"].as_array().unwrap().len(),
        2
    );
    run(lines[2]);
    assert!(image::open(dir.path().join("picture.jpg")).is_ok());
    demo.interrupt();
}

#[actix_web::test]
async fn the_page_is_where_the_guide_says_and_may_load_the_demos_pictures() {
    let dir = tempfile::tempdir().unwrap();
    let demo = Demo::start(&["--photos", album(dir.path()).to_str().unwrap()]);
    let address = demo.guide.lines().map(str::trim).find(|line| line.starts_with("http://")).unwrap();
    let s3 = demo.guide.lines().find_map(|line| line.strip_prefix("  S3        ")).unwrap();

    let page = reqwest::get(address).await.unwrap();

    assert_eq!(page.status(), 200);
    assert_eq!(page.headers()["content-type"], "text/html; charset=utf-8");
    let policy = page.headers()["content-security-policy"].to_str().unwrap();
    assert!(policy.contains(&format!("img-src 'self' {s3};")), "{policy}");
    demo.interrupt();
}

/// Two persons, three pictures of two formats, a broken one and a text.
fn album(dir: &Path) -> std::path::PathBuf {
    let album = dir.join("album");
    for (file, width, height) in
        [("Zoë & co/1.jpg", 300, 200), ("Zoë & co/2.png", 20, 400), ("ben/3.JPG", 64, 64)]
    {
        let path = album.join(file);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        image::RgbImage::from_pixel(width, height, image::Rgb([180, 30, 70])).save(path).unwrap();
    }
    std::fs::write(album.join("ben/broken.jpg"), b"\xff\xd8\xff\xe0 not a picture").unwrap();
    std::fs::write(album.join("ben/notes.txt"), b"hello").unwrap();
    album
}

#[actix_web::test]
async fn a_persons_own_folder_is_shown_and_what_is_skipped_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let demo = Demo::start(&["--photos", album(dir.path()).to_str().unwrap()]);
    assert!(demo.guide.contains("2 persons, 3 photos"), "{}", demo.guide);
    let photos = demo.get("/persons/ben/photos").await;
    let thumb =
        reqwest::get(photos["photos"][0]["thumbURL"].as_str().unwrap()).await.unwrap().bytes().await.unwrap();
    let thumb = image::load_from_memory(&thumb).unwrap();
    assert_eq!((thumb.width(), thumb.height()), (240, 240));
    let original = std::fs::read(dir.path().join("album/ben/3.JPG")).unwrap();
    let photo =
        reqwest::get(photos["photos"][0]["photoURL"].as_str().unwrap()).await.unwrap().bytes().await.unwrap();
    assert_eq!(photo, original, "the original bytes");

    let told = demo.interrupt();

    assert!(told.contains("skipped ") && told.contains("broken.jpg") && told.contains("notes.txt"), "{told}");
}

#[test]
fn a_folder_without_pictures_and_a_port_that_is_taken_are_told() {
    let dir = tempfile::tempdir().unwrap();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let (empty, missing) = (dir.path().to_str().unwrap(), dir.path().join("missing"));
    for (arguments, expected) in [
        (vec!["--port", "0", "--photos", empty], "one sub-folder for each person"),
        (vec!["--port", "0", "--photos", missing.to_str().unwrap()], "cannot be read"),
        (vec!["--port", &port], port.as_str()),
        (vec!["--port", "0", "--s3-port", &port], port.as_str()),
        (vec!["--port", "0", "--dynamodb-port", &port], port.as_str()),
    ] {
        let output = program().arg("demo").args(&arguments).output().unwrap();
        let told = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{arguments:?}: {told}");
        assert!(told.contains(expected), "{arguments:?}: {told}");
    }
}
