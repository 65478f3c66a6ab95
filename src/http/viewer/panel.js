// What the service does for this page: pictures that the browser had already, what that saved, and how long the URLs live.
//
// Only what the browser tells. For pictures of another origin it tells nothing unless that origin allows it with
// `Timing-Allow-Origin`: the demo's S3 does, AWS does not. What is not told is counted as such, never guessed.

import { counted } from './dom.js';

const MINUTE = 60_000;
/** How often the life of the URLs is looked at, milliseconds. */
const LOOK = 10_000;

const sums = { cached: 0, downloaded: 0, saved: 0, untold: 0 };
let shownList = null;

/** Begins to watch. */
export function startPanel() {
  const origins = document.querySelector('meta[name=picture-origins]').content.split(' ');
  const watch = new PerformanceObserver((seen) => {
    seen.getEntries().filter((entry) => origins.includes(new URL(entry.name).origin)).forEach(count);
    show();
  });
  watch.observe({ type: 'resource', buffered: true });
  setInterval(show, LOOK);
  document.addEventListener('visibilitychange', show);
}

/** From now on the life of this list's URLs is shown. */
export function showLifeOf(list) {
  shownList = list;
  show();
}

function count(entry) {
  const isTold = entry.requestStart > 0;
  if (!isTold) {
    sums.untold += 1;
  } else if (entry.deliveryType === 'cache' || (entry.transferSize === 0 && entry.encodedBodySize > 0)) {
    sums.cached += 1;
    sums.saved += entry.encodedBodySize;
  } else {
    sums.downloaded += 1;
  }
}

function show() {
  set('cached', sums.cached.toLocaleString('en'));
  set('downloaded', sums.downloaded.toLocaleString('en'));
  set('saved', bytes(sums.saved));
  set('life', life());
  const untold = document.getElementById('panel-untold');
  untold.hidden = sums.untold === 0;
  untold.textContent = `This S3 does not let a page see how ${counted(sums.untold, 'picture', 'pictures')} came.`;
}

function set(name, text) {
  const place = document.getElementById(`panel-${name}`);
  if (place.textContent !== text) place.textContent = text;
}

function life() {
  if (!shownList?.expiresAt) return '–';
  const left = Date.parse(shownList.expiresAt) - Date.now();
  if (left <= 0) return 'over';
  return left < MINUTE ? 'under 1 min' : `${Math.floor(left / MINUTE).toLocaleString('en')} min`;
}

function bytes(count) {
  if (count < 1000) return `${count} B`;
  const units = ['kB', 'MB', 'GB'];
  let unit = -1;
  let value = count;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${value < 10 ? value.toFixed(1) : Math.round(value)} ${units[unit]}`;
}
