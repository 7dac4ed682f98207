// The first ten minutes on the phone page: `e2e/run.sh browser/first_minutes.mjs`; settings as in phone.mjs.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Simulation, drawPicture } from "./simulation.mjs";

const PHONE = "+15550005678";
const NEXT = "+15550005679";

let simulation;
let twilio;

before(async () => {
  simulation = await Simulation.start();
  twilio = await Simulation.start("--twilio-only");
});
after(async () => {
  await simulation.stop();
  await twilio.stop();
});

const clipboard = { permissions: ["clipboard-read", "clipboard-write"] };
const copied = (page) => page.evaluate(() => navigator.clipboard.readText());

test("the page says that no AI is connected and how to connect one, and its commands are copied", async () => {
  const page = await simulation.open(clipboard);
  await page.getByText("No AI is connected: the echo agent repeats every message.").waitFor();
  const command = page.locator("#own > .command");
  assert.match(await command.textContent(), /telephony simulate --agent openai --agent-model /);
  await command.getByRole("button", { name: "Copy the command" }).click();
  assert.equal(await copied(page), await command.locator("code").textContent());
  await page.getByText("Other agents", { exact: true }).click();
  const others = await page.locator(".others code").allTextContents();
  for (const flags of ["--agent-url http://127.0.0.1:11434/v1", "--agent openclaw", "--agent command", "--config "]) {
    assert.ok(others.some((text) => text.includes(flags)), flags);
  }
  assert.deepEqual(await page.violations(), []);
  await page.close();
});

test("three steps lead from the first text to a fault, and each is marked when it is done", async () => {
  const page = await simulation.open(clipboard);
  const phone = page.phone(PHONE);
  const steps = page.locator("#steps li");
  assert.equal(await steps.count(), 3);
  const done = (count) => page.waitForFunction((count) => document.querySelectorAll("#steps .done").length === count, count);
  await done(0);
  await phone.write("Hello!");
  await done(1);
  await phone.root.getByRole("button", { name: "Copy the pairing code" }).click();
  assert.match(await copied(page), /^[A-Z2-9]{8}$/);
  await phone.root.getByRole("button", { name: "Let them in" }).click();
  await phone.waitForAnswers(3);
  await done(2);
  await page.getByRole("button", { name: /^Answer lost after sending/ }).click();
  await page.getByRole("button", { name: "End all faults" }).waitFor();
  await phone.write("Once, please.");
  await done(3);
  assert.match(await steps.last().textContent(), /^Done: /);
  await page.close();
});

test("the guide stays closed once it was closed", async () => {
  const page = await simulation.open();
  await page.locator("#guide > summary").press("Enter");
  await page.locator("#steps").waitFor({ state: "hidden" });
  await page.reload();
  await page.getByText("No AI is connected").waitFor();
  assert.equal(await page.locator("#guide").evaluate((guide) => guide.open), false);
  await page.close();
});

test("the wire log names events before URLs, and is filtered by words", async () => {
  const page = await simulation.open();
  const lines = page.locator("#log li");
  const events = () => page.locator("#log .event").allTextContents();
  for (const event of ["text in", "send", "status: delivered"]) assert.ok((await events()).includes(event), event);
  assert.match(await lines.filter({ hasText: "text in" }).first().textContent(), /text in.*\/telephony\/webhook/);
  const search = page.getByRole("searchbox", { name: "Filter the wire log" });
  await search.fill("STATUS: 5678");
  assert.ok((await events()).length > 0);
  assert.ok((await events()).every((event) => event.startsWith("status: ")), String(await events()));
  await search.fill("no such request");
  await page.getByText("No request matches.").waitFor();
  await search.fill("");
  await page.getByRole("button", { name: "API", exact: true }).click();
  await search.fill("send 201");
  assert.ok((await events()).every((event) => event === "send"));
  await page.close();
});

