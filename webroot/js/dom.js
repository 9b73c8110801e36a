// Elements from data. Text is always set as text; nothing here parses markup.

const SVG = 'http://www.w3.org/2000/svg';

// h makes an element: h('p.help', {id}, 'text', node). Attributes may be left out, as are those
// whose value is false, null or undefined; on* are listeners; props are set as properties.
export function h(name, attributes, ...children) {
  const [tag, ...classes] = name.split('.');
  const el = document.createElement(tag);
  el.classList.add(...classes);
  const given = attributes?.constructor === Object;
  for (const [key, value] of Object.entries(given ? attributes : {})) {
    if (value === false || value == null) continue;
    if (key.startsWith('on')) el.addEventListener(key.slice(2), value);
    else if (key === 'props') Object.assign(el, value);
    else el.setAttribute(key, value === true ? '' : String(value));
  }
  return put(el, given ? children : [attributes, children]);
}

// put appends texts and nodes, however nested; nothing for null and false.
export function put(el, children) {
  el.append(...[children].flat(Infinity).filter((child) => child != null && child !== false));
  return el;
}

// fill is put in place of what is there.
export function fill(el, ...children) {
  el.replaceChildren();
  return put(el, children);
}

// arrange makes els what box holds. The focus stays where it is.
export function arrange(box, els) {
  if (els.length === box.children.length && els.every((el, i) => el === box.children[i])) return;
  const focused = document.activeElement;
  box.replaceChildren(...els);
  if (box.contains(focused)) focused.focus();
}

// facts lists what is known of a thing: rows of [label, value]. Null and false are left out.
export const facts = (rows) => h('dl.facts', rows.map((row) => row && h('div.fact', h('dt', row[0]), h('dd', row[1]))));

// icon draws one path of the sprite; it says nothing to screen readers.
export function icon(name) {
  const svg = document.createElementNS(SVG, 'svg');
  const use = document.createElementNS(SVG, 'use');
  for (const [key, value] of [['class', 'icon'], ['viewBox', '0 0 20 20'], ['aria-hidden', 'true']]) svg.setAttribute(key, value);
  use.setAttribute('href', `#i-${name}`);
  svg.append(use);
  return svg;
}

// button makes a button of a kind, which is its class: primary, plain, quiet, danger or icon.
export function button(kind, label, onclick, {icon: sign, ...attributes} = {}) {
  const only = kind.startsWith('icon');
  return h('button', {type: 'button', class: `button ${kind}`, onclick, 'aria-label': only && label, title: only && label, ...attributes},
    sign && icon(sign), !only && h('span', label));
}

// styles adds a style sheet that only some screens need, and resolves once it holds. Their modules
// await it, so that nothing is shown without.
export const styles = (name) => new Promise((done, failed) => {
  document.head.append(h('link', {rel: 'stylesheet', href: `/css/${name}.css`, onload: done, onerror: () => failed(new Error(`no style sheet ${name}`))}));
});

let last = 0;

// uid returns an id for labels and descriptions.
export const uid = () => `e${++last}`;
