// Signed URLs end. This keeps pictures showing in a tab that stays open longer than they live: when one fails, the API is
// asked again, once for all pictures of an answer, and what failed gets its new URL.

/** The API is not asked again about an answer within this time, milliseconds: pictures rarely fail at the same instant. */
const REST = 5000;

/** The URLs of one answer of the API. */
export class FreshUrls {
  #answer;
  #fetchAgain;
  #urlsOf;
  #asking = null;
  #askedAt = -Infinity;

  /**
   * @param answer      what the API answered
   * @param fetchAgain  asks for the same answer once more: `() => Promise<answer>`
   * @param urlsOf      `(answer) => Map` from your name for a picture to its URL
   */
  constructor(answer, fetchAgain, urlsOf) {
    this.#answer = { expiresAt: answer.expiresAt, urls: urlsOf(answer) };
    this.#fetchAgain = fetchAgain;
    this.#urlsOf = urlsOf;
  }

  /** The URL of a picture; `undefined` or `null` when it has none. */
  get(name) {
    return this.#answer.urls.get(name);
  }

  /** Until when all these URLs work, or `undefined` when there is none. */
  get expiresAt() {
    return this.#answer.expiresAt;
  }

  /** What to load instead of a URL that failed. It is the same URL when the API stands by it. */
  async insteadOf(name, failed) {
    const isNew = this.get(name) !== failed;
    const isOver = Date.parse(this.expiresAt) <= Date.now();
    if (!isNew || isOver) await this.#ask();
    return this.get(name);
  }

  async #ask() {
    if (!this.#asking && performance.now() - this.#askedAt < REST) return;
    this.#asking ??= this.#fetchAgain()
      .then((answer) => {
        this.#answer = { expiresAt: answer.expiresAt, urls: this.#urlsOf(answer) };
      })
      .finally(() => {
        this.#askedAt = performance.now();
        this.#asking = null;
      });
    await this.#asking;
  }
}

/**
 * Loads a picture. When it fails, it gets what the API then has for it, and one more try; when that fails, too, `onGone` is
 * called and nothing more happens. A picture that has shown may fail, and be helped, again.
 */
export function showPicture(img, name, urls, onGone) {
  let url = urls.get(name);
  let hasFailed = false;
  img.addEventListener('load', () => {
    hasFailed = false;
  });
  img.addEventListener('error', async () => {
    if (hasFailed) return onGone();
    hasFailed = true;
    url = await urls.insteadOf(name, url).catch(() => null);
    if (!url) return onGone();
    img.src = url;
  });
  if (url) img.src = url;
  else onGone();
}