for (const [fault, reason] of [[/^Outage/, "Twilio is down (503)"], [/^Too many requests/, "Twilio accepts no more messages for now (429)"], [/^Server error, not sent/, "Twilio failed (500)"]]) {
  test(`a thread says that the answer is waiting: ${reason}`, async () => {
    const page = await simulation.open();
    const phone = page.phone(PHONE);
    // The page forgets an answer at once, so the waiting note is checked from inside.
    await phone.root.evaluate((root) => {
      window.notes = [];
      new MutationObserver((changes) => changes.forEach(({ addedNodes }) => addedNodes.forEach((one) => one.classList?.contains("waiting") && window.notes.push(one.textContent)))).observe(root, { childList: true, subtree: true });
    });
    const before = (await phone.answers()).length;
    await page.getByRole("button", { name: fault }).click();
    await page.getByRole("button", { name: "End all faults" }).waitFor();
    await phone.write(`Is it ${reason}?`);
    await page.waitForFunction((note) => window.notes.includes(note), `The answer is waiting: ${reason}.`);
    if (reason.includes("503")) {
      assert.equal(await phone.root.locator(".waiting").count(), 1);
      await page.shot("answer-is-waiting");
      await page.reload();
      await phone.root.locator(".waiting").waitFor();
    }
    await page.getByRole("button", { name: "End all faults" }).click();
    await phone.waitForAnswers(before + 1);
    await phone.root.locator(".waiting").waitFor({ state: "detached" });
    await page.close();
  });
}

test("a picture of one's own is at the right edge, and the buttons that take pictures back are whole", async () => {
  const page = await simulation.open();
  const phone = page.phone(PHONE);
  const picture = await drawPicture(page);
  await phone.bring("paste", "textarea", picture.toString("base64"), 3);
  const cut = await phone.root.locator(".picked .round").evaluateAll((all) => all.filter((one) => {
    const [own, list] = [one.getBoundingClientRect(), one.closest(".picked").getBoundingClientRect()];
    return own.top < list.top || own.right > list.right || own.bottom > list.bottom;
  }).length);
  assert.equal(cut, 0);
  await phone.write("Three pictures");
  const shown = phone.root.locator(".bubble.mine .picture img");
  await shown.nth(2).waitFor();
  await page.evaluate(() => Promise.all(document.getAnimations().map((one) => one.finished.catch(() => {}))));
  const gaps = await shown.evaluateAll((all) => all.map((one) => one.closest(".thread").getBoundingClientRect().right - one.getBoundingClientRect().right));
  assert.ok(gaps.every((gap) => Math.abs(gap) < 1), String(gaps));
  await page.close();
});

test("the page fits the screen, with one to three phones", async () => {
  const page = await simulation.open();
  for (const count of [1, 2, 3]) {
    await page.setViewportSize({ width: 1280, height: 900 });
    if (count > 1) await page.getByRole("button", { name: "Add a phone" }).click();
    for (const [width, height] of [[768, 1024], [900, 900], [1024, 768], [1280, 840], [1366, 768], [1440, 900], [1600, 900], [1920, 1080]]) {
      await page.setViewportSize({ width, height });
      await page.evaluate(() => new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn))));
      const over = await page.evaluate(() => {
        const { scrollWidth, clientWidth, scrollHeight, clientHeight } = document.documentElement;
        return [scrollWidth - clientWidth, scrollHeight - clientHeight];
      });
      assert.deepEqual(over, [0, 0], `${width} × ${height} with ${count}`);
    }
  }
  await page.close();
});

