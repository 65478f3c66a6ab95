// Elements in one expression, and what is said to those who do not see them.

/** Makes an element: attributes by their names, listeners as `onclick` and the like, then its children. */
export function el(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith('on')) {
      element.addEventListener(key.slice(2), value);
    } else if (value === true) {
      element.setAttribute(key, '');
    } else if (value !== false && value !== null && value !== undefined) {
      element.setAttribute(key, value);
    }
  }
  element.append(...children);
  return element;
}

/** Lets screen readers say a sentence when they are done with the present one. */
export function announce(sentence) {
  document.getElementById('status').textContent = sentence;
}

/** `1 photo`, `17 photos`. */
export function counted(count, one, many) {
  return `${count.toLocaleString('en')} ${count === 1 ? one : many}`;
}
