//! The sample collection: 24 persons in 200 photos, drawn by this program, the same bytes at every start.

use bytes::Bytes;
use fastrand::Rng;

use super::{
    collection::{Collection, Occurrence, Person, Photo, Source, stable_id},
    cores::on_all_cores,
    draw::{Canvas, Look, Pose, draw_backdrop, draw_portrait, draw_scenery},
};

/// First names with the number of photos in which the person is. They add up to [`PHOTOS`].
const PERSONS: [(&str, usize); 24] = [
    ("Amara", 24),
    ("Noah", 20),
    ("Mei", 17),
    ("Luca", 15),
    ("Freya", 14),
    ("Tariq", 12),
    ("Olga", 11),
    ("Mateo", 10),
    ("Zoe", 9),
    ("Kofi", 9),
    ("Hanna", 8),
    ("Ravi", 7),
    ("Ines", 7),
    ("Emil", 6),
    ("Yuki", 6),
    ("Samir", 5),
    ("Clara", 4),
    ("Diego", 4),
    ("Leila", 3),
    ("Jonas", 3),
    ("Nia", 2),
    ("Anton", 2),
    ("Sofia", 1),
    ("Bruno", 1),
];
const PHOTOS: usize = 200;
/// The photo in which the second person is as well.
const SHARED_PHOTO: usize = 0;
/// The person whose row holds an empty `repThumbKey`.
const WITHOUT_THUMB: usize = 20;

const PHOTO_SIZE: (usize, usize) = (600, 400);
const THUMB_SIDE: usize = 240;
const PHOTO_QUALITY: u8 = 82;
const THUMB_QUALITY: u8 = 85;

/// Draws the sample with all cores. It takes some seconds in a build without optimisation.
pub fn sample() -> Collection {
    let owners = owners();
    assemble(on_all_cores(PHOTOS, |photo| draw(photo, &people_in(photo, owners[photo]))))
}

/// The person for each photo.
fn owners() -> Vec<usize> {
    let persons = PERSONS.iter().enumerate();
    persons.flat_map(|(person, (_, photos))| std::iter::repeat_n(person, *photos)).collect()
}

fn people_in(photo: usize, owner: usize) -> Vec<usize> {
    if photo == SHARED_PHOTO { vec![owner, owner + 1] } else { vec![owner] }
}

fn assemble(drawn: Vec<Drawn>) -> Collection {
    let mut persons: Vec<Person> = PERSONS
        .iter()
        .enumerate()
        .map(|(number, (name, _))| Person {
            id: stable_id(format!("person {name}")),
            name: (*name).to_owned(),
            occurrences: Vec::new(),
            representative: (number != WITHOUT_THUMB).then_some(0),
        })
        .collect();
    let mut photos = Vec::with_capacity(drawn.len());
    for (number, Drawn { photo, thumbs }) in drawn.into_iter().enumerate() {
        for (person, thumb) in thumbs {
            persons[person].occurrences.push(Occurrence::new(number, thumb));
        }
        let id = stable_id(format!("photo {number}"));
        let key = format!("photos-raw/{id}.jpg");
        photos.push(Photo { id, key, content_type: "image/jpeg", source: Source::Memory(photo) });
    }
    Collection { persons, photos }
}

struct Drawn {
    photo: Bytes,
    /// The person's number with the thumbnail.
    thumbs: Vec<(usize, Bytes)>,
}

fn draw(photo: usize, people: &[usize]) -> Drawn {
    let mut rng = Rng::with_seed(0xbee7_0000 + photo as u64);
    let mut canvas = Canvas::new(PHOTO_SIZE.0, PHOTO_SIZE.1);
    draw_scenery(&mut canvas, photo, &mut rng);

    let first_place = 0.2 + 0.6 * rng.f32();
    let mut thumbs = Vec::new();
    for (index, person) in people.iter().copied().enumerate() {
        let look = Look::of(person);
        let turn = rng.f32() * 2.0 - 1.0;
        let place = if index == 0 { first_place } else { (first_place + 0.4) % 1.0 };
        draw_portrait(&mut canvas, &look, standing(place, turn, &mut rng));
        thumbs.push((person, draw_thumb(&look, turn, &mut rng)));
    }
    Drawn { photo: canvas.into_jpeg(PHOTO_QUALITY).into(), thumbs }
}

/// Somewhere along the lower edge of a photo.
#[expect(clippy::cast_precision_loss, reason = "a picture has some hundred pixels")]
fn standing(place: f32, turn: f32, rng: &mut Rng) -> Pose {
    let (width, height) = (PHOTO_SIZE.0 as f32, PHOTO_SIZE.1 as f32);
    let size = height * (0.085 + 0.035 * rng.f32());
    Pose { centre: (width * (0.12 + 0.76 * place), height - size * (2.6 + 0.8 * rng.f32())), size, turn }
}

#[expect(clippy::cast_precision_loss, reason = "a picture has some hundred pixels")]
fn draw_thumb(look: &Look, turn: f32, rng: &mut Rng) -> Bytes {
    let width = THUMB_SIDE as f32;
    let mut canvas = Canvas::new(THUMB_SIDE, THUMB_SIDE);
    draw_backdrop(&mut canvas, rng);
    let size = width * (0.2 + 0.03 * rng.f32());
    let centre = (width * (0.5 + 0.06 * (rng.f32() - 0.5)), width * 0.46);
    draw_portrait(&mut canvas, look, Pose { centre, size, turn });
    canvas.into_jpeg(THUMB_QUALITY).into()
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn the_sample_has_what_the_demo_promises() {
        let owners = owners();
        let not_drawn = |photo| {
            let thumbs = people_in(photo, owners[photo]).into_iter().map(|person| (person, Bytes::new()));
            Drawn { photo: Bytes::new(), thumbs: thumbs.collect() }
        };
        let sample = assemble((0..PHOTOS).map(not_drawn).collect());

        assert_eq!((sample.persons.len(), sample.photos.len()), (24, 200));
        let occurrences: Vec<_> = sample.persons.iter().flat_map(|person| &person.occurrences).collect();
        assert_eq!(occurrences.len(), 201);
        let lacking = occurrences.iter().filter(|one| !one.has_bucket || !one.has_key).count();
        assert!((90..=110).contains(&lacking), "{lacking}");
        let lacking_one = occurrences.iter().filter(|one| one.has_bucket != one.has_key).count();
        assert!(lacking_one >= 20, "{lacking_one}");
        assert_eq!(sample.persons.iter().filter(|person| person.representative.is_none()).count(), 1);
        let ids: HashSet<_> = sample.photos.iter().map(|photo| &photo.id).collect();
        assert_eq!(ids.len(), 200);
        for number in 0..2 {
            assert!(sample.persons[number].occurrences.iter().any(|one| one.photo == SHARED_PHOTO));
        }
    }

    #[test]
    fn a_picture_has_the_same_bytes_every_time_and_the_size_it_should() {
        let (one, two) = (draw(SHARED_PHOTO, &[0, 1]), draw(SHARED_PHOTO, &[0, 1]));

        assert_eq!(one.photo, two.photo);
        assert_eq!(one.thumbs, two.thumbs);
        assert_eq!(one.thumbs.len(), 2);
        let photo = image::load_from_memory(&one.photo).unwrap();
        assert_eq!((photo.width(), photo.height()), (600, 400));
        let thumb = image::load_from_memory(&one.thumbs[0].1).unwrap();
        assert_eq!((thumb.width(), thumb.height()), (240, 240));
    }
}
