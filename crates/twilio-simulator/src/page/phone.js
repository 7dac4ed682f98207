// One phone: its thread with the assistant, and what it takes to write and to send pictures.

import { ask, element, icon, pretty, weight } from "./dom.js";
import { bubble, fact, isFromPhone, pendingBubble, redraw } from "./bubble.js";
import { LARGEST, MOST, take, toBase64 } from "./pictures.js";
import { measure } from "./segments.js";

const OPENERS = ["Hello!", "Who are you?", "STOP"];

export class Phone {
  // `desk` has: bot(), choose(sid), close(phone), showOperator().
  constructor(number, index, desk) {
    this.number = number;
    this.desk = desk;
    this.bubbles = new Map(); // by SID
    this.picked = [];
    this.root = document.getElementById("phone").content.cloneNode(true).firstElementChild;
    this.find = (selector) => this.root.querySelector(selector);
    this.dress(index);
    this.listen();
    this.followThread();
    this.drawComposer();
  }

  dress(index) {
    const name = pretty(this.number);
    this.root.classList.add(`hue-${index % 6}`);
    this.root.setAttribute("aria-label", `Phone ${name}`);
    this.find(".face").textContent = this.number.slice(-2);
    this.find("h2").textContent = name;
    this.find("[role=log]").setAttribute("aria-label", `Conversation of ${name}`);
    this.find(".field span").textContent = `Text message from ${name}`;
    const buttons = { ".attach": ["attach", "Send pictures"], ".send": ["send", "Send"], ".close": ["close", `Put ${name} away`] };
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
    this.find("form").addEventListener("submit", (event) => {
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
    this.listenToDrops();
  }

  listenToDrops() {
    const brings = (event) => event.dataTransfer?.types.includes("Files");
    this.root.addEventListener("dragover", (event) => {
      if (!brings(event)) return;
      event.preventDefault();
      this.root.classList.add("over");
    });
    this.root.addEventListener("dragleave", (event) => {
      if (!this.root.contains(event.relatedTarget)) this.root.classList.remove("over");
    });
    this.root.addEventListener("drop", (event) => {
      if (!brings(event)) return;
      event.preventDefault();
      this.root.classList.remove("over");
      this.pick(event.dataTransfer.files);
    });
  }

  // ---- writing

  async pick(files) {
    this.complain("");
    for (const file of files) {
      if (this.picked.length >= MOST) {
        this.complain(`A message takes at most ${MOST} files.`);
        break;
      }
      try {
        const taken = await take(file);
        const others = this.picked.reduce((sum, other) => sum + other.blob.size, 0);
        if (others + taken.blob.size > LARGEST) {
          URL.revokeObjectURL(taken.url);
          this.complain(`${file.name} is too large: a message takes 5 MB in all.`);
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
    this.find(".send").disabled = text.trim() === "" && this.picked.length === 0;
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
    const sight = file.type.startsWith("image/") ? element("img", { src: file.url, alt: file.name }) : element("span", { className: "file", textContent: file.name });
    sight.title = `${file.name}, ${weight(file.blob.size)}`;
    return element("li", {}, sight, remove);
  }

  submit() {
    const text = this.find("textarea");
    if (text.value.trim() === "" && this.picked.length === 0) return;
    const [body, files] = [text.value, this.picked];
    text.value = "";
    this.picked = [];
    this.drawComposer();
    this.send(body, files);
  }

  async send(body, files) {
    this.complain("");
    const waiting = pendingBubble({ body, files });
    waiting.body = body;
    this.pending = [...(this.pending ?? []), waiting];
    this.place(waiting);
    try {
      const data = await Promise.all(files.map(async (file) => ({ content_type: file.type, data: await toBase64(file.blob) })));
      const delivery = await ask("/_simulator/inbound-message", "POST", { from: this.number, to: this.desk.bot(), body, files: data });
      if (delivery.status !== 200) this.complain(`The gateway answered ${delivery.status ?? "nothing"}; Twilio notes error ${delivery.alert}.`);
      for (const file of files) URL.revokeObjectURL(file.url);
    } catch (error) {
      this.complain(`Not sent: ${error.message}.`);
      this.giveBack(body, files);
    } finally {
      this.settle(waiting);
    }
  }

  // What could not be sent is in the composer again, before what was written since.
  giveBack(body, files) {
    const text = this.find("textarea");
    text.value = [body, text.value].filter(Boolean).join("\n");
    this.picked = [...files, ...this.picked].slice(0, MOST);
    this.drawComposer();
  }

  settle(waiting) {
    waiting?.remove();
    this.pending = (this.pending ?? []).filter((other) => other !== waiting);
    this.drawEmpty();
  }

  complain(text) {
    this.find(".mishap").textContent = text;
    this.find(".mishap").hidden = text === "";
  }

  // ---- the thread

  // Takes a message that is new or has changed; gives whether it is new. Only what happens now arrives with a movement.
  take(message, isNow) {
    const known = this.bubbles.get(message.sid);
    if (known) {
      redraw(known, message);
      return false;
    }
    if (isFromPhone(message)) this.settle(this.pending?.find((waiting) => waiting.body === message.body));
    const made = bubble(message, this.desk.choose);
    made.classList.toggle("arriving", isNow);
    this.bubbles.set(message.sid, made);
    this.place(made, fact(message));
    return true;
  }

  place(...items) {
    for (const item of items.filter(Boolean)) {
      const isOwn = item.classList.contains("pending");
      this.follows ||= isOwn;
      this.find(".thread").insertBefore(item, isOwn ? null : this.find(".thread .pending"));
    }
    this.drawEmpty();
  }

  // Shows the end whenever the thread grows, with a message or with a picture that was loaded; whoever scrolls back is
  // left there.
  followThread() {
    const screen = this.find(".screen");
    let last = 0;
    this.follows = true;
    screen.addEventListener("scroll", () => {
      const isAtEnd = screen.scrollHeight - screen.scrollTop - screen.clientHeight < 60;
      // A picture that was loaded moves the end away; only a person scrolls back.
      this.follows = isAtEnd || (this.follows && screen.scrollTop >= last);
      last = screen.scrollTop;
    });
    const grown = new ResizeObserver(() => this.follows && this.showEnd());
    grown.observe(this.find(".thread"));
    grown.observe(screen);
  }

  showEnd() {
    this.find(".screen").scrollTop = this.find(".screen").scrollHeight;
  }

  drawEmpty() {
    this.find(".empty").hidden = this.find(".thread").childElementCount > 0;
  }

  forget() {
    this.bubbles.clear();
    this.find(".thread").replaceChildren(...(this.pending ?? []));
    this.drawEmpty();
  }

  // Marks the chosen message and shows its requests below it.
  trace(sid, lines) {
    for (const [own, made] of this.bubbles) {
      const isChosen = own === sid;
      made.classList.toggle("chosen", isChosen);
      made.querySelector(".said").setAttribute("aria-expanded", String(isChosen));
      made.querySelector(".trace").hidden = !isChosen;
      if (!isChosen) continue;
      this.follows = false;
      made.querySelector(".trace").replaceChildren(...lines);
      made.scrollIntoView({ block: "nearest" });
    }
  }

  // ---- the phone itself

  async power(isOn) {
    const outcome = isOn ? "delivered" : { undelivered: 30003 };
    try {
      await ask("/_simulator/outcome", "POST", { to: this.number, outcome });
      this.showPower(isOn);
    } catch (error) {
      this.complain(`Not switched: ${error.message}.`);
    }
  }

  showPower(isOn) {
    const said = isOn ? "Switch the phone off" : "Switch the phone on";
    this.root.classList.toggle("off", !isOn);
    this.find(".power").setAttribute("aria-pressed", String(isOn));
    this.find(".power").setAttribute("aria-label", "On");
    this.find(".power").title = said;
    this.find(".state").textContent = isOn ? "talks to the assistant" : "switched off: texts do not arrive";
  }

  // Whether it waits for the operator.
  knock(isWaiting) {
    const knock = this.find(".knock");
    if (knock.hidden !== isWaiting) return;
    knock.hidden = !isWaiting;
    const go = element("button", { type: "button", className: "quiet-button", textContent: "Let them in" });
    go.addEventListener("click", () => this.desk.showOperator(this.number));
    knock.replaceChildren(...(isWaiting ? ["A stranger to the operator. ", go] : []));
  }
}
