// Visitors at a steady rate while the runner stops Redis in the middle: first it hangs (SIGSTOP), then it is killed, and each
// time it comes back. Nobody may notice. URLs are short-lived and answers are made anew every second, so that Redis is needed
// all the time.

import * as lib from './lib.js';

export const options = lib.options({
  scenarios: {
    visitors: {
      executor: 'constant-arrival-rate',
      rate: lib.settings.rate,
      timeUnit: '1s',
      duration: `${lib.settings.seconds}s`,
      preAllocatedVUs: 50,
      maxVUs: 300,
    },
  },
});
export { handleSummary } from './lib.js';

export default function ask() {
  lib.measureFloor();
  const grid = lib.checkPersons(lib.getList('/persons'));
  if (!grid) return;
  const person = grid.persons[Math.floor(Math.random() * grid.persons.length)];
  const photos = lib.checkPhotos(lib.getList(`/persons/${encodeURIComponent(person.personId)}/photos`));
  if (photos && Math.random() < 0.2) lib.fetchPictures([photos.photos[0].photoURL], new Set());
}
