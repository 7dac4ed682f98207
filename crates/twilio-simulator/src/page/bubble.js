// What is in a thread: messages with what became of them, and the facts that everybody should know.

import { element, icon, many } from "./dom.js";
import { show } from "./pictures.js";

const SIGNS = { accepted: "clock", queued: "clock", sending: "tick", sent: "tick", delivered: "ticks", received: "ticks", undelivered: "alarm", failed: "alarm" };

const FACTS = {
  STOP: "Stopped: Twilio lets no text through to this phone until it sends START.",
  START: "Started: texts get through to this phone again.",
};

export const isFromPhone = (message) => message.direction === "inbound";

export function bubble(message, onChoose) {
  const whose = isFromPhone(message) ? "this phone" : message.keyword ? "Twilio" : "the assistant";
  const said = element("button", { type: "button", className: "said" }, element("span", { className: "out-of-sight", textContent: `From ${whose}: ` }),
    element("span", { className: "body", textContent: message.body }));
  said.setAttribute("aria-expanded", "false");
  said.addEventListener("click", () => onChoose(message.sid));
  const made = element("li", { className: "bubble" }, element("div", { className: "files" }), said,
    element("p", { className: "fate" }), element("ol", { className: "trace", hidden: true }));
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
  const isFailed = ["failed", "undelivered"].includes(message.status);
  const whose = isFromPhone(message) ? "this phone" : "the assistant";
  made.classList.toggle("failed", isFailed);
  const files = made.querySelector(".files");
  if (files.childElementCount !== message.media.length) files.replaceChildren(...message.media.map((media) => show(media, whose)));
  const said = made.querySelector(".said");
  said.classList.toggle("bare", message.body === "");
  if (message.body === "") said.querySelector(".body").textContent = many(message.num_media, "file");
  const sign = icon(SIGNS[message.status] ?? "clock");
  sign.classList.add(message.status);
  const words = [message.status];
  if (isFailed && message.error_code) words.push(`error ${message.error_code}: ${message.error_message}`);
  if (Number(message.num_segments) > 0 && message.num_media === "0") words.push(many(message.num_segments, "segment"));
  if (message.price) words.push(`$${message.price.replace("-", "").replace(/0+$/, "")}`);
  made.querySelector(".fate").replaceChildren(sign, element("span", { textContent: words.join(" · ") }));
}

export function pendingBubble({ body, files }) {
  const said = element("div", { className: "said" }, element("span", { className: "out-of-sight", textContent: "From this phone, being sent: " }),
    element("span", { className: "body", textContent: body }));
  said.classList.toggle("bare", body === "");
  const pictures = files.map((file) => (file.type.startsWith("image/") ? element("img", { src: file.url, alt: "" }) : element("span", { className: "file", textContent: file.name })));
  return element("li", { className: "bubble mine pending" }, element("div", { className: "files" }, ...pictures), said,
    element("p", { className: "fate" }, icon("clock"), element("span", { textContent: "leaving" })));
}

// The fact that a message brings about, if any.
export function fact(message) {
  if (!isFromPhone(message) || !FACTS[message.keyword]) return null;
  return element("li", { className: "fact" }, element("span", { textContent: FACTS[message.keyword] }));
}
