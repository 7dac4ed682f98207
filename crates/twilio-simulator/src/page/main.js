// The page: which phones there are, what is looked at, and following what happens.

import { $, ask, element, icon, pretty } from "./dom.js";
import { isFromPhone } from "./bubble.js";
import { Phone } from "./phone.js";
import * as operator from "./operator.js";
import * as trouble from "./trouble.js";
import * as wire from "./wire.js";

const FIRST = "+15550005678";
const phones = new Map(); // by number
let bot = "";
let hasOperator = false;
let chosen = null;
let waiting = [];

// ---- phones

const desk = { bot: () => bot, choose, close: putAway, showOperator };

function phone(number) {
  if (!phones.has(number)) {
    const made = new Phone(number, phones.size, desk);
    phones.set(number, made);
    $("stage").append(made.root);
    drawPhones();
  }
  return phones.get(number);
}

function drawPhones() {
  $("stage").dataset.count = phones.size;
  for (const one of phones.values()) one.find(".close").hidden = phones.size === 1;
}

function addPhone() {
  const last = Math.max(...[...phones.keys()].map((number) => Number(number.slice(-4))));
  const made = phone(`+1555000${String((last + 1) % 10000).padStart(4, "0")}`);
  show("phones");
  made.root.scrollIntoView({ inline: "end", block: "nearest" });
  made.find("textarea").focus();
}

function putAway(own) {
  own.root.remove();
  phones.delete(own.number);
  drawPhones();
  [...phones.values()].at(-1).find("textarea").focus();
}

const other = (message) => (isFromPhone(message) ? message.from : message.to);
const isPhone = (number) => number !== bot && /^\+\d+$/.test(number ?? "");

function takeMessage(message, isNow) {
  const number = other(message);
  if (!isPhone(number)) return;
  const isNew = phone(number).take(message, isNow);
  if (isNew && !isFromPhone(message) && document.body.dataset.view !== "phones") badge("phones", "•");
}

// ---- what is behind a message

function choose(sid) {
  chosen = sid === chosen ? null : sid;
  wire.choose(chosen);
  drawTrace();
}

function drawTrace() {
  const lines = chosen ? wire.behind(chosen) : [];
  for (const one of phones.values()) one.trace(chosen, one.bubbles.has(chosen) ? lines : []);
}

function takeEntry(entry) {
  wire.take(entry);
  if (entry.about === chosen) drawTrace();
}

const fromAlert = (alert) => ({ kind: "alert", method: alert.error_code, target: alert.alert_text, status: "alert", about: alert.resource_sid, at: Date.parse(alert.date_created), took: null });

// ---- the operator and trouble

async function drawOperator() {
  if (!hasOperator) return;
  waiting = await operator.draw();
  badge("operator", waiting.length || "");
  for (const one of phones.values()) one.knock(waiting.includes(one.number));
}

function showOperator(number) {
  show("operator");
  $("requests").querySelector(`[data-number="${number}"] button`)?.focus();
}

const drawTrouble = async () => badge("trouble", (await trouble.draw()) || "");

// Many things happen at once; looking once is enough.
function soon(draw) {
  let planned = null;
  return () => {
    planned ??= setTimeout(() => {
      planned = null;
      draw().catch(() => {});
    }, 120);
  };
}

// ---- views on a small screen

const VIEWS = [["phones", "Phones"], ["operator", "Operator"], ["trouble", "Trouble"], ["wire", "Wire"]];

function buildViews() {
  const buttons = VIEWS.map(([view, name]) => {
    const button = element("button", { type: "button" }, icon(view), element("span", { textContent: name }), element("b", { className: "badge" }));
    button.dataset.view = view;
    button.addEventListener("click", () => show(view));
    return button;
  });
  $("views").replaceChildren(...buttons);
  show("phones");
}

function show(view) {
  document.body.dataset.view = view;
  for (const button of $("views").children) {
    if (button.dataset.view === view) button.setAttribute("aria-current", "true");
    else button.removeAttribute("aria-current");
  }
  if (view === "phones") badge("phones", "");
}

function badge(view, text) {
  $("views").querySelector(`[data-view="${view}"] .badge`).textContent = text;
}

// ---- light and dark

const THEMES = ["auto", "light", "dark"];

function setTheme(theme) {
  document.documentElement.dataset.theme = theme;
  localStorage.setItem("theme", theme);
  $("theme").replaceChildren(icon(theme));
  $("theme").setAttribute("aria-label", `Colours: ${theme}`);
  $("theme").title = `Colours: ${theme}`;
}

// ---- following

function follow() {
  const events = new EventSource("/_simulator/events");
  const on = (name, take) => events.addEventListener(name, (event) => take(JSON.parse(event.data)));
  const operatorSoon = soon(drawOperator);
  const troubleSoon = soon(drawTrouble);
  on("message", (message) => takeMessage(message, true));
  on("request", takeEntry);
  on("alert", (alert) => takeEntry(fromAlert(alert)));
  on("behind", load);
  for (const name of ["message", "request"]) events.addEventListener(name, operatorSoon);
  events.addEventListener("request", troubleSoon);
  document.addEventListener("operator-decided", operatorSoon);
  events.addEventListener("open", async () => {
    await load();
    say("live", "live");
  });
  events.addEventListener("error", () => say("lost", "the simulator has ended or cannot be reached"));
}

function say(state, text) {
  $("link").className = `link ${state}`;
  $("link").textContent = text;
}

async function load() {
  const [account, messages, log, outcomes] = await Promise.all(["account", "messages", "log", "outcome"].map((name) => ask(`/_simulator/${name}`)));
  bot = account.numbers[0] ?? "";
  hasOperator = account.hasOperator;
  $("operator").hidden = !hasOperator;
  $("views").querySelector('[data-view="operator"]').hidden = !hasOperator;
  $("bot").textContent = pretty(bot);
  for (const one of phones.values()) one.forget();
  for (const message of messages) takeMessage(message, false);
  for (const one of phones.values()) one.showPower((outcomes[one.number] ?? "delivered") === "delivered");
  wire.load(log);
  await Promise.all([drawOperator(), drawTrouble()]);
}

buildViews();
trouble.build();
wire.build();
setTheme(localStorage.getItem("theme") ?? "auto");
$("theme").addEventListener("click", () => setTheme(THEMES[(THEMES.indexOf(document.documentElement.dataset.theme) + 1) % 3]));
$("add").addEventListener("click", addPhone);
$("show-all").addEventListener("click", () => choose(chosen));
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && chosen !== null && !$("viewer").open) choose(chosen);
});
phone(FIRST).find("textarea").focus();
follow();
