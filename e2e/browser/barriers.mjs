// Checks the phone page for barriers: keyboard, screen reader, large text and small
// screens. Run it with `e2e/run.sh browser/barriers.mjs`; settings as in phone.mjs.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Line, Simulation } from "./simulation.mjs";

const FIRST = "+15550005678";
const PHONES = [FIRST, "+15550005679", "+15550005680"];
const TEXTS = ["Hello", "What is the weather like where you are, and does it rain?", "Thanks!"];

let simulation;

// The first phone already has a conversation with the assistant.
before(async () => {
  simulation = await Simulation.start();
  const page = await simulation.open();
  const phone = page.phone(FIRST);
  await phone.write("Hello?");
  await page.getByRole("button", { name: `Approve ${FIRST}` }).click();
  await phone.waitForAnswers(3);
  for (const [index, text] of TEXTS.entries()) {
    await phone.write(text);
    await phone.waitForAnswers(4 + index);
  }
  await page.close();
});
after(() => simulation.stop());

const focused = (page) => page.evaluate(() => document.activeElement.closest(".bubble, #log li")?.textContent ?? document.activeElement.getAttribute("aria-label") ?? document.activeElement.tagName);

test("a thread and the wire are one Tab stop each, and the arrow keys go through them", async () => {
  const page = await simulation.open();
  const phone = page.phone(FIRST);
  const stops = (place) => page.locator(`${place} :is(button, a, [tabindex])`).evaluateAll((all) => all.filter((one) => one.tabIndex >= 0 && one.checkVisibility()).length);
  assert.equal(await stops(".screen"), 1);
  assert.equal(await stops("#log"), 1);
  const bubbles = phone.root.locator(".bubble .said");
  const count = await bubbles.count();
  await phone.root.getByRole("textbox").focus();
  await page.keyboard.press("Shift+Tab");
  assert.equal(await focused(page), "Send pictures");
  await page.keyboard.press("Shift+Tab");
  assert.match(await focused(page), /the assistant: Thanks!/, "the newest comes first");
  await page.keyboard.press("ArrowUp");
  assert.match(await focused(page), /this phone: Thanks!/);
  await page.keyboard.press("Home");
  assert.match(await focused(page), /this phone: Hello\?/);
  await page.keyboard.press("Enter");
  assert.equal(await bubbles.first().getAttribute("aria-expanded"), "true");
  await page.keyboard.press("Escape");
  await page.keyboard.press("End");
  assert.ok(await bubbles.nth(count - 1).evaluate((one) => one === document.activeElement));
  await page.keyboard.press("Tab");
  await page.keyboard.press("Shift+Tab");
  assert.match(await focused(page), /the assistant: Thanks!/);
  const lines = page.locator("#log .line");
  await lines.last().focus();
  await page.keyboard.press("ArrowUp");
  await page.keyboard.press("Enter");
  assert.equal(await lines.nth(-2).getAttribute("aria-expanded"), "true");
  await page.keyboard.press("ArrowDown");
  assert.ok(await lines.last().evaluate((one) => one === document.activeElement));
  assert.equal(await stops(".screen"), 1);
  await page.close();
});

test("a screen reader hears each message once, and nothing of the steps it goes through", async () => {
  const page = await simulation.open();
  const phone = page.phone(FIRST);
  await page.evaluate(() => {
    window.spoken = [];
    const region = "[aria-live]:not([aria-live=off]), [role=log], [role=status], [role=alert]";
    new MutationObserver((changes) => {
      for (const { target, addedNodes } of changes) {
        const owner = (target.nodeType === Node.ELEMENT_NODE ? target : target.parentElement)?.closest(region);
        if (owner) window.spoken.push(...[...addedNodes].map((node) => node.textContent).filter(Boolean));
      }
    }).observe(document.body, { childList: true, characterData: true, subtree: true });
  });
  const before = (await phone.answers()).length;
  await phone.write("How often do you hear me?");
  await phone.waitForAnswers(before + 1);
  await phone.waitForDelivery();
  const spoken = await page.evaluate(() => window.spoken);
  assert.deepEqual(spoken.sort(), ["+1 555 000 5678, from the assistant: How often do you hear me?", "+1 555 000 5678, from this phone: How often do you hear me?"]);
  await page.evaluate(() => (window.spoken = []));
  await phone.root.getByRole("button", { name: "On", exact: true }).click();
  await phone.root.getByText("switched off: texts do not arrive").waitFor();
  await simulation.send(FIRST, "Are you off?");
  await phone.root.getByText(/^undelivered/).waitFor();
  const failure = (await page.evaluate(() => window.spoken)).filter((text) => text.includes("Are you off?"));
  assert.equal(failure.length, 2);
  assert.match(failure[1], /: undelivered, error 30003: The handset cannot be reached.*: Are you off\?$/);
  await phone.root.getByRole("button", { name: "On", exact: true }).click();
  await page.close();
});

