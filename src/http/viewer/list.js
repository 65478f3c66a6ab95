// A list of the API, page after page, with the URLs of each page.

import { FreshUrls } from './fresh-urls.js';

/**
 * Tells `page` whenever entries were added. An entry has a `key`, its `pictures` (an object of URLs), and `urls`, where its
 * pictures' URLs are found as `key/name`.
 */
export class List extends EventTarget {
  entries = [];
  isComplete = false;
  #pages = [];
  #known = new Set();
  #cursor = null;
  #loading = null;
  #fetchPage;
  #entriesOf;

  /**
   * @param fetchPage  `(cursor) => Promise<answer>`
   * @param entriesOf  `(answer) => entries`
   */
  constructor(fetchPage, entriesOf) {
    super();
    this.#fetchPage = fetchPage;
    this.#entriesOf = entriesOf;
  }

  /** Until when the URLs of all pages work. */
  get expiresAt() {
    return this.#pages.map((urls) => urls.expiresAt).filter(Boolean).sort()[0];
  }

  /** Loads the next page; whoever asks while it is loading waits for the same one. */
  more() {
    if (this.isComplete) return Promise.resolve();
    this.#loading ??= this.#load().finally(() => {
      this.#loading = null;
    });
    return this.#loading;
  }

  async #load() {
    const cursor = this.#cursor;
    const fetchAgain = () => this.#fetchPage(cursor);
    const answer = await fetchAgain();
    loadAgainForNewOrigins(this.#entriesOf(answer));
    const urls = new FreshUrls(answer, fetchAgain, (answer) => urlsByName(this.#entriesOf(answer)));
    // a list may change between two pages, and a person may be in a photo twice: the first one counts
    const added = this.#entriesOf(answer).filter((entry) => !this.#known.has(entry.key));
    const entries = [...new Map(added.map((entry) => [entry.key, { ...entry, urls }])).values()];
    entries.forEach((entry) => this.#known.add(entry.key));
    this.#pages.push(urls);
    this.entries.push(...entries);
    this.#cursor = answer.nextCursor;
    this.isComplete = !answer.nextCursor;
    this.dispatchEvent(new CustomEvent('page', { detail: entries }));
  }
}

function urlsByName(entries) {
  const named = (entry) => Object.entries(entry.pictures).map(([name, url]) => [`${entry.key}/${name}`, url]);
  return new Map(entries.flatMap(named));
}

/**
 * The page may load pictures from the origins that the service knew when it served it. When a row names a bucket that nobody
 * had asked for before, the page is loaded once more, and is then served with it.
 */
function loadAgainForNewOrigins(entries) {
  const allowed = document.querySelector('meta[name=picture-origins]').content.split(' ');
  const urls = entries.flatMap((entry) => Object.values(entry.pictures)).filter(Boolean);
  const missing = new Set(urls.map((url) => new URL(url).origin).filter((origin) => !allowed.includes(origin)));
  const tried = history.state?.origins ?? [];
  if ([...missing].some((origin) => !tried.includes(origin))) {
    history.replaceState({ origins: [...tried, ...missing] }, '');
    location.reload();
  }
}
