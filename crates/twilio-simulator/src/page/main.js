// The page: its phones, the selected message, and the event stream.

import { $, ask, icon, pretty, store } from "./dom.js";
import { isFromPhone } from "./bubble.js";
import { Phone } from "./phone.js";
import * as guide from "./guide.js";
import * as operator from "./operator.js";
import { setSides, sides } from "./sides.js";
import * as switcher from "./switcher.js";
import * as trouble from "./trouble.js";
import * as views from "./views.js";
import * as wire from "./wire.js";

const FIRST = "+15550005678";
const phones = new Map(); // by number; those that were put away stay
let bot = "";
let hasOperator = false;
let faults = 0; // how many are on
let chosen = null; // a message's SID
let traceMore = null; // shows one more line below it

// ---- phones

const desk = { bot: () => bot, choose, close: putAway, approve: operator.approve };
const giveChip = switcher.build(phones, takeOut);

function phone(number) {
  if (!phones.has(number)) {
    const made = new Phone(number, phones.size, desk);
    made.introduce();
    phones.set(number, made);
    $("stage").append(made.root);
    giveChip(made);
    drawPhones();
  }
  return phones.get(number);
}

const onStage = () => [...phones.values()].filter(({ isAway }) => !isAway);

function drawPhones() {
  const there = onStage();
  document.body.dataset.phones = Math.min(there.length, 4);
  for (const one of there) one.find(".close").hidden = there.length === 1;
  switcher.draw();
}

function addPhone() {
  const last = Math.max(...[...phones.keys()].map((number) => Number(number.slice(-4))));
  takeOut(phone(`+1555000${String((last + 1) % 10000).padStart(4, "0")}`));
}

// A hidden phone still gets its messages.
function putAway(own) {
  own.isAway = true;
  own.root.remove();
  drawPhones();
  onStage().at(-1).focus();
}

// Shows a phone, wherever it was.
function takeOut(own) {
  if (own.isAway) {
    own.isAway = false;
    const all = onStage();
    $("stage").insertBefore(own.root, all[all.indexOf(own) + 1]?.root ?? null);
    own.thread.showEnd();
  }
  own.unread = 0;
  drawPhones();
  views.show("phones");
  own.root.scrollIntoView({ inline: "center", block: "nearest" });
  own.focus();
}

const other = (message) => (isFromPhone(message) ? message.from : message.to);
const isPhone = (number) => number !== bot && /^\+\d+$/.test(number ?? "");

function takeMessage(message) {
  const number = other(message);
  if (!isPhone(number)) return;
  const own = phone(number);
  countSteps(message);
  if (isFromPhone(message)) guide.makeRoom();
  if (!own.thread.take(message, true) || isFromPhone(message)) return;
  if (!views.isOpen("phones")) views.badge("phones", "•", "new messages");
  if (switcher.isInSight(own)) return;
  own.unread += 1;
  switcher.draw();
}

function takeCall(call, isNow = true) {
  const number = call.direction === "inbound" ? call.from : call.to;
  if (isPhone(number)) phone(number).call.take(call, isNow);
}

// Marks the first steps that a message completes.
function countSteps(message) {
  if (isFromPhone(message)) {
    if (hasOperator) guide.finish(0);
    if (hasOperator && faults > 0) guide.finish(2);
  } else if (!hasOperator && !message.keyword) {
    guide.finish(2);
  }
}

// ---- the requests for a message

function choose(sid) {
  for (const one of phones.values()) if (one.thread.has(chosen)) one.thread.fold(chosen);
  chosen = sid === chosen ? null : sid;
  wire.choose(chosen);
  drawTrace();
}

function drawChosenAgain() {
  const again = chosen;
  if (again === null) return;
  choose(again);
  if ([...phones.values()].some(({ thread }) => thread.has(again))) choose(again);
}

function drawTrace() {
  traceMore = null;
  for (const one of phones.values()) if (one.thread.has(chosen)) traceMore = one.thread.unfold(chosen, wire.behind(chosen));
}

function takeEntry(entry) {
  if (!wire.take(entry)) return;
  if (entry.about === chosen) traceMore?.(wire.line(entry));
  countRequests(entry);
  const reason = wire.delay(entry);
  if (reason !== undefined) phones.get(entry.phone)?.thread.wait(reason);
}

// The first steps with the reader's own program.
function countRequests({ kind }) {
  if (hasOperator) return;
  if (kind === "rest") guide.finish(0);
  if (kind === "webhook") guide.finish(1);
}

// ---- the operator and faults

