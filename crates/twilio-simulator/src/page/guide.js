// The guide at the top: the current agent, how to choose another one, and three first steps.

import { $, element, icon, store } from "./dom.js";
import { command, copyButton } from "./copy.js";

const STEPS = {
  gateway: [
    "Send “Hello!” from the phone. It gets a pairing code.",
    "Press “Let them in” to approve the phone. The assistant answers.",
    "Turn on a fault and send another text. The answer arrives once.",
  ],
  twilio: [
    "Give your program this base URL and the credentials.",
    "Set the webhook of the number.",
    "Send a text from the phone, and read the requests.",
  ],
};

const done = new Set(); // indexes

// Screen height in pixels below which the guide starts closed.
const ENOUGH_HEIGHT = 700;

export function build() {
  const guide = $("guide");
  const chosen = store.get("guide");
  guide.open = chosen ? chosen === "open" : innerHeight >= ENOUGH_HEIGHT;
  // Clicks and Enter count, but sending a text does not.
  guide.querySelector("summary").addEventListener("click", () => store.set("guide", guide.open ? "closed" : "open"));
}

// An agent of the gateway: `{sentence, commands, problem}`.
export function showAgent({ sentence, commands, problem }) {
  show(sentence, STEPS.gateway);
  $("guide").classList.toggle("echo", commands.length > 0);
  $("agent-problem").textContent = problem ?? "";
  $("agent-problem").hidden = !problem;
  if (commands.length === 0) return;
  const [first, ...others] = commands;
  const example = ({ fits, command: text }) => [element("p", { className: "fits", textContent: `${fits}:` }), command(text)];
  const more = element("details", { className: "others" }, element("summary", { textContent: "Other agents" }), ...others.flatMap(example));
  const how = element("p", { textContent: "To use your own agent, press Ctrl-C in the terminal and start again with its command." });
  $("own").replaceChildren(how, ...example(first), more);
}

// Without a gateway.
export function showTwilio({ sid, numbers }) {
  show("This is a simulated Twilio for your own programs.", STEPS.twilio);
  const webhook = `curl ${location.origin}/_simulator/numbers -H "content-type: application/json" -d '{"number": "${numbers[0]}", "settings": {"SmsUrl": "http://127.0.0.1:3335/telephony/webhook"}}'`;
  const value = ([name, text]) => element("div", {}, element("dt", { textContent: name }), element("dd", {}, element("code", { textContent: text }), copyButton(text, `the ${name}`)));
  const values = [["base URL", location.origin], ["account SID", sid], ["number", numbers[0]]].map(value);
  $("own").replaceChildren(element("dl", { className: "values" }, ...values),
    element("p", { className: "fits", textContent: "The auth token is in the terminal. To set the webhook of the number, put in your own URL:" }), command(webhook));
}

function show(sentence, steps) {
  $("guide").hidden = false;
  $("agent-sentence").replaceChildren(...withCode(sentence));
  if ($("steps").childElementCount === 0) $("steps").replaceChildren(...steps.map(step));
}

// Returns the text with its `code` as elements.
const withCode = (text) => text.split("`").map((part, index) => (index % 2 === 1 ? element("code", { textContent: part }) : part));

const step = (text) => element("li", {}, element("span", { className: "sign", ariaHidden: "true" }), element("span", { className: "out-of-sight" }), element("span", { className: "step", textContent: text }));

// Marks a step, counted from 0, as done.
export function finish(index) {
  if (done.has(index)) return;
  done.add(index);
  const steps = [...$("steps").children];
  const made = steps[index];
  if (!made) {
    done.delete(index);
    return;
  }
  made.classList.add("done");
  made.querySelector(".sign").replaceChildren(icon("tick"));
  made.querySelector(".out-of-sight").textContent = "Done: ";
}

// On a small screen the thread needs the space once the first text is sent.
export function makeRoom() {
  if (getComputedStyle($("views")).display !== "none") $("guide").open = false;
}
