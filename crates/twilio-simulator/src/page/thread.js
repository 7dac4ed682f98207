// The conversation of one phone, in order, with the texts that are being sent.

import { announce, many, pretty } from "./dom.js";
import { bubble, fact, fold, isFailed, isFromPhone, pendingBubble, redraw, unfold, waitingNote, whose, why } from "./bubble.js";
import { rove } from "./roving.js";

export class Thread {
  // `choose` gets the SID of a message that was chosen.
  constructor(screen, number, choose) {
    this.screen = screen;
    this.number = number;
    this.choose = choose;
    this.bubbles = new Map(); // by SID
    this.pending = [];
    this.waiting = null; // the note that an answer is waiting
    this.list = screen.querySelector(".thread");
    this.list.setAttribute("aria-label", `Conversation of ${pretty(number)}`);
    this.takeIn = rove(this.list, "button.said", ".files > button, .files > a, .files > audio, .files > video");
    this.follow();
  }

  has(sid) {
    return this.bubbles.has(sid);
  }

  // Shows what is being sent, until it is settled.
  await(body, files) {
    const waiting = pendingBubble({ body, files });
    waiting.body = body;
    this.pending.push(waiting);
    this.follows = true;
    this.list.append(waiting);
    this.drawEmpty();
    this.showEnd();
    return waiting;
  }

  settle(waiting) {
    waiting?.remove();
    this.pending = this.pending.filter((other) => other !== waiting);
    this.drawEmpty();
  }

  // Takes a message that is new or has changed; returns whether it is new. A message that arrives now moves in and is
  // spoken: once when it arrives, and once more if it fails.
  take(message, isNow) {
    const known = this.bubbles.get(message.sid);
    if (known) {
      if (isNow && isFailed(message) && !known.classList.contains("failed")) this.speak(message);
      redraw(known, message);
      this.takeIn(known);
      return false;
    }
    if (isFromPhone(message)) this.settle(this.pending.find((waiting) => waiting.body === message.body));
    else if (!message.keyword) this.wait(null);
    const made = bubble(message, this.choose);
    made.classList.toggle("arriving", isNow);
    this.bubbles.set(message.sid, made);
    this.place(made, fact(message));
    this.takeIn(made);
    if (isNow) this.speak(message);
    return true;
  }

  speak(message) {
    const failed = isFailed(message) ? [`${message.status}, ${why(message)}`] : [];
    announce([`${pretty(this.number)}, from ${whose(message)}`, ...failed, message.body || many(message.num_media, "file")].join(": "));
  }

  // Brings the whole thread up to date. What is shown already stays in its place, unless that is wrong.
  load(messages) {
    const sids = new Set(messages.map(({ sid }) => sid));
    for (const [sid, made] of this.bubbles) {
      if (sids.has(sid)) continue;
      if (made.nextElementSibling?.classList.contains("fact")) made.nextElementSibling.remove();
      made.remove();
      this.bubbles.delete(sid);
    }
    for (const message of messages) this.take(message, false);
    const order = [...this.list.querySelectorAll(":scope > [data-sid]")].map((made) => made.dataset.sid);
    if (messages.every(({ sid }, index) => order[index] === sid)) return;
    for (const { sid } of messages) {
      const made = this.bubbles.get(sid);
      const next = made.nextElementSibling;
      this.place(made, next?.classList.contains("fact") ? next : null);
    }
  }

  // Shows at the end why the answer is waiting; null ends it.
  wait(reason) {
    if ((this.waiting?.dataset.reason ?? null) === reason) return;
    this.waiting?.remove();
    this.waiting = null;
    if (reason === null) return;
    const note = waitingNote(reason);
    note.dataset.reason = reason;
    this.place(note);
    this.waiting = note;
    announce(`${pretty(this.number)}: ${note.textContent}`);
  }

  // Puts something at the end, before the texts that are being sent.
  place(...items) {
    for (const item of items.filter(Boolean)) this.list.insertBefore(item, this.waiting ?? this.pending[0] ?? null);
    this.drawEmpty();
  }

  // Shows the end whenever the thread grows, with a message or with a picture that was loaded; whoever scrolls back, or
  // looks at what is behind a message, is left there.
  follow() {
    const { screen } = this;
    let last = 0;
    this.follows = true;
    screen.addEventListener("scroll", () => {
      const isAtEnd = screen.scrollHeight - screen.scrollTop - screen.clientHeight < 60;
      // A picture that was loaded moves the end away; only a person scrolls back.
      this.follows = isAtEnd || (this.follows && screen.scrollTop >= last);
      last = screen.scrollTop;
    });
    const grown = new ResizeObserver(() => {
      const isRead = this.list.querySelector(".chosen") !== null;
      if (this.follows && !isRead) this.showEnd();
    });
    grown.observe(this.list);
    grown.observe(screen);
  }

  showEnd() {
    this.screen.scrollTop = this.screen.scrollHeight;
  }

  drawEmpty() {
    this.screen.querySelector(".empty").hidden = this.list.childElementCount > 0;
  }

  // Shows the requests for the chosen message below it; returns a function that adds a line.
  unfold(sid, lines) {
    const made = this.bubbles.get(sid);
    const add = unfold(made, lines);
    const reveal = () => made.querySelector(".trace")?.lastElementChild?.scrollIntoView({ block: "nearest" });
    reveal();
    return (line) => {
      add(line);
      reveal();
    };
  }

  fold(sid) {
    fold(this.bubbles.get(sid));
  }
}
