// A list as a grid of links that grows while it is scrolled, with a name for each of its states.

import { announce, el } from './dom.js';
import { picture } from './picture.js';

/** How far below the window the next page is loaded. */
const AHEAD = '800px';
/** Tiles that stand for the first page while it loads. */
const SKELETONS = 24;
/** The side of a thumbnail, pixels. */
const THUMB_SIZE = 240;

/**
 * @param list   a `List`
 * @param texts  `title`; `label(entry)`, `detail(entry)` and `alt(entry)` of a tile; `count(list)` and `end` when all is there; `empty`
 * @param hrefOf where a tile leads
 */
export class Grid {
  element;
  heading;
  #list;
  #texts;
  #hrefOf;
  #summary = el('p', { class: 'summary' });
  #tiles = el('ul', { class: 'grid', role: 'list' });
  #foot = el('div', { class: 'foot' });
  #gone = [];
  #goneNote = el('div', { class: 'gone', hidden: true });
  #nearEnd;

  constructor(list, texts, hrefOf, back = null) {
    this.#list = list;
    this.#texts = texts;
    this.#hrefOf = hrefOf;
    this.heading = el('h1', { tabindex: -1 }, texts.title);
    const head = el('div', { class: 'head' }, this.heading, this.#summary);
    this.element = el('section', { class: 'view', 'aria-label': texts.title }, ...(back ? [back] : []), head, this.#goneNote, this.#tiles, this.#foot);
    this.element.addEventListener('picture-gone', (event) => this.#addGone(event.detail));
    this.#nearEnd = new IntersectionObserver(
      (seen) => seen.some((entry) => entry.isIntersecting) && this.load(),
      { rootMargin: AHEAD },
    );
    list.addEventListener('page', (event) => this.#append(event.detail));
  }

  /** The link of an entry. */
  linkOf(key) {
    return [...this.#tiles.querySelectorAll('a')].find((link) => link.dataset.key === key);
  }

  /** Loads the next page and says what came of it. */
  async load() {
    this.#nearEnd.disconnect();
    this.element.setAttribute('aria-busy', 'true');
    if (this.#list.entries.length === 0) this.#showSkeletons();
    this.#foot.replaceChildren(el('p', { class: 'note' }, 'Loading…'));
    try {
      await this.#list.more();
      this.#showEnd();
    } catch (error) {
      this.#showError(error);
    }
    this.element.removeAttribute('aria-busy');
  }

  #showSkeletons() {
    // as high as what will stand there
    const caption = () => (this.#texts.label ? ['label', 'detail'].map((name) => el('span', { class: name }, '\u00a0')) : []);
    const skeleton = () => el('li', { class: 'tile', 'aria-hidden': 'true' }, el('span', { class: 'frame' }), ...caption());
    this.#tiles.replaceChildren(...Array.from({ length: SKELETONS }, skeleton));
  }

  #append(entries) {
    this.#tiles.querySelectorAll('[aria-hidden]').forEach((skeleton) => skeleton.remove());
    this.#tiles.append(...entries.map((entry) => this.#tile(entry)));
  }

  #tile(entry) {
    const { label, detail, alt } = this.#texts;
    const missing = entry.pictures.thumb ? 'Cannot be shown' : 'No picture';
    const frame = picture(entry, 'thumb', { alt: alt(entry), missing, lazy: true, size: THUMB_SIZE });
    const caption = label ? [el('span', { class: 'label' }, label(entry)), el('span', { class: 'detail' }, detail(entry))] : [];
    return el('li', { class: 'tile' }, el('a', { href: this.#hrefOf(entry), 'data-key': entry.key }, frame, ...caption));
  }

  #showEnd() {
    const { entries, isComplete } = this.#list;
    if (!isComplete) {
      this.#summary.textContent = `${entries.length.toLocaleString('en')} and more`;
      this.#foot.replaceChildren(el('button', { type: 'button', onclick: () => this.load() }, 'Load more'));
      this.#nearEnd.observe(this.#foot);
    } else if (entries.length === 0) {
      this.#tiles.replaceChildren();
      this.#summary.textContent = '';
      this.#foot.replaceChildren(el('p', { class: 'note' }, this.#texts.empty));
    } else {
      this.#summary.textContent = this.#texts.count(this.#list);
      this.#foot.replaceChildren(el('p', { class: 'note' }, this.#texts.end));
    }
    announce(entries.length === 0 ? this.#texts.empty : `${this.#summary.textContent} loaded`);
  }

  #showError(error) {
    this.#tiles.querySelectorAll('[aria-hidden]').forEach((skeleton) => skeleton.remove());
    const again = el('button', { type: 'button', onclick: () => this.load() }, 'Try again');
    this.#foot.replaceChildren(el('p', { class: 'note', role: 'alert' }, error.message), again);
  }

  /** Keeps how to try a picture again, and offers it. */
  #addGone(show) {
    this.#gone.push(show);
    const again = () => {
      const gone = this.#gone;
      this.#gone = [];
      this.#goneNote.hidden = true;
      this.heading.focus({ preventScroll: true });
      gone.forEach((show) => show());
    };
    const count = this.#gone.length;
    const text = count === 1 ? 'A picture could not be loaded.' : `${count} pictures could not be loaded.`;
    this.#goneNote.hidden = false;
    this.#goneNote.replaceChildren(el('p', { role: 'status' }, text), el('button', { type: 'button', onclick: again }, 'Try again'));
  }
}
