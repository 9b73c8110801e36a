// Pictures from data, as dom.js makes elements.

const SVG = 'http://www.w3.org/2000/svg';

// s makes an element of a picture: s('text', {x, y, class, onclick}, 'words', node).
export function s(name, attributes = {}, ...children) {
  const el = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value === false || value == null) continue;
    if (key.startsWith('on')) el.addEventListener(key.slice(2), value);
    else el.setAttribute(key, String(value));
  }
  el.append(...children.flat(Infinity).filter((c) => c != null && c !== false));
  return el;
}
