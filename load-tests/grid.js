// A visitor: the grid, two persons, the pictures, a reload; then everything again, as after a day at the beach.

import { check, sleep } from 'k6';
import * as lib from './lib.js';

export const options = lib.options({ vus: lib.settings.vus, duration: `${lib.settings.seconds}s` });
export { handleSummary } from './lib.js';

const photosOf = (person) => `/persons/${encodeURIComponent(person.personId)}/photos`;

export default function visit() {
  // what this visitor's browser keeps; each visit is another browser
  const seen = new Set();
  lib.measureFloor();

  const grid = lib.getList('/persons');
  const body = lib.checkPersons(grid);
  if (!body) return;
  check(body, { 'the grid has persons': () => body.persons.length > 0 });
  const thumbs = body.persons.map((person) => person.repThumbURL);
  lib.fetchPictures(thumbs, seen);

  const chosen = [0, 1].map(() => body.persons[Math.floor(Math.random() * body.persons.length)]);
  for (const person of chosen) {
    const photos = lib.checkPhotos(lib.getList(photosOf(person)));
    if (!photos) continue;
    check(photos, { 'the photos are those of the person': () => photos.personId === person.personId });
    lib.fetchPictures(photos.photos.map((photo) => photo.thumbURL), seen);
    lib.fetchPictures(photos.photos.slice(0, 1).map((photo) => photo.photoURL), seen);
  }

  sleep(0.2);
  lib.measureFloor();
  const again = lib.reload('/persons', grid.headers.Etag, lib.checkPersons);
  check(again, { 'a reload is a 304': () => again.response.status === 304 });
  // the page shows what it has: the browser finds every picture in its cache
  lib.fetchPictures(thumbs, seen);
  // and a second browser, with the same URLs, still gets them
  lib.fetchPictures(thumbs.slice(0, 2), new Set());
}
