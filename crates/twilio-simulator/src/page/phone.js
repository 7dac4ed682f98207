// One phone: its composer, its pictures and its power button. Its conversation is in its thread.

import { announce, ask, element, icon, pretty, weight } from "./dom.js";
import { Call } from "./call.js";
import { copyButton } from "./copy.js";
import { LARGEST, MOST, listenToDrops, preview, take, toBase64 } from "./pictures.js";
import { measure } from "./segments.js";
import { capital, sides } from "./sides.js";
import { Thread } from "./thread.js";

const OPENERS = ["Hello!", "Who are you?", "STOP"];

// The number of hues in thread.css.
const HUES = 8;

export class Phone {
  // `desk` has: bot(), choose(sid), close(phone), approve(number).
  constructor(number, index, desk) {
    this.number = number;
    this.desk = desk;
    this.picked = [];
    this.isAway = false;
    this.unread = 0;
    this.root = document.getElementById("phone").content.cloneNode(true).firstElementChild;
    this.find = (selector) => this.root.querySelector(selector);
    this.thread = new Thread(this.find(".screen"), number, desk.choose);
    this.call = new Call(this);
    this.dress(index);
    this.listen();
  }

  dress(index) {
    const name = pretty(this.number);
    this.hue = `hue-${index % HUES}`;
    this.root.classList.add(this.hue);
    this.root.setAttribute("aria-label", `Phone ${name}`);
    this.find(".face").textContent = this.number.slice(-2);
    this.find("h2").textContent = name;
    this.find(".field span").textContent = `Text message from ${name}`;
    const buttons = { ".attach": ["attach", "Send pictures"], ".send": ["send", "Send"], ".close": ["close", `Hide ${name}`] };
    for (const [selector, [picture, said]] of Object.entries(buttons)) {
      this.find(selector).append(icon(picture));
      this.find(selector).setAttribute("aria-label", said);
      this.find(selector).title = said;
    }
    this.find(".power").append(icon("power"));
    this.showPower(true);
    for (const text of OPENERS) {
      const opener = element("button", { type: "button", className: "pill", textContent: text });
      opener.addEventListener("click", () => this.send(text, []));
      this.find(".openers").append(opener);
    }
  }

