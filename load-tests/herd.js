// Everybody at the same moment, and nothing in any cache: first the grid, then one person's photos. One of them makes the
// answer and the others wait for it; the runner counts the calls to DynamoDB.

import { check, sleep } from 'k6';
import exec from 'k6/execution';
import http from 'k6/http';
import * as lib from './lib.js';

const vus = Number(__ENV.VUS || 300);

export const options = lib.options({
  scenarios: { herd: { executor: 'per-vu-iterations', vus, iterations: 1, maxDuration: '60s' } },
});
export { handleSummary } from './lib.js';

// Seconds from the start. The answers are read after the last herd: k6 would have no time for those that still come.
const CONNECT_AT = 1;
const GRID_AT = 3;
const PHOTOS_AT = 6;
const WARM_AT = 9;
const READ_AT = 12;

const until = (seconds) => sleep(Math.max(0, seconds - (Date.now() - exec.scenario.startTime) / 1000));

export default function ask() {
  until(CONNECT_AT);
  http.get(`${lib.api()}/healthz`, { tags: { name: 'connect' } });
  until(GRID_AT);
  const grid = lib.getList('/persons');
  const first = /"personId":"([^"]+)"/.exec(grid.body || '');
  if (!check(first, { 'the grid has persons': () => first !== null })) return;
  until(PHOTOS_AT);
  const photos = lib.getList(`/persons/${encodeURIComponent(first[1])}/photos`);
  // the floor is the same herd for the same bytes, which are in memory by now
  until(WARM_AT);
  const warm = lib.getWarmList('/persons');
  until(READ_AT);
  check(warm, { 'the warm grid is that of the cold one': () => warm.body === grid.body });
  lib.checkPersons(grid);
  lib.checkPhotos(photos);
}
