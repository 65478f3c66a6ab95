// One photo, large, in a dialog: arrow keys and buttons go on, Escape and the cross close.

import { picture } from './picture.js';

export class PhotoView {
  #dialog = document.getElementById('photo');
  #stage = this.#dialog.querySelector('.stage');
  #name = this.#dialog.querySelector('.photo-name');
  #place = this.#dialog.querySelector('.photo-place');
  #previous = this.#dialog.querySelector('.photo-previous');
  #next = this.#dialog.querySelector('.photo-next');
  #list = null;
  #index = 0;
  #onMove;
  #onClose;

  /**
   * @param onMove   `(entry)`: another photo is shown
   * @param onClose  `()`: somebody has closed it
   */
  constructor(onMove, onClose) {
    this.#onMove = onMove;
    this.#onClose = onClose;
    this.#previous.addEventListener('click', () => this.#move(-1));
    this.#next.addEventListener('click', () => this.#move(1));
    this.#dialog.querySelector('.photo-close').addEventListener('click', () => this.#dialog.close());
    this.#stage.addEventListener('click', (event) => event.target === this.#stage && this.#dialog.close());
    // Escape closes a dialog by itself; what the address says follows
    this.#dialog.addEventListener('close', () => this.isOpen && this.#onClose());
    this.#dialog.addEventListener('keydown', (event) => {
      if (event.altKey || event.ctrlKey || event.metaKey) return;
      if (event.key === 'ArrowLeft') this.#move(-1);
      if (event.key === 'ArrowRight') this.#move(1);
    });
  }

  get isOpen() {
    return this.#list !== null;
  }

  /** Shows an entry of a list. */
  open(list, entry) {
    this.#list = list;
    this.#index = list.entries.indexOf(entry);
    if (!this.#dialog.open) this.#dialog.showModal();
    this.#show();
  }

  /** Ends it and forgets the picture. */
  close() {
    this.#list = null;
    this.#dialog.close();
    this.#stage.replaceChildren();
  }

  async #move(step) {
    const list = this.#list;
    const index = this.#index + step;
    if (index >= list.entries.length) await list.more().catch(() => {});
    // somebody may have gone on while it was loading
    const entry = list.entries[index];
    if (entry && list === this.#list && index === this.#index + step) this.#onMove(entry);
  }

  #show() {
    const { entries, isComplete } = this.#list;
    const entry = entries[this.#index];
    const missing = entry.pictures.photo ? 'This photo cannot be shown' : 'This photo has no file';
    const frame = picture(entry, 'photo', { alt: `Photo ${entry.fileName}`, missing });
    this.#stage.replaceChildren(frame);
    frame.querySelector('img')?.addEventListener('load', () => this.#preloadNeighbours(), { once: true });
    this.#name.textContent = entry.fileName;
    this.#place.textContent = `${this.#index + 1} of ${entries.length}${isComplete ? '' : ' and more'}`;
    setUsable(this.#previous, this.#index > 0);
    setUsable(this.#next, this.#index + 1 < entries.length || !isComplete);
  }

  /** The browser keeps them, so that they are there when their turn comes. */
  #preloadNeighbours() {
    for (const entry of [this.#list.entries[this.#index + 1], this.#list.entries[this.#index - 1]]) {
      const url = entry?.urls.get(`${entry.key}/photo`);
      if (url) new Image().src = url;
    }
  }
}

/** A button that is off keeps the focus, which `disabled` would drop. */
function setUsable(button, isUsable) {
  button.setAttribute('aria-disabled', String(!isUsable));
}