  listen() {
    const text = this.find("textarea");
    this.find(".composer").addEventListener("submit", (event) => {
      event.preventDefault();
      this.submit();
    });
    text.addEventListener("input", () => this.drawComposer());
    text.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
        event.preventDefault();
        this.submit();
      }
    });
    text.addEventListener("paste", (event) => {
      if (event.clipboardData.files.length === 0) return;
      event.preventDefault();
      this.pick(event.clipboardData.files);
    });
    const files = this.find(".files");
    this.find(".attach").addEventListener("click", () => files.click());
    files.addEventListener("change", async () => {
      await this.pick(files.files);
      files.value = "";
    });
    this.find(".power").addEventListener("click", () => this.power(this.find(".power").getAttribute("aria-pressed") !== "true"));
    this.find(".close").addEventListener("click", () => this.desk.close(this));
    listenToDrops(this.root, (files) => this.pick(files));
  }

  // ---- writing

  async pick(files) {
    if (!this.isOn) return;
    this.complain("");
    for (const file of files) {
      if (this.picked.length >= MOST) {
        this.complain(`A message can have at most ${MOST} files.`);
        break;
      }
      try {
        const taken = await take(file);
        const others = this.picked.reduce((sum, other) => sum + other.blob.size, 0);
        if (others + taken.blob.size > LARGEST) {
          URL.revokeObjectURL(taken.url);
          this.complain(`${file.name} is too large: the files of a message can have 5 MB together.`);
          continue;
        }
        this.picked.push(taken);
      } catch {
        this.complain(`${file.name} cannot be read as a picture.`);
      }
    }
    this.drawComposer();
    this.find("textarea").focus();
  }

  drawComposer() {
    const text = this.find("textarea").value;
    this.find(".send").disabled = !this.isOn || (text.trim() === "" && this.picked.length === 0);
    const { segments, left } = measure(text);
    const isLong = text !== "" && this.picked.length === 0 && (segments > 1 || left < 30);
    this.find(".length").textContent = isLong ? `${left} left in segment ${segments} · ${text.length}/1600` : "";
    this.find(".picked").hidden = this.picked.length === 0;
    this.find(".picked").replaceChildren(...this.picked.map((file) => this.pickedFile(file)));
  }

  pickedFile(file) {
    const remove = element("button", { type: "button", className: "round" }, icon("close"));
    remove.setAttribute("aria-label", `Do not send ${file.name}`);
    remove.addEventListener("click", () => {
      this.picked = this.picked.filter((other) => other !== file);
      URL.revokeObjectURL(file.url);
      this.drawComposer();
      this.find("textarea").focus();
    });
    const made = element("li", {}, preview(file, file.name), remove);
    made.title = `${file.name}, ${weight(file.blob.size)}`;
    return made;
  }

  submit() {
    const text = this.find("textarea");
    if (this.find(".send").disabled) return;
    const [body, files] = [text.value, this.picked];
    text.value = "";
    this.picked = [];
    this.drawComposer();
    this.send(body, files);
  }

  async send(body, files) {
    this.complain("");
    const waiting = this.thread.await(body, files);
    try {
      const data = await Promise.all(files.map(async (file) => ({ content_type: file.type, data: await toBase64(file.blob) })));
      const delivery = await ask("/_simulator/inbound-message", "POST", { from: this.number, to: this.desk.bot(), body, files: data });
      if (delivery.status !== 200) this.complain(complaint(delivery, this.desk.bot()));
      for (const file of files) URL.revokeObjectURL(file.url);
    } catch (error) {
      this.complain(`Not sent: ${error.message}.`);
      this.giveBack(body, files);
    } finally {
      this.thread.settle(waiting);
    }
  }

  // Puts a text that could not be sent back into the composer, before newer input.
  giveBack(body, files) {
    const text = this.find("textarea");
    text.value = [body, text.value].filter(Boolean).join("\n");
    this.picked = [...files, ...this.picked].slice(0, MOST);
    this.drawComposer();
  }

  complain(text) {
    this.find(".mishap").textContent = text;
    this.find(".mishap").hidden = text === "";
  }

  // ---- the phone itself

  focus() {
    this.find(this.isOn ? "textarea" : ".power").focus();
  }

  async power(isOn) {
    const outcome = isOn ? "delivered" : { undelivered: 30003 };
    try {
      await ask("/_simulator/outcome", "POST", { to: this.number, outcome });
      this.showPower(isOn);
    } catch (error) {
      this.complain(`Not changed: ${error.message}.`);
    }
  }

  showPower(isOn) {
    this.isOn = isOn;
    for (const control of this.root.querySelectorAll("textarea, .attach, .openers button")) control.disabled = !isOn;
    this.find("textarea").placeholder = isOn ? "Text message" : "Switched off";
    this.drawComposer();
    this.call.draw();
    const said = isOn ? "Switch the phone off" : "Switch the phone on";
    this.root.classList.toggle("off", !isOn);
    this.find(".power").setAttribute("aria-pressed", String(isOn));
    this.find(".power").setAttribute("aria-label", "On");
    this.find(".power").title = said;
    this.find(".state").textContent = isOn ? "switched on" : "switched off: texts do not arrive";
  }

  // Shows that the phone waits for the operator's approval; null removes the note.
  knock(code) {
    const knock = this.find(".knock");
    if ((knock.dataset.code ?? null) === code) return;
    const hadFocus = knock.contains(document.activeElement);
    knock.hidden = code === null;
    if (code === null) delete knock.dataset.code;
    else knock.dataset.code = code;
    knock.replaceChildren(...(code === null ? [] : this.request(code)));
    if (code !== null) announce(`${pretty(this.number)} waits for your approval.`);
    if (hadFocus) this.focus();
  }

  request(code) {
    const go = element("button", { type: "button", className: "pill yes", textContent: "Let them in" });
    go.addEventListener("click", () => this.letIn(), { once: true });
    return [element("span", { className: "asks" }, "Pairing code ", element("code", { textContent: code }), copyButton(code, "the pairing code")), go];
  }

  async letIn() {
    try {
      await this.desk.approve(this.number);
      announce(`${pretty(this.number)} is approved.`);
    } catch (error) {
      this.complain(`Not approved: ${error.message}.`);
    }
  }

  // Names the other side once it is known.
  introduce() {
    this.find(".first").textContent = sides.empty;
  }
}

function complaint({ attempts, status, alert }, number) {
  if (attempts === 0) return `Twilio has no webhook for ${pretty(number)}, so the text goes nowhere.`;
  const answer = status === null ? "did not answer" : `answered ${status}`;
  return `${capital(sides.theOwner)} ${answer}${alert === null ? "" : ` (Twilio error ${alert})`}.`;
}
