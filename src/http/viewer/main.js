// What is shown, from the address: `#/` everybody, `#/person/ID` their photos, `#/person/ID/photo/ID` one of them, large.

import { fetchPersons, fetchPhotos } from './api.js';
import { counted, el } from './dom.js';
import { Grid } from './grid.js';
import { List } from './list.js';
import { showLifeOf, startPanel } from './panel.js';
import { PhotoView } from './photo.js';

const main = document.getElementById('main');
const photoView = new PhotoView(
  // the browser's Back leads to the grid, not through every photo
  (entry) => replaceAddress(photoHref(person.id, entry.key)),
  () => {
    if (cameFromGrid) history.back();
    else replaceAddress(personHref(person.id));
  },
);

/** What is kept, so that going back shows it as it was, without asking anybody. */
let people = null;
let person = null;
let shown = null;
/** Whether the photo was opened from its grid, which Back then returns to. */
let cameFromGrid = false;

function personHref(id) {
  return `#/person/${encodeURIComponent(id)}`;
}

function photoHref(personId, photoId) {
  return `${personHref(personId)}/photo/${encodeURIComponent(photoId)}`;
}

/** An identifier may be somebody's name; of others the beginning tells enough. */
function nameOf(personId) {
  return isUuid(personId) ? personId.slice(0, 8) : personId;
}

function titleOf(personId) {
  return isUuid(personId) ? `Person ${nameOf(personId)}` : personId;
}

function isUuid(personId) {
  return /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(personId);
}

function openPeople() {
  const list = new List(fetchPersons, ({ persons }) =>
    persons.map(({ personId, photoCount, repThumbURL }) => ({ key: personId, photoCount, pictures: { thumb: repThumbURL } })),
  );
  const photos = ({ photoCount }) => counted(photoCount, 'photo', 'photos');
  const texts = {
    title: 'People',
    label: ({ key }) => nameOf(key),
    detail: photos,
    alt: (entry) => `Person ${list.entries.indexOf(entry) + 1}`,
    count: ({ entries }) => counted(entries.length, 'person', 'people'),
    end: 'That is everybody.',
    empty: 'Nobody is here yet.',
  };
  return view(null, list, new Grid(list, texts, ({ key }) => personHref(key)));
}

function openPerson(id) {
  const list = new List(
    (cursor) => fetchPhotos(id, cursor),
    ({ photos }) =>
      photos.map(({ photoId, photoKey, photoURL, thumbURL }) => ({
        key: photoId,
        fileName: photoKey?.split('/').pop() || photoId,
        pictures: { thumb: thumbURL, photo: photoURL },
      })),
  );
  const texts = {
    title: titleOf(id),
    alt: (entry) => `Photo ${list.entries.indexOf(entry) + 1}`,
    count: ({ entries }) => counted(entries.length, 'photo', 'photos'),
    end: 'These are all photos.',
    empty: 'There are no photos of this person.',
  };
  const back = el('a', { class: 'back', href: '#/' }, 'People');
  return view(id, list, new Grid(list, texts, ({ key }) => photoHref(id, key), back));
}

function view(id, list, grid) {
  const view = { id, list, grid, scroll: 0, firstPage: null };
  list.addEventListener('page', () => shown === view && showLifeOf(list));
  main.append(grid.element);
  view.firstPage = grid.load();
  return view;
}

/** Puts a view in front, and leaves the other one where it was scrolled to. */
function bring(next) {
  if (shown === next) return;
  if (shown) {
    shown.scroll = window.scrollY;
    shown.grid.element.hidden = true;
  }
  next.grid.element.hidden = false;
  window.scrollTo(0, next.scroll);
  shown = next;
  showLifeOf(next.list);
}

async function showAddress() {
  const before = shown;
  const wasOpen = photoView.isOpen;
  const [, personId, photoId] = parseAddress(location.hash);

  if (personId === undefined) {
    people ??= openPeople();
    bring(people);
  } else {
    if (person?.id !== personId) {
      person?.grid.element.remove();
      if (shown === person) shown = null;
      person = openPerson(personId);
    }
    bring(person);
  }
  document.title = personId === undefined ? 'People' : `${titleOf(personId)} · People`;

  if (photoId !== undefined) {
    if (!wasOpen) cameFromGrid = before === shown;
    await showPhoto(person, photoId);
  } else if (wasOpen) {
    photoView.close();
    focusTile(person, lastPhoto);
  } else if (before && before !== shown) {
    if (shown === people && before.id !== null && people.grid.linkOf(before.id)) focusTile(people, before.id);
    else shown.grid.heading.focus({ preventScroll: true });
  }
}

let lastPhoto = null;

function replaceAddress(href) {
  history.replaceState(history.state, '', href);
  showAddress();
}

/** A photo may be on a page that is not loaded yet: an address can be older than the list. */
async function showPhoto(of, photoId) {
  const find = () => of.list.entries.find((entry) => entry.key === photoId);
  await of.firstPage;
  try {
    while (!find() && !of.list.isComplete) await of.list.more();
  } catch {
    return;
  }
  const entry = find();
  // somebody may have gone on while it was loading
  if (parseAddress(location.hash)[2] !== photoId) return;
  if (!entry) return replaceAddress(personHref(of.id));
  lastPhoto = photoId;
  photoView.open(of.list, entry);
}

function focusTile(of, key) {
  const link = of.grid.linkOf(key);
  link?.focus({ preventScroll: true });
  link?.scrollIntoView({ block: 'nearest' });
}

/** The parts of an address, decoded; what nobody made is the beginning. */
function parseAddress(hash) {
  const parts = /^#\/person\/([^/]+)(?:\/photo\/([^/]+))?$/.exec(hash) ?? [hash];
  try {
    return [parts[0], ...parts.slice(1).map((part) => part && decodeURIComponent(part))];
  } catch {
    return [hash];
  }
}

history.scrollRestoration = 'manual';
window.addEventListener('hashchange', showAddress);
startPanel();
showAddress();
