// What all scenarios share: settings, requests, checks on lists and signed URLs, metrics, and the summary for the runner.
//
// A signed URL opens a picture for whoever has it, so it is never printed: requests carry a name of their own instead of
// their URL, and a picture's failed request is caught here, because k6 would log its address.

import http from 'k6/http';
import { check } from 'k6';
import { Counter, Trend } from 'k6/metrics';

const number = (name, otherwise) => Number(__ENV[name] || otherwise);

// From the environment; README.md explains each.
export const settings = {
  apis: (__ENV.API || 'http://127.0.0.1:8080').split(','),
  s3: __ENV.S3 || '',
  expires: number('EXPIRES', 3600),
  margin: number('MARGIN', 300),
  vus: number('VUS', 10),
  seconds: number('SECONDS', 20),
  rate: number('RATE', 50),
  floorLimit: number('FLOOR_LIMIT', 0),
  summary: __ENV.SUMMARY || '',
};

// Between two clocks of one machine, rounded to seconds as URLs are.
const CLOCK_TOLERANCE = 2;

export const floorTime = new Trend('floor_time', true);
export const listTime = new Trend('list_time', true);
export const pictureTime = new Trend('picture_time', true);
export const lists = new Counter('lists');
export const notModified = new Counter('lists_not_modified');
export const urlsSeen = new Counter('urls_seen');
export const invalidUrls = new Counter('invalid_urls');
// Pictures for which a browser asks nobody, because it has seen the same URL before.
export const picturesSaved = new Counter('pictures_saved');
export const picturesFetched = new Counter('pictures_fetched');

const STATS = ['count', 'avg', 'min', 'max'];
// The points of the report's distribution; the median is p(50).
const POINTS = [1, 5, 10, 25, 50, 75, 90, 95, 99, 99.9].map((point) => `p(${point})`);

// Options of a scenario: k6's own, plus the thresholds that hold everywhere.
export function options(own) {
  return {
    // neither `url` nor anything else that holds a signed URL
    systemTags: ['status', 'name', 'check', 'scenario', 'expected_response', 'error_code'],
    summaryTrendStats: [...STATS, ...POINTS],
    ...own,
    thresholds: {
      checks: ['rate==1'],
      // a counter that nobody adds to is absent, and then its threshold holds
      invalid_urls: ['count==0'],
      ...own.thresholds,
    },
  };
}

// The instance that this visitor stays with.
export const api = () => settings.apis[__VU % settings.apis.length];

const CODINGS = { 'Accept-Encoding': 'gzip, br, zstd' };

// One request for a list. `etag` makes it conditional. All codings that k6 can read are accepted, as by a browser.
export function getList(path, etag) {
  const headers = etag ? { ...CODINGS, 'If-None-Match': etag } : CODINGS;
  const response = http.get(api() + path, { headers, tags: { name: 'list' } });
  listTime.add(response.timings.duration);
  lists.add(1);
  if (response.status === 304) notModified.add(1);
  return response;
}

// The least that the service can do, measured in the same seconds: what the lists are compared with.
export function measureFloor() {
  const response = http.get(`${api()}/healthz`, { tags: { name: 'floor' } });
  floorTime.add(response.timings.duration);
  check(response, { 'the floor answers': () => response.status === 200 });
}

// A list that is in the service's memory, where the floor is that.
export function getWarmList(path) {
  const response = http.get(api() + path, { headers: CODINGS, tags: { name: 'floor' } });
  floorTime.add(response.timings.duration);
  return response;
}

// Whether a list came whole, and every URL in it is as promised. Gives its body, or null.
export function checkList(response, rows, urlFields) {
  const isWhole = check(response, {
    'a list is 200': () => response.status === 200,
    'a list has a strong ETag': () => /^"[^"]+"$/.test(response.headers.Etag || ''),
    'a list is private, no-cache': () => response.headers['Cache-Control'] === 'private, no-cache',
  });
  if (!isWhole) return null;
  const body = response.json();
  const found = urlFields.flatMap(({ url, key }) => body[rows].filter((row) => row[key]).map((row) => [row[url], row[key]]));
  const ends = found.map(([url, key]) => checkUrl(url, key));
  if (ends.length > 0) {
    const first = Math.min(...ends) * 1000;
    check(body, { 'expiresAt is not after the first URL to end': () => Date.parse(body.expiresAt) <= first });
  }
  return body;
}

export const checkPersons = (response) => checkList(response, 'persons', [{ url: 'repThumbURL', key: 'repThumbKey' }]);

export const checkPhotos = (response) =>
  checkList(response, 'photos', [
    { url: 'photoURL', key: 'photoKey' },
    { url: 'thumbURL', key: 'thumbKey' },
  ]);

// A list that is asked for again with its ETag: 304, or the new one, checked.
export function reload(path, etag, checkBody) {
  const response = getList(path, etag);
  if (response.status !== 304) return { response, body: checkBody(response) };
  check(response, { 'a 304 has no body': () => !response.body });
  return { response, body: null };
}

