// The wire log: webhooks, API requests, and the files that either side fetches.

import { $, element, icon } from "./dom.js";
import { detail } from "./detail.js";
import { rove } from "./roving.js";
import { sides } from "./sides.js";

const WAYS = {
  rest: () => [`${sides.owner} → Twilio`, "an API request"],
  webhook: () => [`Twilio → ${sides.owner}`, "a signed webhook"],
  fetch: () => ["Twilio → media URL", "a file of a message that is sent"],
  cdn: () => [`${sides.owner} → file store`, "a file of a message that was received"],
  alert: () => ["Twilio", "an alert"],
};
const KINDS = [["All", () => true], ["Webhooks", (entry) => entry.kind === "webhook"], ["API", (entry) => entry.kind === "rest"], ["Files", (entry) => ["fetch", "cdn"].includes(entry.kind)]];
const MOST_KEPT = 2000;
const MOST_SHOWN = 250;

let entries = [];
let chosen = null;
let kind = KINDS[0];
let words = [];
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
  $("search").addEventListener("input", ({ target }) => {
    words = target.value.toLowerCase().split(/\s+/).filter(Boolean);
    follows = true;
    draw();
  });
}

const isShown = (entry) => (chosen === null || entry.about === chosen) && kind[1](entry) && isFound(entry);

function isFound(entry) {
  const text = [entry.event, ...WAYS[entry.kind](), entry.method, entry.target, entry.status ?? "no answer", entry.phone].join(" ").toLowerCase();
  return words.every((word) => text.includes(word));
}

export function load(log, alerts) {
  entries = [...log, ...alerts.map(fromAlert)].sort((one, other) => one.at - other.at).slice(-MOST_KEPT);
  draw();
}

const keyOf = (entry) => entry.sid ?? entry.id;

export function fromAlert(alert) {
  const pairs = [["Request", `${alert.request_method} ${alert.request_url}`], ["More", alert.more_info]].filter(([, value]) => value);
  return { sid: alert.sid, kind: "alert", event: `alert ${alert.error_code}`, method: alert.error_code, target: alert.alert_text, status: "alert", about: alert.resource_sid, at: Date.parse(alert.date_created), took: null, pairs };
}

// Adds or updates an entry; returns true if it is new.
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

// Keeps the position of a reader who scrolled back.
$("log").addEventListener("scroll", ({ target }) => {
  follows = target.scrollHeight - target.scrollTop - target.clientHeight < 60;
});

new ResizeObserver(() => follows && showEnd()).observe($("log"));

const showEnd = () => ($("log").scrollTop = $("log").scrollHeight);

// Shows only the requests for this message, or everything again.
export function choose(sid) {
  chosen = sid;
  $("filter").hidden = sid === null;
  $("wire-hint").hidden = sid !== null;
  $("filter-said").textContent = sid ? `Only message ${sid.slice(0, 8)}…` : "";
  draw();
}

// Returns why the phone's answer waits after this request: null if it does not wait, undefined if unknown.
export function delay({ kind, event, status, about }) {
  if (kind !== "rest" || event !== "send") return undefined;
  if (about !== null) return null; // the message exists
  if (status === null) return "Twilio did not answer, and the gateway checks whether the message was sent".replace("the gateway", sides.theOwner);
  if (status === 429) return "Twilio accepts no more messages for now (429)";
  if (status === 503) return "Twilio is down (503)";
  return status >= 500 ? `Twilio failed (${status})` : null;
}

// The latest reason by phone.
export const delays = () => new Map(entries.filter((entry) => entry.phone && delay(entry) !== undefined).map((entry) => [entry.phone, delay(entry)]));

// Returns the requests for a message.
export const behind = (sid) => entries.filter((entry) => entry.about === sid).map(line);

function draw() {
  $("log").replaceChildren();
  $("no-wire").hidden = false;
  $("no-wire").textContent = entries.length > 0 ? "No request matches." : "No requests yet. Send a text.";
  entries.filter(isShown).slice(-MOST_SHOWN).forEach(add);
  showEnd();
}

// Returns the target without the part that all lines share.
const brief = (target) => target.replace(/^https?:\/\/[^/]+/, "").replace(/^\/2010-04-01\/Accounts\/AC[^/.]+\/?/, "/…/");
const clock = (at) => new Date(at).toTimeString().slice(0, 8);

export function line(entry) {
  const [way, meaning] = WAYS[entry.kind]();
  const status = element("span", { className: "status", textContent: entry.status ?? "no answer" });
  status.classList.toggle("bad", entry.kind === "alert" || entry.status === null || entry.status >= 400);
  const sign = element("span", { className: "way", title: `${way}: ${meaning}` }, element("span", { className: "out-of-sight", textContent: `, ${way}, ${meaning}: ` }));
  if (entry.kind === "webhook") sign.append(icon("lock"));
  sign.append(element("span", { ariaHidden: "true", textContent: way }));
  const target = element("span", { className: "target", textContent: entry.kind === "alert" ? entry.target : brief(entry.target), title: entry.target });
  const button = element("button", { type: "button", className: "line" }, icon("more"), element("time", { textContent: clock(entry.at) }),
    element("span", { className: "event", textContent: entry.event }), sign, element("span", { className: "method", textContent: entry.kind === "alert" ? "" : entry.method }), target, status,
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
