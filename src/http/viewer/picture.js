// A picture in a frame: a quiet surface while it loads, the picture, or the name of what is missing.

import { el } from './dom.js';
import { showPicture } from './fresh-urls.js';

/**
 * @param entry    an entry of a list
 * @param name     which of its pictures
 * @param options  `alt`, what is seen; `missing`, what stands there instead; `lazy`, whether to wait until it is near;
 *                 `size`, the pixels of a square one
 */
export function picture(entry, name, { alt, missing, lazy = false, size }) {
  const frame = el('span', { class: 'frame' });
  const show = () => {
    // never `crossorigin`: see docs/frontend.md
    const img = el('img', { alt, width: size, height: size, loading: lazy ? 'lazy' : 'eager', decoding: 'async' });
    img.addEventListener('load', () => frame.classList.add('is-loaded'));
    frame.classList.remove('is-missing');
    frame.replaceChildren(img);
    showPicture(img, `${entry.key}/${name}`, entry.urls, () => {
      frame.classList.add('is-missing');
      frame.replaceChildren(el('span', { class: 'missing', role: 'img', 'aria-label': `${alt}: ${missing}` }, missing));
      // without a URL there is nothing to try again
      const hasUrl = Boolean(entry.urls.get(`${entry.key}/${name}`));
      if (hasUrl) frame.dispatchEvent(new CustomEvent('picture-gone', { bubbles: true, detail: show }));
    });
  };
  show();
  return frame;
}