test("what comes while the line is cut is neither lost nor shown twice, and the focus stays", async () => {
  const line = await Line.open(simulation);
  const page = await simulation.open({ url: line.url });
  const phone = page.phone(FIRST);
  const bubbles = phone.root.locator(".bubble .body");
  const said = await bubbles.allTextContents();
  await phone.root.locator(".bubble .said").nth(2).focus();
  line.cut();
  await page.getByText("The simulator stopped or cannot be reached").waitFor();
  await simulation.send(FIRST, "While you were in the tunnel.");
  await line.fix();
  await phone.root.getByText("While you were in the tunnel.").waitFor();
  await page.locator("#link.live").waitFor();
  assert.deepEqual(await bubbles.allTextContents(), [...said, "While you were in the tunnel."]);
  assert.ok(await phone.root.locator(".bubble .said").nth(2).evaluate((one) => one === document.activeElement));
  simulation.complaints = simulation.complaints.filter((text) => !text.includes("net::ERR"));
  await page.close();
  line.cut();
});

// Finds elements that overflow the screen, are cut off, or are too small to tap.
const faults = (page) => page.evaluate(() => {
  const found = [];
  const name = (one) => `${one.tagName}.${one.className} "${(one.getAttribute("aria-label") ?? one.textContent).trim().slice(0, 30)}"`;
  const width = document.documentElement.clientWidth;
  if (document.documentElement.scrollWidth > width) found.push(`the page is ${document.documentElement.scrollWidth} px wide`);
  const stage = document.getElementById("stage").getBoundingClientRect();
  for (const phone of document.querySelectorAll(".phone")) {
    const { left, right } = phone.getBoundingClientRect();
    const isOutside = right <= stage.left + 14 || left >= stage.right - 14;
    const isInside = left >= stage.left && right <= stage.right + 1;
    if (phone.checkVisibility() && !isOutside && !isInside) found.push(`${name(phone)} is sliced`);
    const tops = [...phone.querySelectorAll(".bar > :not(.face)")].filter((one) => one.checkVisibility()).map((one) => one.getBoundingClientRect()).map(({ top, bottom }) => (top + bottom) / 2);
    if (Math.max(...tops) - Math.min(...tops) > 2) found.push(`${name(phone)} has a header of two lines`);
  }
  const log = document.getElementById("log");
  if (log.checkVisibility()) {
    const { top, bottom, height } = log.getBoundingClientRect();
    // With very little height, the page scrolls.
    if (height < 90 || (innerHeight > 300 && bottom > innerHeight + 1)) found.push(`the wire is from ${top} to ${bottom}`);
  }
  for (const control of document.querySelectorAll("button, a, textarea, summary")) {
    const { width: wide, height: tall, right } = control.getBoundingClientRect();
    if (!control.checkVisibility() || control.classList.contains("skip")) continue;
    if (wide < 24 || tall < 24) found.push(`${name(control)} is ${wide} × ${tall}`);
    if (!control.closest(".stage") && right > width + 1) found.push(`${name(control)} sticks out`);
  }
  for (const text of document.querySelectorAll(".what, .line time, .trouble .hint")) {
    const panel = text.closest(".panel");
    if (panel?.checkVisibility() && !text.checkVisibility() && !text.hidden) found.push(`${name(text)} is hidden`);
  }
  return found;
});

// The last one is a window of 1280 × 1024 at 400 %.
const SIZES = ["1440x900", "1280x840", "1024x768", "768x1024", "390x844", "320x640", "320x256"];

for (const [count, phones] of [[1, PHONES.slice(0, 1)], [2, PHONES.slice(0, 2)], [3, PHONES]]) {
  test(`everything has its place on every screen with ${count} ${count === 1 ? "phone" : "phones"}`, async () => {
    if (count > 1) await simulation.text(phones.at(-1), "Let me in, please. I would like to talk, too.");
    for (const size of SIZES) {
      const [width, height] = size.split("x").map(Number);
      const page = await simulation.open({ viewport: { width, height } });
      const look = async (name) => {
        for (const colorScheme of ["light", "dark"]) {
          await page.emulateMedia({ colorScheme });
          await page.shot(`${size}-${count}-${name}${colorScheme}`);
        }
        assert.deepEqual(await faults(page), [], `${size} ${name}`);
        if (count === 2 && ["1280x840", "390x844"].includes(size)) assert.deepEqual(await page.violations(), [], `${size} ${name}`);
      };
      await page.phone(FIRST).waitForAnswers(6);
      await page.locator(".phone").nth(count - 1).waitFor({ state: "attached" });
      if (count > 1 && width < 1000) await page.getByRole("navigation", { name: "Phones" }).waitFor();
      await look("");
      const views = page.getByRole("navigation", { name: "Views" }).getByRole("button");
      const trouble = page.getByRole("button", { name: "Faults" });
      if (count === 2 && (await views.first().isVisible())) {
        for (const view of ["Operator", "Faults", "Wire"]) {
          await views.filter({ hasText: view }).click();
          await look(`${view.toLowerCase()}-`);
        }
      } else if (count === 2 && (await trouble.isVisible())) {
        await trouble.click();
        await look("trouble-");
      }
      await page.close();
    }
  });
}

