// One Tab stop for a whole list: arrow keys, Home and End move between its entries.

const STEPS = { ArrowUp: -1, ArrowDown: 1, PageUp: -10, PageDown: 10, Home: -Infinity, End: Infinity };

// `item` selects the focusable control of an entry, `more` its other controls that Tab reaches from there. Returns a
// function that registers an entry that is new or has new controls.
export function rove(list, item, more = item) {
  let current = null;

  function mark(entry) {
    for (const one of entry?.querySelectorAll(`${item}, ${more}`) ?? []) one.tabIndex = entry === current ? 0 : -1;
  }

  function stopAt(entry) {
    const left = current;
    current = entry;
    mark(left);
    mark(entry);
  }

  const entries = () => [...list.children].filter((entry) => entry.querySelector(item));

  list.addEventListener("focusin", ({ target }) => {
    const entry = [...list.children].find((one) => one.contains(target));
    if (entry?.querySelector(item)) stopAt(entry);
  });
  list.addEventListener("keydown", (event) => {
    const step = STEPS[event.key];
    if (step === undefined || !event.target.matches(item) || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    const all = entries();
    const from = all.findIndex((entry) => entry.contains(event.target));
    all[Math.max(0, Math.min(all.length - 1, from + step))].querySelector(item).focus();
  });

  function newest() {
    let last = list.lastElementChild;
    while (last && !last.querySelector(item)) last = last.previousElementSibling;
    return last;
  }

  // Tab goes to the newest entry, unless the focus is in the list.
  return (entry) => {
    mark(entry);
    const isLeft = current === null || !list.contains(current) || !list.contains(document.activeElement);
    if (isLeft && newest() !== current) stopAt(newest());
  };
}
