// What is in a thread: messages with what became of them, and the facts that everybody should know.

import { element, icon, many } from "./dom.js";
import { preview, show } from "./pictures.js";
import { rove } from "./roving.js";

const SIGNS = { accepted: "clock", queued: "clock", sending: "tick", sent: "tick", delivered: "ticks", received: "ticks", undelivered: "alarm", failed: "alarm" };

const FACTS = {
  STOP: "Stopped: Twilio lets no text through to this phone until it sends START.",
  START: "Started: texts get through to this phone again.",
};

export const isFromPhone = (message) => message.direction === "inbound";

export const isFailed = (message) => ["failed", "undelivered"].includes(message.status);

export const whose = (message) => (isFromPhone(message) ? "this phone" : message.keyword ? "Twilio" : "the assistant");

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
    made.prepend(element("p", { className: "by", textContent: "Twilio answers by itself" }));
  }
  redraw(made, message);
  return made;
}

// Brings a bubble up to date: its files may come late, its status changes.
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
    element("p", { className: "fate" }, icon("clock"), element("span", { textContent: "leaving" })));
}

// The fact that a message brings about, if any.
export function fact(message) {
  if (!isFromPhone(message) || !FACTS[message.keyword]) return null;
  return element("li", { className: "fact" }, element("span", { textContent: FACTS[message.keyword] }));
}

// Shows below a message what went over the wire for it; gives a function that takes one line more.
export function unfold(made, lines) {
  const list = element("ol", { className: "trace" });
  list.setAttribute("aria-label", "What went over the wire for this message");
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

export function fold(made) {
  if (made.querySelector(".trace")?.contains(document.activeElement)) made.querySelector(".said").focus();
  made.querySelector(".trace")?.remove();
  made.classList.remove("chosen");
  made.querySelector(".said").setAttribute("aria-expanded", "false");
}
