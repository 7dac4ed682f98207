// The open view: one of four on a small screen, one of two panels beside the phones on a medium one.

import { $, element, icon } from "./dom.js";

const VIEWS = { phones: "Phones", operator: "Operator", trouble: "Faults", wire: "Wire" };
const badges = []; // [view, element]

export function build() {
  $("views").replaceChildren(...Object.keys(VIEWS).map((view) => button(view, icon(view), element("span", { textContent: VIEWS[view] }))));
  $("tabs").replaceChildren(button("wire", "Wire log"), button("trouble", "Faults"));
  show("phones");
}

function button(view, ...children) {
  const badge = element("b", { className: "badge" });
  const made = element("button", { type: "button" }, ...children, badge);
  made.dataset.view = view;
  made.addEventListener("click", () => show(view));
  badges.push([view, badge]);
  return made;
}

export function show(view) {
  document.body.dataset.view = view;
  // One panel is always open beside the phones.
  const panel = view === "trouble" ? "trouble" : "wire";
  document.body.dataset.panel = panel;
  mark($("views"), view);
  mark($("tabs"), panel);
  if (view === "phones") badge("phones", "");
}

function mark(list, view) {
  for (const one of list.children) {
    if (one.dataset.view === view) one.setAttribute("aria-current", "true");
    else one.removeAttribute("aria-current");
  }
}

// An indicator with a text.
export function badge(view, sign, words = "") {
  const parts = () => [element("span", { ariaHidden: "true", textContent: sign }), element("span", { className: "out-of-sight", textContent: words })];
  for (const [own, made] of badges) if (own === view) made.replaceChildren(...(sign ? parts() : []));
}

export const isOpen = (view) => document.body.dataset.view === view;

export function hide(view, isHidden) {
  $("views").querySelector(`[data-view="${view}"]`).hidden = isHidden;
}
