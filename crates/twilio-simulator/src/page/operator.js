// The operator's side: pairing requests, calls to a phone, and today's counts of the gateway.

import { $, ask, element, many, pretty } from "./dom.js";
import { copyButton } from "./copy.js";

let drawn = "";

async function decide(what, body) {
  try {
    await ask(`/_operator/${what}`, "POST", body);
  } catch (error) {
    $("no-requests").hidden = false;
    $("no-requests").textContent = error.message;
  }
  document.dispatchEvent(new Event("operator-decided"));
}

// Approves a phone by its number; throws on failure.
export async function approve(number) {
  await ask("/_operator/approve", "POST", { who: number });
  document.dispatchEvent(new Event("operator-decided"));
}

function request({ code, number, kept }) {
  const choices = [
    ["Approve", "pill yes", () => decide("approve", { who: code })],
    ["Reject", "pill", () => decide("reject", { who: code, block: false })],
    ["Block", "pill", () => decide("reject", { who: code, block: true })],
  ].map(([name, className, act]) => {
    const button = element("button", { type: "button", className, textContent: name });
    button.setAttribute("aria-label", `${name} ${number}`);
    button.addEventListener("click", act);
    return button;
  });
  const made = element("li", {}, element("p", { className: "who" }, element("strong", { textContent: pretty(number) }), ` wants to text the assistant. ${many(kept, "message")} waiting.`),
    element("p", { className: "code" }, element("span", { textContent: code }), copyButton(code, "the pairing code")), element("div", { className: "choices" }, ...choices));
  made.dataset.number = number;
  return made;
}

$("place").addEventListener("submit", async (event) => {
  event.preventDefault();
  const problem = $("place-problem");
  problem.hidden = true;
  try {
    const to = $("place-to").value;
    // Rings until the phone on this page answers.
    await ask("/_simulator/call-outcome", "POST", { to, outcome: "rings" });
    await ask("/_operator/call", "POST", { to, message: $("place-message").value });
    $("place-message").value = "";
  } catch (error) {
    problem.textContent = `Not called: ${error.message}.`;
    problem.hidden = false;
  }
});

// Offers the phones, and keeps the chosen one.
function offer(numbers) {
  const to = $("place-to");
  if ([...to.options].map(({ value }) => value).join() === numbers.join()) return;
  const chosen = to.value;
  to.replaceChildren(...numbers.map((number) => element("option", { value: number, textContent: pretty(number) })));
  if (numbers.includes(chosen)) to.value = chosen;
}

// Draws the panel for these phones and returns the requests.
export async function draw(numbers) {
  offer(numbers);
  const [requests, status] = await Promise.all([ask("/_operator/requests"), ask("/_operator/status")]);
  const now = JSON.stringify(requests);
  if (now !== drawn) {
    drawn = now;
    const hadFocus = $("requests").contains(document.activeElement);
    $("requests").replaceChildren(...requests.map(request));
    $("no-requests").textContent = "No pairing requests.";
    $("no-requests").hidden = requests.length > 0;
    if (hadFocus) ($("requests").querySelector("button") ?? $("operator-title")).focus();
  }
  const count = ([name, number]) => element("div", {}, element("dt", { textContent: name }), element("dd", { textContent: number }));
  $("counts").replaceChildren(...status.map(count));
  return requests;
}
