(kind, name, scope) => {
  // find returns what can be acted upon now: the point at which a mouse hits it,
  // the nth element of its kind in the document, and its state; or why not.
  const clean = (s) => (s ?? '').replace(/\s+/g, ' ').trim();
  // spoken leaves out what assistive technology is not told.
  const spoken = (e) => {
    if (!e.querySelector('[aria-hidden=true]')) return clean(e.innerText ?? e.textContent);
    const walk = document.createTreeWalker(e, NodeFilter.SHOW_TEXT, (n) => (n.parentElement.closest('[aria-hidden=true]') ? NodeFilter.FILTER_REJECT : NodeFilter.FILTER_ACCEPT));
    let all = '';
    while (walk.nextNode()) all += ` ${walk.currentNode.data}`;
    return clean(all);
  };
  const text = (e) => (e ? spoken(e) : '');
  const named = (e) => {
    const by = e.getAttribute('aria-labelledby');
    if (by) return clean(by.split(/\s+/).map((id) => text(document.getElementById(id))).join(' '));
    if (e.hasAttribute('aria-label')) return clean(e.getAttribute('aria-label'));
    if (e.labels?.length) return clean([...e.labels].map(text).join(' '));
    if (e.matches('input[type=submit], input[type=button]')) return clean(e.value);
    if (e.matches('input, select, textarea')) return clean(e.title || e.placeholder);
    return text(e) || clean(e.querySelector('img[alt]')?.alt) || clean(e.title);
  };
  const part = (e) => {
    if (e.matches('tr')) return [...e.cells].flatMap((c) => [text(c), ...[...c.querySelectorAll('a, strong')].map(text)]);
    const own = e.getAttribute('aria-labelledby') || e.hasAttribute('aria-label') ? named(e) : text(e.querySelector('legend, h1, h2, h3, h4'));
    return [own];
  };
  const kinds = {
    button: 'button, a[href], summary, [role=button], [role=tab], [role=option], input[type=submit], input[type=button]',
    field: 'input:not([type=radio], [type=file]), select, textarea, output',
    choice: 'input[type=checkbox], input[type=radio], [role=checkbox], [role=radio], [role=switch]',
    file: 'input[type=file]',
  };
  const modal = [...document.querySelectorAll('dialog[open]')].findLast((d) => d.matches(':modal'));
  const open = (e) => e.checkVisibility({visibilityProperty: true}) && (!modal || modal.contains(e));
  let area = modal ?? document;
  if (scope) {
    const parts = [...area.querySelectorAll('dialog, fieldset, section, article, nav, form, [role=group], [role=region], tr, details, li')].filter(open);
    area = parts.findLast((e) => part(e).includes(scope));
    if (!area) return {why: `there is no part named ${scope}`};
  }
  const all = [...document.querySelectorAll(kinds[kind])];
  const there = all.filter((e) => area.contains(e) && (open(e) || (kind === 'file' && e.labels && [...e.labels].some(open))));
  const fits = name.endsWith('…') ? (x) => named(x).startsWith(name.slice(0, -1)) : (x) => named(x) === name;
  const e = there.findLast(fits);
  if (!e) return {why: `there is no ${kind} named ${name}; there are ${there.map(named).slice(0, 60).join(' | ')}`};
  const found = {nth: all.indexOf(e), tag: e.localName, type: e.type ?? '', disabled: Boolean(e.disabled), on: e.checked ?? e.getAttribute('aria-checked') === 'true', value: String(e.value ?? '')};
  const target = e.getBoundingClientRect().width > 4 ? e : e.labels?.[0] ?? e;
  if (kind === 'file') {
    target.scrollIntoView({block: 'center', behavior: 'instant'});
    return found;
  }
  const near = () => [...target.getClientRects()].find((r) => r.width > 0) ?? target.getBoundingClientRect();
  let box = near();
  const at = () => document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2);
  const hit = (x) => x && (target.contains(x) || x.contains(target) && x.localName === 'label' || [...e.labels ?? []].some((l) => l.contains(x)));
  if (!hit(at())) {
    target.scrollIntoView({block: 'center', inline: 'center', behavior: 'instant'});
    box = near();
  }
  const top = at();
  if (!hit(top)) return {why: `${name} is covered by ${top ? `${top.localName}.${top.className?.baseVal ?? top.className}` : 'nothing: it is outside'}`};
  return {...found, x: box.x + box.width / 2, y: box.y + box.height / 2};
}
