// Elements from data. Text is always set as text; nothing here parses markup.

const SVG = 'http://www.w3.org/2000/svg';

// h makes an element. Attributes whose value is false, null or undefined are
// left out; on* are listeners; props are set as properties.
export function h(tag, attributes = {}, ...children) {
  const el = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (value === false || value == null) continue;
    if (name.startsWith('on')) el.addEventListener(name.slice(2), value);
    else if (name === 'props') Object.assign(el, value);
    else el.setAttribute(name, value === true ? '' : String(value));
  }
  put(el, children);
  return el;
}

// put appends texts and nodes, however nested; nothing for null and false.
export function put(el, children) {
  for (const child of [children].flat(Infinity)) {
    if (child == null || child === false) continue;
    el.append(child instanceof Node ? child : document.createTextNode(String(child)));
  }
  return el;
}

// icon draws one symbol of the sprite; it says nothing to screen readers.
export function icon(name) {
  const svg = document.createElementNS(SVG, 'svg');
  svg.setAttribute('class', 'icon');
  svg.setAttribute('aria-hidden', 'true');
  const use = document.createElementNS(SVG, 'use');
  use.setAttribute('href', `/icons.svg#${name}`);
  svg.append(use);
  return svg;
}

// button makes a button of a kind: primary, plain, quiet, danger or icon.
export function button(kind, label, onclick, extra = {}) {
  const {icon: sign, ...attributes} = extra;
  const only = kind === 'icon';
  return h('button', {type: 'button', class: `button ${kind}`, onclick, 'aria-label': only && label, title: only && label, ...attributes},
    sign && icon(sign), !only && h('span', {}, label));
}

let last = 0;

// uid returns an id for labels and descriptions.
export const uid = () => `e${++last}`;
