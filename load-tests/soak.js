// Visitors who come and go for as long as SECONDS says, over many different pages, so that caches fill and are emptied. What
// must not grow is watched from outside: the runner looks at the process's memory.

import { sleep } from 'k6';
import * as lib from './lib.js';

export const options = lib.options({ vus: lib.settings.vus, duration: `${lib.settings.seconds}s` });
export { handleSummary } from './lib.js';

export default function visit() {
  lib.measureFloor();
  const path = `/persons?limit=${1 + Math.floor(Math.random() * 500)}`;
  const first = lib.getList(path);
  const body = lib.checkPersons(first);
  if (!body) return;
  const person = body.persons[Math.floor(Math.random() * body.persons.length)];
  const limit = 1 + Math.floor(Math.random() * 1000);
  lib.checkPhotos(lib.getList(`/persons/${encodeURIComponent(person.personId)}/photos?limit=${limit}`));
  lib.reload(path, first.headers.Etag, lib.checkPersons);
  sleep(0.1);
}