async function drawOperator() {
  if (!hasOperator) return;
  const waiting = new Map((await operator.draw([...phones.keys()])).map(({ number, code }) => [number, code]));
  views.badge("operator", waiting.size, `${waiting.size} waiting`);
  for (const one of phones.values()) {
    if (one.isWaiting && !waiting.has(one.number)) guide.finish(1);
    one.isWaiting = waiting.has(one.number);
    one.knock(waiting.get(one.number) ?? null);
  }
}

async function drawTrouble() {
  faults = await trouble.draw();
  views.badge("trouble", faults, `${faults} on`);
}

// Draws only once for many simultaneous changes.
function soon(draw) {
  let planned = null;
  return () => {
    planned ??= setTimeout(() => {
      planned = null;
      draw().catch(() => {});
    }, 120);
  };
}

// ---- light and dark

const THEMES = ["auto", "light", "dark"];

function setTheme(theme) {
  document.documentElement.dataset.theme = theme;
  store.set("theme", theme);
  $("theme").replaceChildren(icon(theme));
  $("theme").setAttribute("aria-label", `Colors: ${theme}`);
  $("theme").title = `Colors: ${theme}`;
}

// ---- following

let late = null; // what happens while everything is loaded

function follow() {
  const events = new EventSource("/_simulator/events");
  const on = (name, take) => events.addEventListener(name, (event) => {
    const data = JSON.parse(event.data);
    if (late) late.push(() => take(data));
    else take(data);
  });
  const operatorSoon = soon(drawOperator);
  const troubleSoon = soon(drawTrouble);
  on("message", takeMessage);
  on("call", (call) => takeCall(call));
  on("request", takeEntry);
  on("alert", (alert) => takeEntry(wire.fromAlert(alert)));
  events.addEventListener("behind", load);
  for (const name of ["message", "request"]) events.addEventListener(name, operatorSoon);
  events.addEventListener("request", troubleSoon);
  document.addEventListener("operator-decided", operatorSoon);
  document.addEventListener("trouble-changed", troubleSoon);
  events.addEventListener("open", load);
  events.addEventListener("error", () => say("lost", "The simulator stopped or cannot be reached"));
}

function say(state, text) {
  $("link").className = `link ${state}`;
  $("link").textContent = text;
}

async function load() {
  late = [];
  try {
    await loadAll();
    say("live", "Connected");
  } catch (error) {
    say("lost", `Could not load everything: ${error.message}`);
  }
  const missed = late;
  late = null;
  for (const take of missed) take();
}

async function loadAll() {
  const [account, messages, log, alerts, outcomes, calls] = await Promise.all(["account", "messages", "log", "alerts", "outcome", "calls"].map((name) => ask(`/_simulator/${name}`)));
  bot = account.numbers[0] ?? "";
  hasOperator = account.hasOperator;
  setSides(hasOperator);
  await introduce(account);
  $("operator").hidden = !hasOperator;
  views.hide("operator", !hasOperator);
  $("bot").textContent = pretty(bot);
  const byPhone = Map.groupBy(messages.filter((message) => isPhone(other(message))), other);
  for (const number of byPhone.keys()) phone(number);
  for (const one of phones.values()) {
    one.thread.load(byPhone.get(one.number) ?? []);
    one.showPower((outcomes[one.number] ?? "delivered") === "delivered");
  }
  for (const one of phones.values()) one.call.keep(calls);
  for (const call of calls) takeCall(call, false);
  wire.load(log, alerts);
  messages.filter((message) => isPhone(other(message))).forEach(countSteps);
  log.forEach(countRequests);
  for (const [number, reason] of wire.delays()) phones.get(number)?.thread.wait(reason);
  drawChosenAgain();
  await Promise.all([drawOperator(), drawTrouble()]);
}

// Shows the current agent and names both sides.
async function introduce(account) {
  if (hasOperator) guide.showAgent(await ask("/_operator/agent"));
  else guide.showTwilio(account);
  document.title = sides.title;
  $("title").textContent = sides.title;
  $("whose-number").textContent = sides.number;
  $("faults-hint").textContent = sides.faults;
  for (const one of phones.values()) one.introduce();
}

guide.build();
views.build();
trouble.build();
wire.build();
setTheme(store.get("theme") ?? "auto");
$("theme").addEventListener("click", () => setTheme(THEMES[(THEMES.indexOf(document.documentElement.dataset.theme) + 1) % 3]));
$("add").addEventListener("click", addPhone);
$("show-all").addEventListener("click", () => choose(chosen));
$("skip").addEventListener("click", (event) => {
  event.preventDefault();
  takeOut(onStage()[0]);
});
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && chosen !== null && !$("viewer").open) choose(chosen);
});
phone(FIRST).focus();
follow();
