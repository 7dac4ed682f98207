// What goes over the wire: webhooks to the gateway, its API calls, and the files that either side fetches.

import { $, element, icon } from "./dom.js";

const WAYS = {
  rest: ["gateway → Twilio", "an API call"],
  webhook: ["Twilio → gateway", "a signed webhook"],
  fetch: ["Twilio fetches", "a file from its address"],
  cdn: ["file fetched", "from the store that a media URL leads to"],
  alert: ["Twilio notes", "an alert"],
};
const KINDS = [["All", () => true], ["Webhooks", (entry) => entry.kind === "webhook"], ["API", (entry) => entry.kind === "rest"], ["Files", (entry) => ["fetch", "cdn"].includes(entry.kind)]];
const MOST_KEPT = 2000;
const MOST_SHOWN = 250;

let entries = [];
let chosen = null;
let kind = KINDS[0];
let follows = true;

export function build() {
  const buttons = KINDS.map((own) => {
    const button = element("button", { type: "button", className: "quiet-button", textContent: own[0] });
    button.setAttribute("aria-pressed", String(own === kind));
    button.addEventListener("click", () => {
      kind = own;
      for (const other of buttons) other.setAttribute("aria-pressed", String(other === button));
      draw();
    });
    return button;
  });
  $("kinds").replaceChildren(...buttons);
}

const isShown = (entry) => (chosen === null || entry.about === chosen) && kind[1](entry);

export function load(all) {
  entries = all;
  draw();
}

export function take(entry) {
  entries.push(entry);
  if (entries.length > MOST_KEPT) entries.splice(0, MOST_KEPT / 4);
  if (!isShown(entry)) return;
  const log = $("log");
  log.append(line(entry));
  if (log.childElementCount > MOST_SHOWN) log.firstElementChild.remove();
  if (follows) log.scrollTop = log.scrollHeight;
}

// Whoever scrolls back is left there.
$("log").addEventListener("scroll", ({ target }) => {
  follows = target.scrollHeight - target.scrollTop - target.clientHeight < 60;
});

// Only what is about this message, or everything again.
export function choose(sid) {
  chosen = sid;
  $("filter").hidden = sid === null;
  $("wire-hint").hidden = sid !== null;
  $("filter-said").textContent = sid ? `Only ${sid.slice(0, 8)}…` : "";
  draw();
}

export const behind = (sid) => entries.filter((entry) => entry.about === sid).map(line);

function draw() {
  $("log").replaceChildren(...entries.filter(isShown).slice(-MOST_SHOWN).map(line));
  $("log").scrollTop = $("log").scrollHeight;
}

// Where it went, without what is the same in every line.
const brief = (target) => target.replace(/^https?:\/\/[^/]+/, "").replace(/^\/2010-04-01\/Accounts\/AC[^/.]+\/?/, "/…/");
const clock = (at) => new Date(at).toTimeString().slice(0, 8);

function line(entry) {
  const [way, meaning] = WAYS[entry.kind];
  const status = element("span", { className: "status", textContent: entry.status ?? "no answer" });
  status.classList.toggle("bad", entry.kind === "alert" || entry.status === null || entry.status >= 400);
  const sign = element("span", { className: "way", title: `${way}: ${meaning}` }, element("span", { className: "out-of-sight", textContent: `${way}, ${meaning}: ` }));
  if (entry.kind === "webhook") sign.append(icon("lock"));
  sign.append(element("span", { ariaHidden: "true", textContent: way }));
  const target = element("span", { className: "target", textContent: entry.kind === "alert" ? entry.target : brief(entry.target), title: entry.target });
  return element("li", { className: entry.kind }, element("time", { textContent: clock(entry.at) }), sign,
    element("span", { className: "method", textContent: entry.method }), target, status,
    element("span", { className: "took", textContent: entry.took === null || entry.took === undefined ? "" : `${entry.took} ms` }));
}
