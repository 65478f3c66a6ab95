// Everybody at the same moment, and nothing in any cache: first the grid, then one person's photos. One of them makes the
// answer and the others wait for it; the runner counts the calls to DynamoDB.

import { sleep } from 'k6';
import exec from 'k6/execution';
import * as lib from './lib.js';

const vus = Number(__ENV.VUS || 300);

export const options = lib.options({
  scenarios: { herd: { executor: 'per-vu-iterations', vus, iterations: 1, maxDuration: '60s' } },
});
export { handleSummary } from './lib.js';

// Seconds from the start to each moment when all of them ask.
const FLOOR_AT = 2;
const GRID_AT = 5;
const PHOTOS_AT = 8;

const until = (seconds) => sleep(Math.max(0, seconds - (Date.now() - exec.scenario.startTime) / 1000));

export default function ask() {
  // the floor is a herd as well: it opens the connections, and shows what so many at once cost by themselves
  until(FLOOR_AT);
  lib.measureFloor();
  until(GRID_AT);
  const grid = lib.checkPersons(lib.getList('/persons'));
  until(PHOTOS_AT);
  if (grid) lib.checkPhotos(lib.getList(`/persons/${encodeURIComponent(grid.persons[0].personId)}/photos`));
}
