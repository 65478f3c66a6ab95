// URLs that live for seconds instead of an hour, so that their renewals can be watched: reload after reload, how many changed,
// whether any was invalid, and whether one changed before its time. A grid must not change all at once.

import { check, sleep } from 'k6';
import { Counter, Trend } from 'k6/metrics';
import * as lib from './lib.js';

export const options = lib.options({ vus: lib.settings.vus, duration: `${lib.settings.seconds}s` });
export { handleSummary } from './lib.js';

const changedUrls = new Counter('urls_changed');
const changedPerReload = new Trend('changed_per_reload');
// The hand-out time of a URL is its life less the margin, less up to a tenth; one second is lost to rounding.
const SHORTEST = 0.9 * (lib.settings.expires - lib.settings.margin) - 1;

let etag = null;
let known = {};

export default function visit() {
  lib.measureFloor();
  const { response, body } = lib.reload('/persons', etag, lib.checkPersons);
  if (body) {
    const shown = body.persons.filter((person) => person.repThumbURL);
    const changed = shown.filter(({ personId, repThumbURL }) => known[personId] && known[personId] !== repThumbURL);
    for (const { personId, repThumbURL } of changed) {
      const [before, after] = [lib.parseUrl(known[personId]), lib.parseUrl(repThumbURL)];
      check(null, { 'a URL changes at its time, not before': () => after.signed - before.signed >= SHORTEST });
    }
    if (etag) changedPerReload.add(changed.length);
    changedUrls.add(changed.length);
    known = Object.fromEntries(shown.map((person) => [person.personId, person.repThumbURL]));
    etag = response.headers.Etag;
  } else {
    changedPerReload.add(0);
  }
  // one that may be near its end
  const some = Object.values(known);
  if (some.length > 0) lib.fetchPictures([some[Math.floor(Math.random() * some.length)]], new Set());
  sleep(0.2);
}