// At 200 %, a window has half as many pixels in each direction.
for (const zoom of [1, 2]) {
  test(`nothing is wider than the screen at ${zoom * 100} %, with the guide open or closed, alone or with a gateway`, async () => {
    for (const [own, which] of [[simulation, "gateway"], [twilio, "twilio"]]) {
      for (const [width, height] of [[768, 1024], [1024, 768], [1366, 768], [1920, 1080]]) {
        const page = await own.open({ viewport: { width: width / zoom, height: height / zoom }, deviceScaleFactor: zoom });
        await page.locator("#guide").waitFor();
        const fits = async (what) => {
          const over = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
          assert.equal(over, 0, `${which} ${width} ${what}`);
        };
        for (const open of [false, true]) {
          await page.locator("#guide").evaluate((guide, open) => (guide.open = open), open);
          for (const others of await page.locator(".others").all()) await others.evaluate((others) => (others.open = true));
          await fits(open ? "open" : "closed");
        }
        await page.shot(`fits-${which}-${width}-${zoom * 100}`);
        for (const view of await page.getByRole("navigation", { name: "Views" }).getByRole("button").all()) {
          if (!(await view.isVisible())) continue;
          await view.click();
          await fits(await view.textContent());
        }
        await page.close();
      }
    }
  });
}

test("Twilio's own replies say that they are automatic", async () => {
  const page = await simulation.open();
  const phone = page.phone(PHONE);
  const replies = phone.root.locator(".by-twilio");
  for (const [index, word] of ["HELP", "STOP", "START"].entries()) {
    await phone.write(word);
    await replies.nth(index).waitFor();
    assert.match(await replies.nth(index).textContent(), /^Automatic reply from Twilio/);
  }
  await page.close();
});

test("Twilio alone speaks of the reader's program, and says what a number without a webhook does", async () => {
  const page = await twilio.open(clipboard);
  assert.equal(await page.title(), "Twilio simulator");
  await page.getByText("This is a simulated Twilio for your own programs.").waitFor();
  const phone = page.phone(PHONE);
  await phone.write("Hello?");
  await phone.root.getByText("Twilio has no webhook for +1 555 000 1234, so the text goes nowhere.").waitFor();
  await page.getByRole("button", { name: "Copy the account SID" }).click();
  assert.equal(await copied(page), "AC0123456789abcdef0123456789abcdef");
  await twilio.send(PHONE, "From a program.");
  await phone.root.getByText("From a program.").waitFor();
  await page.locator("#steps .done").nth(1).waitFor();
  const text = await page.locator("body").innerText();
  for (const internal of [/gateway/i, /assistant/i, /operator/i, /OpenClaw/i, /undefined|null/]) assert.doesNotMatch(text.replace("/telephony/webhook", ""), internal);
  assert.equal(await page.getByRole("button", { name: "Operator" }).count(), 0);
  for (const [width, height] of [[1280, 840], [390, 844]]) {
    await page.setViewportSize({ width, height });
    assert.deepEqual(await page.violations(), []);
    await page.shot(`twilio-only-${width}`);
  }
  await page.close();
});

test("the guide is on every screen, in light and dark", async () => {
  for (const [width, height] of [[1280, 840], [768, 1024], [390, 844], [320, 640]]) {
    for (const colorScheme of ["light", "dark"]) {
      const page = await simulation.open({ viewport: { width, height }, colorScheme });
      await page.getByText("No AI is connected").waitFor();
      await page.locator("#guide").evaluate((guide) => (guide.open = true));
      assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), `${width}`);
      assert.deepEqual(await page.violations(), [], `${width} ${colorScheme}`);
      await page.shot(`guide-${width}-${colorScheme}`);
      await page.close();
    }
  }
  assert.deepEqual(simulation.complaints, []);
});

test("a phone that wrote first is let in from its own bar while another waits", async () => {
  await simulation.text(NEXT, "Me first!");
  await simulation.text("+15550005680", "Me, too!");
  const page = await simulation.open({ viewport: { width: 1600, height: 900 } });
  await page.phone("+15550005680").root.getByRole("button", { name: "Let them in" }).click();
  await page.phone("+15550005680").waitForAnswers(3);
  assert.equal(await page.phone(NEXT).root.getByRole("button", { name: "Let them in" }).count(), 1);
  await page.close();
});
