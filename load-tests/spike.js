// Twenty times the visitors from one second to the next, for a third of the time. Requests come at their rate whether or not
// answers do: a service that falls behind is seen in its latency, not hidden by visitors who wait.

import { check } from 'k6';
import * as lib from './lib.js';

const { rate, seconds } = lib.settings;
const third = `${Math.ceil(seconds / 3)}s`;

export const options = lib.options({
  scenarios: {
    spike: {
      executor: 'ramping-arrival-rate',
      startRate: rate,
      timeUnit: '1s',
      preAllocatedVUs: 100,
      maxVUs: 500,
      stages: [
        { target: rate, duration: third },
        { target: 20 * rate, duration: '0s' },
        { target: 20 * rate, duration: third },
        { target: rate, duration: '0s' },
        { target: rate, duration: third },
      ],
    },
  },
});
export { handleSummary } from './lib.js';

const paths = ['/persons', '/persons?limit=10', '/persons?limit=20'];

export default function ask() {
  if (Math.random() < 0.2) {
    lib.measureFloor();
    return;
  }
  const response = lib.getList(paths[Math.floor(Math.random() * paths.length)]);
  // one in ten is read to its end: to read each would keep k6 busier than the service
  if (Math.random() < 0.1) lib.checkPersons(response);
  else check(response, { 'a list is 200': () => response.status === 200 });
}
