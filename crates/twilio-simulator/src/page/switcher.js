// The row of chips above the phones if not all fit on the screen: one per phone, with its unread messages.

import { $, element, many, pretty } from "./dom.js";

const chips = new Map(); // by number
const inSight = new Set(); // numbers
let phones = new Map();

// `show` makes a phone visible.
export function build(all, show) {
  phones = all;
  const seen = new IntersectionObserver((changes) => {
    for (const { target, isIntersecting } of changes) {
      const own = [...phones.values()].find(({ root }) => root === target);
      if (isIntersecting) inSight.add(own.number);
      else inSight.delete(own.number);
      if (isIntersecting) own.unread = 0;
    }
    draw();
  }, { threshold: 0.6 });
  new ResizeObserver(draw).observe($("stage"));
  return (phone) => {
    const chip = element("button", { type: "button", className: `chip ${phone.hue}` });
    chip.addEventListener("click", () => show(phone));
    chips.set(phone.number, chip);
    $("switcher").append(element("li", {}, chip));
    seen.observe(phone.root);
    draw();
  };
}

export const isInSight = (phone) => inSight.has(phone.number);

export function draw() {
  const isCrowded = $("stage").scrollWidth > $("stage").clientWidth + 1;
  $("chips").hidden = !(isCrowded || [...phones.values()].some(({ isAway }) => isAway));
  for (const [number, chip] of chips) {
    const { isAway, unread } = phones.get(number);
    chip.replaceChildren(element("span", { textContent: `…${number.slice(-4)}` }), element("b", { className: "badge", textContent: unread || "" }));
    const words = [pretty(number), isAway ? "hidden" : "", unread ? `${many(unread, "new message")}` : ""];
    chip.setAttribute("aria-label", words.filter(Boolean).join(", "));
    chip.title = isAway ? "Show it again" : "Show it";
    chip.classList.toggle("away", isAway);
    if (inSight.has(number)) chip.setAttribute("aria-current", "true");
    else chip.removeAttribute("aria-current");
  }
}