test("with text twice as large nothing is lost", async () => {
  for (const [width, height] of [[1280, 840], [768, 1024], [390, 844]]) {
    const page = await simulation.open({ viewport: { width, height } });
    await page.evaluate(() => (document.documentElement.style.fontSize = "200%"));
    await page.evaluate(() => new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn))));
    const wide = await page.evaluate(() => document.documentElement.scrollWidth);
    assert.ok(wide <= width, `${wide} px of ${width}`);
    await page.shot(`${width}x${height}-large-text`);
    const box = page.phone(FIRST).root.getByRole("textbox");
    await box.scrollIntoViewIfNeeded();
    await box.click();
    await page.close();
  }
});

test("a message that is as long as it may be shows its requests all the same", async () => {
  for (const [width, height] of [[1280, 840], [390, 844]]) {
    const page = await simulation.open({ viewport: { width, height } });
    const phone = page.phone(FIRST);
    const before = (await phone.answers()).length;
    await phone.write("A long story. ".repeat(110));
    await phone.waitForAnswers(before + 1);
    await phone.waitForDelivery();
    await phone.root.locator(".bubble.mine .said").last().click();
    const trace = phone.root.locator(".trace");
    const isShown = await trace.locator("li").last().evaluate((line) => {
      const [own, screen] = [line.getBoundingClientRect(), line.closest(".screen").getBoundingClientRect()];
      return own.bottom <= screen.bottom + 1 && own.top >= screen.top && own.right <= screen.right && own.left >= screen.left;
    });
    assert.ok(isShown, `at ${width} × ${height}`);
    await trace.getByRole("button").last().press("Enter");
    await trace.getByRole("heading", { name: "Answer: 200" }).first().waitFor();
    assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth));
    const line = await trace.locator("li").last().boundingBox();
    const screen = await phone.root.locator(".screen").boundingBox();
    assert.ok(line.y >= screen.y - 2 && line.y < screen.y + screen.height / 2, "what was opened is seen from its beginning");
    assert.equal(await phone.root.evaluate((phone) => phone.scrollTop), 0, "the phone's frame stays where it is");
    await page.shot(`${width}x${height}-trace`);
    await page.close();
  }
});

test("badges say in words what they count, and the skip link leads to the phones from everywhere", async () => {
  const page = await simulation.open({ viewport: { width: 390, height: 844 } });
  const views = page.getByRole("navigation", { name: "Views" });
  await views.getByRole("button", { name: "Operator 2 waiting" }).waitFor();
  await views.getByRole("button", { name: "Faults" }).click();
  await page.getByRole("button", { name: /^Files late/ }).click();
  await views.getByRole("button", { name: "Faults 1 on" }).waitFor();
  await simulation.send(FIRST, "Look here!");
  await views.getByRole("button", { name: "Phones new messages" }).waitFor();
  await page.getByRole("link", { name: "Skip to the phones" }).press("Enter");
  await views.getByRole("button", { name: "Phones", exact: true }).waitFor();
  assert.ok(await page.phone(FIRST).root.getByRole("textbox").evaluate((box) => box === document.activeElement));
  await page.close();
});

test("no two of the first eight phones have the same color", async () => {
  const page = await simulation.open({ viewport: { width: 1440, height: 900 } });
  while ((await page.locator(".phone").count()) < 8) await page.getByRole("button", { name: "Add a phone" }).click();
  await page.locator(".phone .close").nth(3).click();
  await page.getByRole("button", { name: "Add a phone" }).click();
  const hues = await page.locator(".phone .send, .chip.away").evaluateAll((all) => all.map((one) => getComputedStyle(one).getPropertyValue("--hue")));
  assert.equal(hues.length, 9);
  assert.equal(new Set(hues).size, 8);
  assert.deepEqual(await page.violations(), []);
  await page.shot("nine-phones");
  await page.close();
});

test("a browser that keeps nothing shows the page all the same", async () => {
  const refuse = () => {
    for (const name of ["getItem", "setItem"]) Storage.prototype[name] = () => { throw new DOMException("refused", "SecurityError"); };
  };
  const page = await simulation.open({ before: refuse });
  await page.phone(FIRST).waitForAnswers(3);
  await page.getByRole("button", { name: "Colors: auto" }).click();
  await page.getByRole("button", { name: "Colors: light" }).waitFor();
  assert.deepEqual(simulation.complaints, []);
  await page.close();
});
