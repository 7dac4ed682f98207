// The entries of a thread: messages with their status, and notes about the effects of STOP and START.

import { element, icon, many } from "./dom.js";
import { preview, show } from "./pictures.js";
import { rove } from "./roving.js";
import { sides } from "./sides.js";

const SIGNS = { accepted: "clock", queued: "clock", sending: "tick", sent: "tick", delivered: "ticks", received: "ticks", undelivered: "alarm", failed: "alarm" };

const FACTS = {
  STOP: "Stopped: Twilio blocks texts to this phone until it sends START.",
  START: "Started: texts reach this phone again.",
};

export const isFromPhone = (message) => message.direction === "inbound";

export const isFailed = (message) => ["failed", "undelivered"].includes(message.status);

export const whose = (message) => (isFromPhone(message) ? "this phone" : message.keyword ? "Twilio (automatic reply)" : sides.author);

export const why = (message) => (message.error_code ? `error ${message.error_code}: ${message.error_message}` : "");

export function bubble(message, onChoose) {
  const said = element("button", { type: "button", className: "said" }, element("span", { className: "out-of-sight", textContent: `From ${whose(message)}: ` }),
    element("span", { className: "body", textContent: message.body }));
  said.setAttribute("aria-expanded", "false");
  said.addEventListener("click", () => onChoose(message.sid));
  const made = element("li", { className: "bubble" }, element("div", { className: "files" }), said, element("p", { className: "fate" }));
  made.dataset.sid = message.sid;
  made.classList.toggle("mine", isFromPhone(message));
  if (!isFromPhone(message) && message.keyword) {
    made.classList.add("by-twilio");
    made.prepend(element("p", { className: "by", textContent: "Automatic reply from Twilio" }));
  }
  redraw(made, message);
  return made;
}

// Updates a bubble, because files arrive later and the status changes.
export function redraw(made, message) {
  made.classList.toggle("failed", isFailed(message));
  const files = made.querySelector(".files");
  if (files.childElementCount !== message.media.length) files.replaceChildren(...message.media.map((media) => show(media, whose(message))));
  const said = made.querySelector(".said");
  said.classList.toggle("bare", message.body === "");
  if (message.body === "") said.querySelector(".body").textContent = many(message.num_media, "file");
  const sign = icon(SIGNS[message.status] ?? "clock");
  sign.classList.add(message.status);
  const words = [message.status];
  if (isFailed(message) && why(message)) words.push(why(message));
  if (Number(message.num_segments) > 0 && message.num_media === "0") words.push(many(message.num_segments, "segment"));
  if (message.price) words.push(`$${message.price.replace("-", "").replace(/0+$/, "")}`);
  made.querySelector(".fate").replaceChildren(sign, element("span", { textContent: words.join(" · ") }));
}

export function pendingBubble({ body, files }) {
  const said = element("div", { className: "said" }, element("span", { className: "out-of-sight", textContent: "From this phone, being sent: " }),
    element("span", { className: "body", textContent: body }));
  said.classList.toggle("bare", body === "");
  return element("li", { className: "bubble mine pending" }, element("div", { className: "files" }, ...files.map((file) => preview(file, ""))), said,
    element("p", { className: "fate" }, icon("clock"), element("span", { textContent: "sending" })));
}

// Returns the note about a message's effect, if any.
export function fact(message) {
  if (!isFromPhone(message) || !FACTS[message.keyword]) return null;
  return element("li", { className: "fact" }, element("span", { textContent: FACTS[message.keyword] }));
}

// Shows the requests for a message below it; returns a function that adds a line.
export function unfold(made, lines) {
  const list = element("ol", { className: "trace" });
  list.setAttribute("aria-label", "Requests for this message");
  const takeIn = rove(list, ".line");
  const add = (line) => {
    list.append(line);
    takeIn(line);
  };
  lines.forEach(add);
  made.append(list);
  made.classList.add("chosen");
  made.querySelector(".said").setAttribute("aria-expanded", "true");
  return add;
}

// Returns the note that an answer is waiting, with the reason.
export const waitingNote = (reason) => element("li", { className: "fact waiting" }, element("span", { textContent: `The answer is waiting: ${reason}.` }));

export function fold(made) {
  if (made.querySelector(".trace")?.contains(document.activeElement)) made.querySelector(".said").focus();
  made.querySelector(".trace")?.remove();
  made.classList.remove("chosen");
  made.querySelector(".said").setAttribute("aria-expanded", "false");
}
