// What goes over the wire: webhooks to the gateway, its API calls, and the files that either side fetches.

import { $, element, icon } from "./dom.js";
import { detail } from "./detail.js";
import { rove } from "./roving.js";

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
const takeIn = rove($("log"), ".line");

export function build() {
  const buttons = KINDS.map((own) => {
    const button = element("button", { type: "button", className: "quiet-button", textContent: own[0] });
    button.setAttribute("aria-pressed", String(own === kind));
    button.addEventListener("click", () => {
      kind = own;
      follows = true;
      for (const other of buttons) other.setAttribute("aria-pressed", String(other === button));
      draw();
    });
    return button;
  });
  $("kinds").replaceChildren(...buttons);
}

const isShown = (entry) => (chosen === null || entry.about === chosen) && kind[1](entry);

export function load(log, alerts) {
  entries = [...log, ...alerts.map(fromAlert)].sort((one, other) => one.at - other.at).slice(-MOST_KEPT);
  draw();
}

const keyOf = (entry) => entry.sid ?? entry.id;

export function fromAlert(alert) {
  const pairs = [["Request", `${alert.request_method} ${alert.request_url}`], ["More", alert.more_info]].filter(([, value]) => value);
  return { sid: alert.sid, kind: "alert", method: alert.error_code, target: alert.alert_text, status: "alert", about: alert.resource_sid, at: Date.parse(alert.date_created), took: null, pairs };
}

// Takes what happened now; gives whether it was not known yet.
export function take(entry) {
  if (entries.some((known) => keyOf(known) === keyOf(entry))) return false;
  entries.push(entry);
  if (entries.length > MOST_KEPT) entries.splice(0, MOST_KEPT / 4);
  if (isShown(entry)) {
    add(entry);
    if ($("log").childElementCount > MOST_SHOWN) $("log").firstElementChild.remove();
    if (follows) showEnd();
  }
  return true;
}

function add(entry) {
  const made = line(entry);
  $("log").append(made);
  takeIn(made);
  $("no-wire").hidden = true;
}

// Whoever scrolls back, or reads a line, is left there.
$("log").addEventListener("scroll", ({ target }) => {
  follows = target.scrollHeight - target.scrollTop - target.clientHeight < 60;
});

new ResizeObserver(() => follows && showEnd()).observe($("log"));

const showEnd = () => ($("log").scrollTop = $("log").scrollHeight);

// Only what is about this message, or everything again.
export function choose(sid) {
  chosen = sid;
  $("filter").hidden = sid === null;
  $("wire-hint").hidden = sid !== null;
  $("filter-said").textContent = sid ? `Only ${sid.slice(0, 8)}…` : "";
  draw();
}

// The lines of what is about a message.
export const behind = (sid) => entries.filter((entry) => entry.about === sid).map(line);

function draw() {
  $("log").replaceChildren();
  $("no-wire").hidden = false;
  entries.filter(isShown).slice(-MOST_SHOWN).forEach(add);
  showEnd();
}

// Where it went, without what is the same in every line.
const brief = (target) => target.replace(/^https?:\/\/[^/]+/, "").replace(/^\/2010-04-01\/Accounts\/AC[^/.]+\/?/, "/…/");
const clock = (at) => new Date(at).toTimeString().slice(0, 8);

export function line(entry) {
  const [way, meaning] = WAYS[entry.kind];
  const status = element("span", { className: "status", textContent: entry.status ?? "no answer" });
  status.classList.toggle("bad", entry.kind === "alert" || entry.status === null || entry.status >= 400);
  const sign = element("span", { className: "way", title: `${way}: ${meaning}` }, element("span", { className: "out-of-sight", textContent: `${way}, ${meaning}: ` }));
  if (entry.kind === "webhook") sign.append(icon("lock"));
  sign.append(element("span", { ariaHidden: "true", textContent: way }));
  const target = element("span", { className: "target", textContent: entry.kind === "alert" ? entry.target : brief(entry.target), title: entry.target });
  const button = element("button", { type: "button", className: "line" }, icon("more"), element("time", { textContent: clock(entry.at) }), sign,
    element("span", { className: "method", textContent: entry.method }), target, status,
    element("span", { className: "took", textContent: entry.took === null || entry.took === undefined ? "" : `${entry.took} ms` }));
  button.setAttribute("aria-expanded", "false");
  const made = element("li", { className: entry.kind }, button);
  button.addEventListener("click", () => (button.getAttribute("aria-expanded") === "true" ? close(made) : open(made, entry)));
  made.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || button.getAttribute("aria-expanded") !== "true") return;
    event.stopPropagation();
    close(made);
    button.focus();
  });
  return made;
}

async function open(made, entry) {
  const box = element("div", { className: "detail" });
  made.querySelector(".line").setAttribute("aria-expanded", "true");
  made.append(box);
  box.append(...(await detail(entry)));
  const room = made.closest(".log, .screen").clientHeight;
  made.scrollIntoView({ block: made.offsetHeight > room ? "start" : "nearest" });
}

function close(made) {
  made.querySelector(".line").setAttribute("aria-expanded", "false");
  made.querySelector(".detail")?.remove();
}