// What a URL says about itself: seconds since 1970, and its host. Null where it is no signed URL.
export function parseUrl(url) {
  const parts = /^(https?:\/\/[^/]+)(\/[^?#]*)\?([^#]*)$/.exec(url || '');
  if (!parts) return null;
  const query = Object.fromEntries(parts[3].split('&').map((pair) => pair.split('=')));
  const date = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(query['X-Amz-Date'] || '');
  if (!date || !/^[0-9a-f]{64}$/.test(query['X-Amz-Signature'] || '')) return null;
  const [, year, month, day, hour, minute, second] = date.map(Number);
  const signed = Date.UTC(year, month - 1, day, hour, minute, second) / 1000;
  const expires = Number(query['X-Amz-Expires']);
  return { origin: parts[1], path: decodeURIComponent(parts[2]), signed, expires, ends: signed + expires };
}

// The end of a URL that may be handed out now; an invalid one is counted, and ended in 1970.
function checkUrl(url, key) {
  urlsSeen.add(1);
  const parsed = parseUrl(url);
  const now = Date.now() / 1000;
  const isValid =
    parsed !== null &&
    (!settings.s3 || parsed.origin === settings.s3) &&
    parsed.path.endsWith(`/${key}`) &&
    parsed.expires === settings.expires &&
    parsed.signed <= now + CLOCK_TOLERANCE &&
    parsed.ends - now >= settings.margin - CLOCK_TOLERANCE;
  if (isValid) return parsed.ends;
  invalidUrls.add(1);
  return 0;
}

// The pictures behind some URLs, six at once as a browser fetches them. Those in `seen` are in the browser's cache already.
export function fetchPictures(urls, seen) {
  const wanted = urls.filter((url) => url && !seen.has(url));
  picturesSaved.add(urls.filter(Boolean).length - wanted.length);
  for (let at = 0; at < wanted.length; at += 6) {
    const some = wanted.slice(at, at + 6);
    let answers;
    try {
      answers = http.batch(
        some.map((url) => ['GET', url, null, { tags: { name: 'picture' }, responseType: 'none', throw: true }]),
      );
    } catch (_) {
      // its message holds the URL
      answers = some.map(() => ({ status: 0, headers: {}, timings: { duration: 0 } }));
    }
    answers.forEach((answer, index) => {
      pictureTime.add(answer.timings.duration);
      const isPicture = check(answer, {
        'a picture comes by its URL': () => answer.status === 200 && /^image\//.test(answer.headers['Content-Type'] || ''),
      });
      if (isPicture) seen.add(some[index]);
    });
    picturesFetched.add(some.length);
  }
}

const value = (data, metric, stat) => (data.metrics[metric] ? data.metrics[metric].values[stat] : undefined);

const IN_WORDS = {
  checks: (data) => `${value(data, 'checks', 'passes')} checks held, ${value(data, 'checks', 'fails')} did not`,
  invalid_urls: (data) => `${value(data, 'invalid_urls', 'count')} invalid URLs of ${value(data, 'urls_seen', 'count')}`,
};

// For the runner (SUMMARY names the file) the figures; for a person without the runner, some lines.
export function handleSummary(data) {
  const figures = {};
  for (const [name, metric] of Object.entries(data.metrics)) figures[name] = metric.values;
  const thresholds = [];
  for (const [name, metric] of Object.entries(data.metrics)) {
    for (const [text, { ok }] of Object.entries(metric.thresholds || {})) {
      thresholds.push({ text: (IN_WORDS[name] || (() => `${name} ${text}`))(data), ok });
    }
  }
  const failedChecks = allChecks(data.root_group).filter(({ fails }) => fails > 0);
  const [list, floor] = [value(data, 'list_time', 'p(99)'), value(data, 'floor_time', 'p(99)')];
  if (settings.floorLimit > 0) {
    const ratio = list / floor;
    const text = `p99 of the lists is ${ratio.toFixed(1)} of the floor's, at most ${settings.floorLimit}`;
    thresholds.push({ text, ok: ratio <= settings.floorLimit });
  }
  const lines = [
    ...thresholds.map(({ text, ok }) => `${ok ? 'ok    ' : 'FAILED'} ${text}`),
    ...failedChecks.map(({ name, fails }) => `FAILED check: ${name} (${fails} times)`),
    `lists ${value(data, 'lists', 'count')}, p50 ${value(data, 'list_time', 'p(50)')} ms, p99 ${list} ms; floor p99 ${floor} ms`,
  ];
  const summary = JSON.stringify({ figures, thresholds, failedChecks: failedChecks.map(({ name, fails }) => ({ name, fails })) });
  return settings.summary ? { [settings.summary]: summary } : { stdout: `${lines.join('\n')}\n` };
}

function allChecks(group) {
  return [...Object.values(group.checks), ...Object.values(group.groups).flatMap(allChecks)];
}
