// The conversation of one phone, in order, with the texts being sent.

import { announce, many, pretty } from "./dom.js";
import { bubble, fact, fold, isFailed, isFromPhone, pendingBubble, redraw, unfold, waitingNote, whose, why } from "./bubble.js";
import { rove } from "./roving.js";

export class Thread {
  // `choose` receives the SID of a selected message.
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

  // Shows a text being sent until the outcome is known.
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

  // Adds or updates a message; returns true if it is new. A message that arrives now is animated and announced: once on
  // arrival, and again if it fails.
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

  // Updates the whole thread. Existing entries stay in place unless their position is wrong.
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

  // Shows at the end why the answer is waiting; null removes the note.
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

  // Adds something at the end, before the texts being sent.
  place(...items) {
    for (const item of items.filter(Boolean)) this.list.insertBefore(item, this.waiting ?? this.pending[0] ?? null);
    this.drawEmpty();
  }

  // Scrolls to the end when a message or a loaded picture extends the thread, unless the reader scrolled back or is
  // viewing a message's requests.
  follow() {
    const { screen } = this;
    let last = 0;
    this.follows = true;
    screen.addEventListener("scroll", () => {
      const isAtEnd = screen.scrollHeight - screen.scrollTop - screen.clientHeight < 60;
      // A loaded picture also moves the end, so only the reader's own scrolling counts.
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

  // Shows the requests for the selected message below it; returns a function that adds a line.
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
