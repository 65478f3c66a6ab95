//! A person's own pictures as a collection: `DIR/<person>/<pictures>`.
//!
//! Files are told by their content, not by their name. What is not a picture, or cannot be read, is named
//! and skipped; what is hidden is ignored. The originals stay as they are, and stay where they are until
//! they are uploaded.

use std::{
    collections::HashSet,
    ffi::OsStr,
    fs, io,
    path::{Path, PathBuf},
    sync::atomic::{AtomicUsize, Ordering},
};

use bytes::Bytes;
use image::{DynamicImage, ImageDecoder, ImageError, ImageFormat, ImageReader, Limits, imageops::FilterType};

use super::{
    Progress,
    collection::{Collection, Occurrence, Person, Photo, Source, stable_id},
    cores::on_all_cores,
    draw::jpeg,
    jpeg_end,
};

const THUMB_SIDE: u32 = 240;
const THUMB_QUALITY: u8 = 85;
/// The most memory that decoding one picture may take. A file of some kilobytes can claim to be as large as
/// a city.
const MAX_DECODED_BYTES: u64 = 512 * 1024 * 1024;
const MAX_SIDE: u32 = 40_000;

/// What became of a folder.
#[derive(Debug)]
pub struct Import {
    /// The pictures.
    pub collection: Collection,
    /// What was left out, in the order of the paths.
    pub skipped: Vec<Skipped>,
}

/// A file or folder that is not in the collection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Skipped {
    /// Which one.
    pub path: PathBuf,
    /// Why.
    pub reason: String,
}

/// Why a folder cannot be shown at all.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FolderError {
    /// Nothing there, no folder, or no permission.
    #[error("{} cannot be read as a folder; {EXPECTED}", path.display())]
    Unreadable {
        /// The folder.
        path: PathBuf,
        /// What the system answered.
        source: io::Error,
    },
    /// Nobody has a picture.
    #[error("no picture in {}; {EXPECTED}", path.display())]
    NoPictures {
        /// The folder.
        path: PathBuf,
        /// What was found instead.
        skipped: Vec<Skipped>,
    },
}

const EXPECTED: &str = "expected is one sub-folder for each person, with JPEG or PNG files in it";

/// A picture that can be shown.
struct Picture {
    content_type: &'static str,
    extension: &'static str,
    thumb: Bytes,
}

/// Reads all pictures below `dir` with all cores and makes their thumbnails. `progress` is called after each
/// file, from several threads.
pub fn import(dir: &Path, progress: &(dyn Fn(Progress) + Sync)) -> Result<Import, FolderError> {
    let unreadable = |source| FolderError::Unreadable { path: dir.to_owned(), source };
    let mut skipped = Vec::new();
    let mut folders = Vec::new();
    let mut files = Vec::new();
    for path in visible_entries(dir).map_err(unreadable)? {
        if !path.is_dir() {
            skipped.push(skip(path, "not in a person's folder"));
            continue;
        }
        match visible_entries(&path) {
            Ok(entries) if entries.is_empty() => skipped.push(skip(path, "an empty folder")),
            Ok(entries) => {
                files.extend(entries.into_iter().map(|file| (folders.len(), file)));
                folders.push(path);
            }
            Err(error) => skipped.push(skip(path, error.to_string())),
        }
    }

    let done = AtomicUsize::new(0);
    let pictures = on_all_cores(files.len(), |index| {
        let picture = read_picture(&files[index].1);
        progress(Progress { done: done.fetch_add(1, Ordering::Relaxed) + 1, total: files.len() });
        picture
    });

    let mut persons = new_persons(&folders);
    let mut photos = Vec::new();
    for ((person, path), picture) in files.into_iter().zip(pictures) {
        match picture {
            Ok(Picture { content_type, extension, thumb }) => {
                persons[person].occurrences.push(Occurrence::new(photos.len(), thumb));
                let below = path.strip_prefix(dir).unwrap_or(&path);
                let id = stable_id(below.as_os_str().as_encoded_bytes());
                let key = format!("photos-raw/{id}.{extension}");
                photos.push(Photo { id, key, content_type, source: Source::File(path) });
            }
            Err(reason) => skipped.push(skip(path, reason)),
        }
    }
    persons.retain(|person| !person.occurrences.is_empty());
    skipped.sort_by(|one, other| one.path.cmp(&other.path));
    if photos.is_empty() {
        return Err(FolderError::NoPictures { path: dir.to_owned(), skipped });
    }
    Ok(Import { collection: Collection { persons, photos }, skipped })
}

