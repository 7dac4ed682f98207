// The switches that make Twilio fail. The simulator knows which are on, because faults with a count end by themselves.

import { $, ask, element } from "./dom.js";

const GROUPS = [
  ["Sending", [
    ["Too many requests", "429, message not sent", "too-many-requests", { next: 3 }],
    ["Server error, not sent", "500", "server-error", { next: 1 }],
    ["Server error, but sent", "500", "server-error-after-accepting", { next: 1 }],
    ["Answer lost after sending", "connection cut", "cut-after-accepting", { next: 1 }],
    ["Slow answers", "3 seconds", { "delay-answer": { milliseconds: 3000 } }, { next: 5 }],
  ]],
  ["All requests", [
    ["Outage", "503 until you end it", "outage", "all"],
    ["Lists unavailable", "503 for each GET", "reads-unavailable", { next: 5 }],
  ]],
  ["Status reports", [
    ["Reports lost", "no status callback", "lose-callback", { next: 4 }],
    ["Reports out of order", "delivered before sent", "reorder-callback", { next: 4 }],
    ["Reports twice", "same token", "duplicate-callback", { next: 4 }],
  ]],
  ["Pictures", [
    ["Files late", "404 at first", "media-late", { next: 2 }],
    ["Links expired", "403 from the file store", "media-link-expired", { next: 2 }],
  ]],
];

const key = (fault) => (typeof fault === "string" ? fault : Object.keys(fault)[0]);
const switches = [];
let pacing = null;

function makeSwitch(name, hint, press) {
  const tally = element("span", { className: "tally" });
  const label = element("span", { className: "label" }, element("span", { className: "name", textContent: name }), " ",
    element("span", { className: "what", textContent: hint }));
  const made = element("button", { type: "button", className: "switch" }, label, tally);
  made.setAttribute("aria-pressed", "false");
  made.addEventListener("click", async () => {
    try {
      await press(made.getAttribute("aria-pressed") !== "true");
      document.dispatchEvent(new Event("trouble-changed"));
    } catch (error) {
      $("trouble-said").textContent = `${name}: not changed, ${error.message}.`;
    }
  });
  return made;
}

function makeFault([name, hint, fault, extent]) {
  const made = makeSwitch(name, hint, async (isOn) => {
    await ask("/_simulator/misbehave", "POST", { fault, extent: isOn ? extent : { next: 0 } });
    const often = extent.next === undefined ? "until you end it" : extent.next === 1 ? "the next time" : `the next ${extent.next} times`;
    $("trouble-said").textContent = isOn ? `${name}: ${often}.` : `${name}: ended.`;
  });
  switches.push({ made, fault: key(fault) });
  return made;
}

export function build() {
  const groups = GROUPS.map(([title, faults]) => {
    const list = element("div", { className: "switches" }, ...faults.map(makeFault));
    if (title === "Sending") {
      pacing = makeSwitch("Real sending rate", "1 segment a second", (isOn) => ask("/_simulator/pacing", "POST", isOn ? "as-twilio" : "lifted"));
      list.append(pacing);
    }
    list.setAttribute("role", "group");
    list.setAttribute("aria-label", title);
    return element("div", { className: "group" }, element("h3", { textContent: title }), list);
  });
  $("troubles").replaceChildren(...groups);
  $("calm").addEventListener("click", async () => {
    await Promise.all([ask("/_simulator/misbehave", "DELETE"), ask("/_simulator/pacing", "POST", "lifted")]);
    $("trouble-said").textContent = "All faults are off.";
    document.dispatchEvent(new Event("trouble-changed"));
  });
}

// Shows the active faults and returns their number.
export async function draw() {
  const [rules, account] = await Promise.all([ask("/_simulator/misbehave"), ask("/_simulator/account")]);
  for (const { made, fault } of switches) {
    const own = rules.filter((rule) => key(rule.fault) === fault);
    const left = own.reduce((sum, rule) => sum + (rule.extent.next ?? 0), 0);
    made.setAttribute("aria-pressed", String(own.length > 0));
    made.querySelector(".tally").textContent = own.length === 0 ? "" : left > 0 ? `${left}×` : "on";
  }
  const isPaced = account.pacing !== "lifted";
  pacing.setAttribute("aria-pressed", String(isPaced));
  pacing.querySelector(".tally").textContent = isPaced ? "on" : "";
  $("calm").hidden = rules.length === 0 && !isPaced;
  return rules.length + (isPaced ? 1 : 0);
}
