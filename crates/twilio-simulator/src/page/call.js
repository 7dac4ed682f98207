// A phone's call: its transcript, typed speech and a key pad. It needs neither a microphone nor a voice.

import { announce, ask, element, icon, pretty } from "./dom.js";

const KEYS = [..."123456789*0#"];

const STATES = {
  queued: "Calling",
  initiated: "Calling",
  ringing: "Ringing",
  "in-progress": "Call in progress",
  completed: "Call ended",
  busy: "Busy",
  "no-answer": "No answer",
  failed: "Call failed",
  canceled: "Call canceled",
};
const OVER = ["completed", "busy", "no-answer", "failed", "canceled"];

const isOver = (call) => OVER.includes(call.status);

export class Call {
  // `phone` has: number, find(selector), complain(text), focus() and desk.bot().
  constructor(phone) {
    this.phone = phone;
    this.call = null;
    this.waiting = null;
    this.find = (selector) => phone.find(`.call ${selector}`);
    this.dial = phone.find(".dial");
    this.dial.append(icon("call"));
    this.dial.title = "Call the assistant";
    this.dial.setAttribute("aria-label", "Call the assistant");
    this.find(".speech span").textContent = `Say on the call from ${pretty(phone.number)}`;
    this.find(".keys").append(...KEYS.map((key) => this.key(key)));
    this.listen();
  }

  key(key) {
    const made = element("button", { type: "button", textContent: key });
    made.addEventListener("click", () => this.drive("press", { keys: key }));
    return made;
  }

  listen() {
    this.dial.addEventListener("click", () => this.place());
    this.find(".answer").addEventListener("click", () => this.drive("answer"));
    this.find(".hang-up").addEventListener("click", () => this.leave());
    this.find("form").addEventListener("submit", (event) => {
      event.preventDefault();
      const speech = this.find("input");
      if (speech.value.trim() === "") return;
      this.drive("say", { text: speech.value });
      speech.value = "";
    });
  }

  async place() {
    this.phone.complain("");
    this.dial.disabled = true;
    try {
      await ask("/_simulator/inbound-call", "POST", { from: this.phone.number, to: this.phone.desk.bot() });
    } catch (error) {
      this.phone.complain(`Not called: ${error.message}.`);
    }
    this.draw();
  }

  // Ends the call, or puts an ended one away.
  leave() {
    if (!isOver(this.call)) return this.drive("hang-up");
    this.call = null;
    this.draw();
    this.dial.focus();
  }

  // Speech and keys return once the call has listened, which may be never.
  async drive(action, body = {}) {
    const { sid } = this.call;
    try {
      await ask(`/_simulator/calls/${sid}/${action}`, "POST", body);
    } catch (error) {
      // Meanwhile the call may have been put away, or another one may have followed it.
      if (this.call?.sid === sid && !isOver(this.call)) this.phone.complain(`The call did not accept it: ${error.message}.`);
    }
  }

  // Shows a call that changed. One that ended before the page was loaded stays hidden. While a call goes on, another
  // one waits for its end.
  take(call, isNow) {
    const isKnown = this.call?.sid === call.sid;
    if (!isKnown && this.call !== null && !isOver(this.call)) {
      this.waiting = call;
      return;
    }
    if (!isKnown && isOver(call) && !isNow) return;
    const heard = isKnown ? this.call.transcript.length : 0;
    const said = isKnown && this.call.status === call.status ? [] : [STATES[call.status]];
    for (const { by, text } of call.transcript.slice(heard)) if (by === "number") said.push(text);
    if (isNow && said.length > 0) announce(`${pretty(this.phone.number)}: ${said.join(": ")}`);
    const isAnswered = isKnown && this.call.status !== "in-progress" && call.status === "in-progress";
    this.call = call;
    this.draw();
    if (isAnswered && isNow) this.find("input").focus();
    const { waiting } = this;
    if (!isOver(call) || waiting === null) return;
    this.waiting = null;
    if (!isOver(waiting)) this.take(waiting, isNow);
  }

  // Forgets calls that the simulator no longer knows.
  keep(calls) {
    const isKnown = (own) => calls.some(({ sid }) => sid === own?.sid);
    if (!isKnown(this.call)) this.call = null;
    if (!isKnown(this.waiting)) this.waiting = null;
    this.draw();
  }

  draw() {
    const { call } = this;
    this.phone.find(".call").hidden = call === null;
    this.dial.disabled = !this.phone.isOn || (call !== null && !isOver(call));
    if (call === null) return;
    this.find(".call-state").textContent = STATES[call.status];
    const lines = call.transcript.map(({ by, text }) => element("li", { className: by === "phone" ? "mine" : "", textContent: text }));
    this.find(".spoken").replaceChildren(...lines);
    this.find(".spoken").scrollTop = this.find(".spoken").scrollHeight;
    const isTalking = call.status === "in-progress";
    this.find("form").hidden = !isTalking;
    this.find(".keys").hidden = !isTalking;
    this.find(".answer").hidden = call.direction === "inbound" || call.status !== "ringing";
    this.find(".hang-up").textContent = isOver(call) ? "Close" : "Hang up";
  }
}