fn skip(path: PathBuf, reason: impl Into<String>) -> Skipped {
    Skipped { path, reason: reason.into() }
}

/// What is in a folder and not hidden, by name.
fn visible_entries(dir: &Path) -> io::Result<Vec<PathBuf>> {
    let mut paths = Vec::new();
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        if !entry.file_name().as_encoded_bytes().starts_with(b".") {
            paths.push(entry.path());
        }
    }
    paths.sort();
    Ok(paths)
}

/// One person for each folder. Two folders whose names become the same are told apart by a number.
fn new_persons(folders: &[PathBuf]) -> Vec<Person> {
    let mut taken = HashSet::new();
    let person = |folder: &PathBuf| {
        let name = safe_name(folder.file_name().unwrap_or_default());
        let mut id = name.clone();
        let mut number = 1;
        while !taken.insert(id.clone()) {
            number += 1;
            id = format!("{name} ({number})");
        }
        Person { id, name, occurrences: Vec::new(), representative: Some(0) }
    };
    folders.iter().map(person).collect()
}

/// A folder's name as an id: valid UTF-8 without control characters.
fn safe_name(name: &OsStr) -> String {
    let safe: String = name.to_string_lossy().chars().filter(|one| !one.is_control()).collect();
    if safe.is_empty() { "unnamed".to_owned() } else { safe }
}

/// Decodes a picture and makes its thumbnail, or says why not.
fn read_picture(path: &Path) -> Result<Picture, String> {
    if path.is_dir() {
        return Err("a folder inside a person's folder".to_owned());
    }
    let file = fs::File::open(path).map_err(|error| error.to_string())?;
    let reader = ImageReader::new(io::BufReader::new(file)).with_guessed_format();
    let reader = reader.map_err(|error| error.to_string())?;
    let (content_type, extension) = match reader.format() {
        Some(ImageFormat::Jpeg) => ("image/jpeg", "jpg"),
        Some(ImageFormat::Png) => ("image/png", "png"),
        _ => return Err("neither a JPEG nor a PNG".to_owned()),
    };
    if extension == "jpg" && !jpeg_end::has_end(&fs::read(path).map_err(|error| error.to_string())?) {
        return Err("a JPEG that was cut off: it has no end".to_owned());
    }
    let thumb = decode_thumb(reader).map_err(|error| error.to_string())?;
    Ok(Picture { content_type, extension, thumb })
}

/// The middle of the picture, upright.
fn decode_thumb<R: io::BufRead + io::Seek>(mut reader: ImageReader<R>) -> Result<Bytes, ImageError> {
    let mut limits = Limits::default();
    limits.max_alloc = Some(MAX_DECODED_BYTES);
    limits.max_image_width = Some(MAX_SIDE);
    limits.max_image_height = Some(MAX_SIDE);
    reader.limits(limits.clone());
    let mut decoder = reader.into_decoder()?;
    // The decoder looks after its own memory; the picture's is ours.
    limits.reserve(decoder.total_bytes())?;
    // A broken orientation is no reason to hide the picture.
    let orientation = decoder.orientation().ok();
    let image = DynamicImage::from_decoder(decoder)?;
    let side = image.width().min(image.height());
    let mut square = image.crop_imm((image.width() - side) / 2, (image.height() - side) / 2, side, side);
    drop(image);
    if side > THUMB_SIDE * 2 {
        // Much faster than the filter below, which then needs to look at few pixels only.
        square = square.thumbnail_exact(THUMB_SIDE * 2, THUMB_SIDE * 2);
    }
    let mut thumb = square.resize_exact(THUMB_SIDE, THUMB_SIDE, FilterType::Triangle);
    if let Some(orientation) = orientation {
        thumb.apply_orientation(orientation);
    }
    Ok(jpeg(thumb, THUMB_QUALITY).into())
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use image::{GenericImageView, Rgb, RgbImage};
    use tempfile::TempDir;

    use super::*;

    fn folder() -> TempDir {
        tempfile::tempdir().unwrap()
    }

    fn write(dir: &TempDir, path: &str, bytes: &[u8]) {
        let path = dir.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }

    /// A JPEG whose upper left quarter is red and whose lower left quarter is blue, on white.
    fn quarters() -> Vec<u8> {
        let image = RgbImage::from_fn(64, 64, |x, y| match (x < 32, y < 32) {
            (true, true) => Rgb([220, 20, 20]),
            (true, false) => Rgb([20, 20, 220]),
            _ => Rgb([255, 255, 255]),
        });
        jpeg(image.into(), 95)
    }

    fn png() -> Vec<u8> {
        let mut bytes = io::Cursor::new(Vec::new());
        RgbImage::new(300, 200).write_to(&mut bytes, ImageFormat::Png).unwrap();
        bytes.into_inner()
    }

    /// Puts an EXIF segment that holds nothing but the orientation behind the start marker.
    fn with_orientation(jpeg: &[u8], orientation: u8) -> Vec<u8> {
        let mut exif = b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0".to_vec();
        exif.extend([orientation, 0, 0, 0, 0, 0, 0]);
        let length = u16::try_from(exif.len() + 2).unwrap().to_be_bytes();
        [&jpeg[..2], &[0xff, 0xe1], &length, &exif, &jpeg[2..]].concat()
    }

    fn import_quietly(dir: &TempDir) -> Result<Import, FolderError> {
        import(dir.path(), &|_| ())
    }

    fn colour_at(thumb: &DynamicImage, x: u32, y: u32) -> char {
        match thumb.get_pixel(x, y).0 {
            [red, _, blue, _] if red > 180 && blue < 80 => 'r',
            [red, _, blue, _] if blue > 180 && red < 80 => 'b',
            _ => '.',
        }
    }

    #[test]
    fn thumbnails_are_upright_in_all_eight_orientations() {
        // Upper left, upper right, lower left, lower right, after the orientation was applied.
        let expected = ["r.b.", ".r.b", ".b.r", "b.r.", "rb..", "br..", "..br", "..rb"];
        let dir = folder();
        for orientation in 1..=8 {
            let bytes = with_orientation(&quarters(), orientation);
            write(&dir, &format!("Ada/{orientation}.jpg"), &bytes);
        }

        let import = import_quietly(&dir).unwrap();

        let thumbs = import.collection.persons[0].occurrences.iter();
        let found: Vec<String> = thumbs
            .map(|occurrence| {
                let thumb = image::load_from_memory(&occurrence.thumb).unwrap();
                assert_eq!(thumb.dimensions(), (THUMB_SIDE, THUMB_SIDE));
                let corners = [(60, 60), (180, 60), (60, 180), (180, 180)];
                corners.map(|(x, y)| colour_at(&thumb, x, y)).into_iter().collect()
            })
            .collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn what_cannot_be_shown_is_named_and_the_rest_is_imported() {
        let dir = folder();
        write(&dir, "Ada/a png.jpg", &png());
        write(&dir, "Ada/broken.jpg", &quarters()[..200]);
        write(&dir, "Ada/deeper/b.jpg", &quarters());
        write(&dir, "Ada/notes.txt", b"notes");
        write(&dir, "Ada/.hidden", b"hidden");
        write(&dir, "Bö/c", &quarters());
        write(&dir, "Only text/notes.txt", b"notes");
        write(&dir, ".git/d.jpg", &quarters());
        write(&dir, "loose.jpg", &quarters());
        fs::create_dir(dir.path().join("Empty")).unwrap();

        let Import { collection, skipped } = import_quietly(&dir).unwrap();

        let persons: Vec<_> = collection.persons.iter().map(|person| person.id.as_str()).collect();
        assert_eq!(persons, ["Ada", "Bö"]);
        let types: Vec<_> = collection.photos.iter().map(|photo| photo.content_type).collect();
        assert_eq!(types, ["image/png", "image/jpeg"]);
        let named: Vec<_> =
            skipped.iter().map(|one| one.path.strip_prefix(dir.path()).unwrap().to_str().unwrap()).collect();
        let expected =
            ["Ada/broken.jpg", "Ada/deeper", "Ada/notes.txt", "Empty", "Only text/notes.txt", "loose.jpg"];
        assert_eq!(named, expected);
        assert_eq!(skipped[2].reason, "neither a JPEG nor a PNG");
    }

    #[test]
    fn ids_stay_the_same_and_names_become_safe_and_distinct() {
        let dir = folder();
        write(&dir, "A\u{1}da/a.jpg", &quarters());
        write(&dir, "Ada/a.jpg", &quarters());

        let (one, two) = (import_quietly(&dir).unwrap(), import_quietly(&dir).unwrap());

        let ids = |import: &Import| -> Vec<String> {
            let persons = import.collection.persons.iter().map(|person| person.id.clone());
            persons.chain(import.collection.photos.iter().map(|photo| photo.id.clone())).collect()
        };
        assert_eq!(ids(&one), ids(&two));
        assert_eq!(ids(&one)[..2], ["Ada", "Ada (2)"]);
        assert_ne!(ids(&one)[2], ids(&one)[3]);
    }

    #[test]
    fn a_picture_that_claims_to_be_huge_is_refused() {
        let mut bomb = png();
        bomb[16..24].copy_from_slice(&[0, 0, 0x90, 0, 0, 0, 0x90, 0]);
        let crc = crc32(&bomb[12..29]);
        bomb[29..33].copy_from_slice(&crc.to_be_bytes());
        let dir = folder();
        write(&dir, "Ada/bomb.png", &bomb);

        let Err(FolderError::NoPictures { skipped, .. }) = import_quietly(&dir) else { panic!() };

        assert!(skipped[0].reason.contains("imit"), "{}", skipped[0].reason);
    }

    fn crc32(bytes: &[u8]) -> u32 {
        !bytes.iter().fold(!0, |crc, byte| {
            (0..8).fold(crc ^ u32::from(*byte), |crc, _| (crc >> 1) ^ (0xedb8_8320 * (crc & 1)))
        })
    }

    #[test]
    fn a_folder_without_pictures_says_what_is_expected() {
        let empty = folder();
        let missing = import(&empty.path().join("missing"), &|_| ()).unwrap_err().to_string();
        let empty = import_quietly(&empty).unwrap_err().to_string();

        for text in [missing, empty] {
            assert!(text.contains("one sub-folder for each person"), "{text}");
        }
    }

    #[test]
    fn progress_reaches_the_total() {
        let dir = folder();
        for number in 0..9 {
            write(&dir, &format!("Ada/{number}.jpg"), &quarters());
        }
        let seen = Mutex::new(Vec::new());

        import(dir.path(), &|progress| seen.lock().unwrap().push(progress)).unwrap();

        let seen = seen.into_inner().unwrap();
        assert_eq!(seen.len(), 9);
        assert!(seen.contains(&Progress { done: 9, total: 9 }));
    }
}
