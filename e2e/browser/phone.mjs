// Uses the phone page in a real browser: `e2e/run.sh browser/phone.mjs`.
// OPENCLAW is the program (default: target/debug/openclaw), CHROMIUM the browser (default: Debian's); screenshots go to
// SCREENSHOTS (default: e2e/browser/screenshots).
import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { after, before, test } from "node:test";
import { Shelf, Simulation, drawPicture } from "./simulation.mjs";

const FIRST = "+15550005678";
const SECOND = "+15550005679";

let simulation;

before(async () => {
  simulation = await Simulation.start();
});
after(() => simulation.stop());

test("a stranger gets a code, is let in with one click, and gets an answer to the first message", async () => {
  const page = await simulation.open();
  const phone = page.phone(FIRST);
  await page.shot("empty");
  await phone.write("Hello! Is anybody there?");
  await phone.waitForAnswers(1);
  assert.match((await phone.answers())[0], /^OpenClaw: access not configured\./);
  const knock = phone.root.locator(".knock");
  await knock.waitFor();
  const code = await page.locator(".code span").textContent();
  assert.match((await phone.answers())[0], new RegExp(`${code}$`));
  assert.equal(await knock.locator("code").textContent(), code);
  await page.shot("stranger");
  await phone.root.getByRole("button", { name: "Let them in" }).click();
  await phone.waitForAnswers(3);
  const answers = await phone.answers();
  assert.equal(answers[1], "Your phone number has been approved. You can now send messages to this bot.");
  assert.equal(answers[2], "Hello! Is anybody there?");
  await phone.waitForDelivery();
  await page.getByText("No pairing requests.").waitFor();
  await knock.waitFor({ state: "hidden" });
  assert.ok(await phone.root.getByRole("textbox").evaluate((box) => box === document.activeElement), "the focus is not lost");
  await page.shot("answered");
  await page.close();
});

test("a whole call is made by keyboard: greeting, typed speech, keys, and an end", async () => {
  const page = await simulation.open();
  const phone = page.phone(FIRST);
  const call = phone.root.locator(".call");
  const says = (text) => call.locator(".spoken li:not(.mine)", { hasText: text }).last().waitFor();
  await phone.root.getByRole("button", { name: "Call the assistant" }).press("Enter");
  await says("Hello, this is your assistant.");
  const speech = call.getByRole("textbox", { name: /^Say on the call/ });
  await speech.fill("Good evening.");
  await speech.press("Enter");
  await says("Good evening.");
  assert.deepEqual(await page.violations(), []);
  await page.shot("call");
  await call.getByRole("button", { name: "0", exact: true }).press("Enter");
  await call.locator(".spoken li.mine", { hasText: "0" }).waitFor();
  await call.getByRole("button", { name: "Hang up" }).press("Enter");
  await call.getByText("Call ended").waitFor();
  await call.getByRole("button", { name: "Close" }).press("Enter");
  await call.waitFor({ state: "hidden" });
  await page.close();
});

test("the assistant calls a phone, which answers by keyboard and hears the message", async () => {
  const page = await simulation.open();
  const phone = page.phone(FIRST);
  const call = phone.root.locator(".call");
  await page.getByLabel("Message of the call").fill("The parcel is here.");
  await page.getByRole("button", { name: "Call", exact: true }).press("Enter");
  await call.getByRole("button", { name: "Answer" }).press("Enter");
  await call.locator(".spoken li:not(.mine)", { hasText: "The parcel is here." }).waitFor();
  await call.getByText("Call ended").waitFor();
  assert.deepEqual(await page.violations(), []);
  await page.shot("called");
  await call.getByRole("button", { name: "Close" }).press("Enter");
  await page.close();
});

test("a second call to a phone waits until the first one is over", async () => {
  const page = await simulation.open();
  const phone = page.phone(FIRST);
  const call = phone.root.locator(".call");
  const state = call.locator(".call-state");
  await phone.root.getByRole("button", { name: "Call the assistant" }).click();
  await call.getByText("Hello, this is your assistant.").waitFor();
  await simulation.call(FIRST, "Good evening.");
  // The page gets events in order.
  await simulation.send(FIRST, "A text on top of it.");
  await phone.root.getByText("A text on top of it.").waitFor();
  assert.equal(await state.textContent(), "Call in progress");
  await call.getByRole("button", { name: "Hang up" }).click();
  await call.getByText("Ringing").waitFor();
  await call.getByRole("button", { name: "Answer" }).click();
  await call.getByText("Good evening.").waitFor();
  await call.getByText("Call ended").waitFor();
  await call.getByRole("button", { name: "Close" }).click();
  await call.waitFor({ state: "hidden" });
  await page.close();
});

test("a picture is chosen, looked at before it leaves, sent, and opened large", async () => {
  const page = await simulation.open();
  const phone = page.phone(FIRST);
  const picture = await drawPicture(page);
  await phone.root.locator("input.files").setInputFiles({ name: "evening.png", mimeType: "image/png", buffer: picture });
  await phone.root.getByRole("img", { name: "evening.png" }).waitFor();
  await page.shot("picture-chosen");
  await phone.write("Look at this evening!");
  const sent = phone.root.getByRole("img", { name: /^Picture from this phone, PNG/ });
  await sent.waitFor();
  await page.waitForFunction((image) => image.complete && image.naturalWidth === 640, await sent.elementHandle());
  await page.shot("picture-sent");
  await sent.click();
  const large = page.getByRole("dialog").getByRole("img");
  assert.match(await large.getAttribute("alt"), /^Picture from this phone, PNG/);
  await page.shot("picture-large");
  await page.keyboard.press("Escape");
  await large.waitFor({ state: "hidden" });
  await page.close();
});

test("the gateway fetches a picture, late files included, and the assistant hears of it", async () => {
  const page = await simulation.open();
  const phone = page.phone(FIRST);
  await page.getByRole("button", { name: /^Files late/ }).click();
  await page.getByRole("button", { name: "End all faults" }).waitFor();
  const before = (await phone.answers()).length;
  await phone.root.locator("input.files").setInputFiles({ name: "evening.png", mimeType: "image/png", buffer: await drawPicture(page) });
  await phone.root.getByRole("img", { name: "evening.png" }).waitFor();
  await phone.root.getByRole("button", { name: "Send", exact: true }).click();
  await phone.waitForAnswers(before + 1);
  assert.match((await phone.answers()).at(-1), /picture: image\/png/);
  await page.getByRole("button", { name: "Files", exact: true }).click();
  const lines = await page.locator("#log li").allTextContents();
  assert.ok(lines.some((line) => line.includes("fetch picture") && line.includes("file store") && line.includes("200")), lines.join("\n"));
  await page.close();
});

test("a picture that is sent to the phone is fetched, shown and opened; one that is not there says so", async () => {
  const page = await simulation.open();
  const phone = page.phone(FIRST);
  const shelf = await Shelf.open(await drawPicture(page));
  await simulation.send(FIRST, "This evening, from here.", shelf.url("/evening.png"));
  const shown = phone.root.getByRole("img", { name: /^Picture from the assistant, PNG/ });
  await shown.waitFor();
  await page.waitForFunction((image) => image.complete && image.naturalWidth === 640, await shown.elementHandle());
  await page.waitForFunction((image) => image.getBoundingClientRect().bottom < innerHeight, await shown.elementHandle());
  assert.deepEqual(shelf.asked, ["HEAD /evening.png", "GET /evening.png"]);
  await page.shot("picture-received");
  await simulation.send(FIRST, "And another.", shelf.url("/gone.png"));
  await phone.root.getByText(/^failed · error 11200: The media cannot be fetched/).waitFor();
  await page.close();
  shelf.close();
});

test("pictures are pasted and dropped, taken back, and too many are refused", async () => {
  const page = await simulation.open();
  const phone = page.phone(FIRST);
  const picture = (await drawPicture(page)).toString("base64");
  await phone.bring("paste", "textarea", picture, 1);
  await phone.bring("drop", ".bar", picture, 2);
  await phone.root.getByRole("button", { name: "Do not send drawn-1.png" }).first().click();
  assert.equal(await phone.root.locator(".picked li").count(), 2);
  await phone.bring("drop", ".bar", picture, 9);
  await phone.root.getByText("A message can have at most 10 files.").waitFor();
  assert.equal(await phone.root.locator(".picked li").count(), 10);
  await page.close();
});

test("when Twilio's answer is lost the message arrives once, and the page shows what happened", async () => {
  const page = await simulation.open();
  const phone = page.phone(FIRST);
  const trouble = page.getByRole("button", { name: /^Answer lost after sending/ });
  await trouble.click();
  await page.waitForFunction((one) => one.getAttribute("aria-pressed") === "true", await trouble.elementHandle());
  const before = (await phone.answers()).length;
  await phone.write("Only once, please.");
  await phone.waitForAnswers(before + 1);
  await phone.waitForDelivery();
  assert.equal((await phone.answers()).filter((text) => text === "Only once, please.").length, 1);
  await page.waitForFunction((one) => one.getAttribute("aria-pressed") === "false", await trouble.elementHandle());
  await phone.root.locator(".bubble:not(.mine) .said").last().click();
  const lines = await page.locator("#log li").allTextContents();
  assert.ok(lines.some((line) => line.includes("Messages.json") && line.includes("no answer")), lines.join("\n"));
  assert.ok(lines.every((line) => !line.includes("/telephony/webhook")), "only this message's requests are shown");
  assert.equal(await phone.root.locator(".trace:visible li").count(), lines.length);
  await page.shot("answer-lost");
  await page.keyboard.press("Escape");
  assert.equal(await phone.root.locator(".trace:visible").count(), 0);
  await page.close();
});

test("an outage is seen, ended, and the answer comes after all", async () => {
  const page = await simulation.open();
  const phone = page.phone(FIRST);
  const before = (await phone.answers()).length;
  await page.getByRole("button", { name: /^Outage/ }).click();
  await page.getByRole("button", { name: "End all faults" }).waitFor();
  await phone.write("Anybody in there?");
  await page.locator("#log li.rest .status.bad", { hasText: "503" }).last().waitFor();
  await page.shot("outage");
  assert.equal((await phone.answers()).length, before);
  await page.getByRole("button", { name: "End all faults" }).click();
  await phone.waitForAnswers(before + 1);
  assert.equal((await phone.answers()).at(-1), "Anybody in there?");
  await page.close();
});

test("a phone that is switched off gets its texts no more, and a failure says why", async () => {
  const page = await simulation.open();
  const phone = page.phone(FIRST);
  await phone.root.getByRole("button", { name: "On", exact: true }).click();
  await phone.root.getByText("switched off: texts do not arrive").waitFor();
  assert.ok(await phone.root.getByRole("textbox").isDisabled(), "who is off writes nothing");
  assert.ok(await phone.root.getByRole("button", { name: "Send", exact: true }).isDisabled());
  await simulation.send(FIRST, "Can you hear me?");
  await phone.root.getByText(/^undelivered · error 30003: The handset cannot be reached/).waitFor();
  await page.shot("switched-off");
  await page.reload();
  await phone.root.getByText("switched off: texts do not arrive").waitFor();
  await phone.root.getByRole("button", { name: "On", exact: true }).click();
  await phone.root.getByText("switched on").waitFor();
  await page.close();
});

test("a line of the wire shows what it carried: the form, the signature and what that signs, the error of an answer", async () => {
  const page = await simulation.open();
  const phone = page.phone(FIRST);
  const before = (await phone.answers()).length;
  await page.getByRole("button", { name: /^Too many requests/ }).click();
  await page.getByRole("button", { name: "End all faults" }).waitFor();
  await phone.write("What did I say, and who signed it?");
  await phone.waitForAnswers(before + 1);
  await phone.waitForDelivery();
  await phone.root.locator(".bubble.mine .said").last().click();
  const webhook = page.locator("#log li.webhook").first();
  await webhook.locator(".line").press("Enter");
  assert.equal(await webhook.locator(".line").getAttribute("aria-expanded"), "true");
  await webhook.getByRole("heading", { name: /^Answer: 200/ }).waitFor();
  const carried = new Map(await webhook.locator(".pairs div").evaluateAll((rows) => rows.map((row) => [row.firstChild.textContent, row.lastChild.textContent])));
  assert.equal(carried.get("Body"), "What did I say, and who signed it?");
  assert.equal(carried.get("From"), FIRST);
  await webhook.getByText("Signed text", { exact: true }).press("Enter");
  const signed = await webhook.locator("details pre").textContent();
  const signature = createHmac("sha1", "0123456789abcdef0123456789abcdef").update(signed).digest("base64");
  assert.equal(carried.get("X-Twilio-Signature"), signature);
  await page.shot("wire-webhook");
  await page.keyboard.press("Escape");
  assert.equal(await webhook.locator(".detail").count(), 0);
  assert.ok(await webhook.locator(".line").evaluate((line) => line === document.activeElement));
  await page.keyboard.press("Escape");
  const refused = page.locator("#log li.rest", { hasText: "429" }).last();
  await refused.locator(".line").click();
  await refused.getByText("Error 20429 Too Many Requests").waitFor();
  const shown = await refused.textContent();
  assert.match(shown, /Body *What did I say/);
  assert.match(shown, /Authorization *Basic AC0123456789abcdef0123456789abcdef:•••/);
  assert.ok(!shown.includes(btoa("AC0123456789abcdef0123456789abcdef:0123456789abcdef0123456789abcdef")));
  await page.shot("wire-429");
  assert.deepEqual(await page.violations(), []);
  await page.close();
});

test("a recording that no browser plays, and a picture that is none, can be saved", async () => {
  const page = await simulation.open();
  const phone = page.phone(FIRST);
  const data = btoa("#!AMR\n not really");
  await simulation.text(FIRST, "a note", [{ content_type: "audio/amr", data }, { content_type: "image/png", data }, { content_type: "video/3gpp", data }, { content_type: "audio/ogg", data }]);
  const links = phone.root.locator(".bubble").filter({ hasText: "a note" }).first().locator("a.file");
  await links.nth(3).waitFor();
  assert.deepEqual(await links.evaluateAll((all) => all.map((link) => link.download)), ["file.amr", "file.png", "file.3gpp", "file.ogg"]);
  const [saved] = await Promise.all([page.waitForEvent("download"), links.first().click()]);
  assert.equal(saved.suggestedFilename(), "file.amr");
  await page.shot("files-to-save");
  simulation.complaints = simulation.complaints.filter((text) => !text.includes("Failed to load"));
  await page.close();
});

test("two phones talk at the same time, and STOP silences only one", async () => {
  const page = await simulation.open();
  await page.getByRole("button", { name: "Add a phone" }).click();
  const [first, second] = [page.phone(FIRST), page.phone(SECOND)];
  await second.write("May I come in, too?");
  await page.getByRole("button", { name: `Approve ${SECOND}` }).click();
  await second.waitForAnswers(3);
  const before = (await first.answers()).length;
  await second.write("STOP");
  await second.root.getByText("Stopped: Twilio blocks texts to this phone until it sends START.").waitFor();
  await second.root.getByText("Automatic reply from Twilio").waitFor();
  await first.write("I still hear you.");
  await first.waitForAnswers(before + 1);
  await page.shot("two-phones");
  await second.write("START");
  await second.root.getByText("Started: texts reach this phone again.").waitFor();
  await page.close();
});

test("a hidden phone keeps its messages, and its chip counts the new ones", async () => {
  const page = await simulation.open();
  const second = page.phone(SECOND);
  await second.waitForAnswers(3);
  const before = await second.root.locator(".bubble").count();
  await second.root.getByRole("button", { name: /^Hide / }).click();
  await second.root.waitFor({ state: "detached" });
  await simulation.send(SECOND, "While you were away.");
  await page.getByRole("button", { name: "+1 555 000 5679, hidden, 1 new message" }).click();
  await second.root.getByText("While you were away.").waitFor();
  assert.equal(await second.root.locator(".bubble").count(), before + 1);
  assert.ok(await second.root.getByRole("textbox").evaluate((box) => box === document.activeElement));
  const places = await page.locator(".phone").evaluateAll((all) => all.map((one) => one.getAttribute("aria-label")));
  assert.deepEqual(places, ["Phone +1 555 000 5678", "Phone +1 555 000 5679"]);
  await page.close();
});

test("it can be used with the keyboard alone, in the dark and on a small screen", async () => {
  const page = await simulation.open({ viewport: { width: 390, height: 844 }, colorScheme: "dark", hasTouch: true });
  const third = page.phone("+15550005680");
  await page.getByRole("button", { name: "Add a phone" }).press("Enter");
  await page.keyboard.type("First line");
  await page.keyboard.press("Shift+Enter");
  await page.keyboard.type("second line");
  await page.keyboard.press("Enter");
  await third.waitForAnswers(1);
  assert.equal(await third.root.locator(".bubble.mine .body").textContent(), "First line\nsecond line");
  await page.shot("small-dark");
  await third.root.getByRole("button", { name: "Let them in" }).press("Enter");
  await third.waitForAnswers(3);
  await third.root.locator("textarea:focus").waitFor();
  for (const view of ["Faults", "Wire"]) {
    await page.getByRole("button", { name: new RegExp(`^${view}`) }).press("Enter");
    const width = await page.evaluate(() => document.documentElement.scrollWidth);
    assert.ok(width <= 390, `${view} is ${width} px wide`);
    await page.shot(`small-dark-${view.toLowerCase()}`);
  }
  await page.close();
});

test("its colors are chosen and kept", async () => {
  const page = await simulation.open({ colorScheme: "light" });
  const ground = () => page.evaluate(() => getComputedStyle(document.documentElement).backgroundColor);
  const light = await ground();
  await page.getByRole("button", { name: "Colors: auto" }).click();
  await page.getByRole("button", { name: "Colors: light" }).click();
  await page.getByRole("button", { name: "Colors: dark" }).waitFor();
  const dark = await ground();
  assert.notEqual(dark, light);
  await page.reload();
  assert.equal(await ground(), dark);
  await page.shot("wide-dark");
  await page.close();
});

test("a text with markup in it is text, and what is not a picture is not shown as one", async () => {
  const page = await simulation.open();
  const phone = page.phone(FIRST);
  const text = `<img src=x onerror="document.title='taken'"> & <b>bold</b>`;
  const before = (await phone.answers()).length;
  await phone.write(text);
  await phone.waitForAnswers(before + 1);
  assert.equal((await phone.root.locator(".bubble.mine .body").allTextContents()).at(-1), text);
  const script = Buffer.from("<svg xmlns='http://www.w3.org/2000/svg'><script>document.title='taken'</script></svg>");
  await phone.root.locator("input.files").setInputFiles({ name: "a.svg", mimeType: "image/svg+xml", buffer: script });
  await phone.write("a drawing");
  const link = phone.root.locator("a.file").last();
  await link.waitFor();
  const answer = await page.request.get(new URL(await link.getAttribute("href"), page.url()).href);
  assert.equal(answer.headers()["content-type"], "application/octet-stream");
  assert.equal(await page.title(), "Text your assistant");
  await page.close();
});

test("axe finds nothing in the way of anybody, in light and dark, large and small", async () => {
  const large = { width: 1680, height: 1000 };
  const small = { width: 390, height: 844 };
  for (const [name, options] of Object.entries({
    "light and large": { viewport: large, colorScheme: "light" },
    "dark and large": { viewport: large, colorScheme: "dark" },
    "light and small": { viewport: small, colorScheme: "light" },
    "dark and small": { viewport: small, colorScheme: "dark" },
  })) {
    const page = await simulation.open(options);
    const phone = page.phone(FIRST);
    await phone.waitForAnswers(3);
    await phone.root.locator(".bubble .said").last().click();
    assert.deepEqual(await page.violations(), [], name);
    if (name.endsWith("large")) await page.shot(name.replaceAll(" ", "-"));
    for (const view of name.endsWith("small") ? ["Operator", "Faults", "Wire"] : []) {
      await page.getByRole("button", { name: new RegExp(`^${view}`) }).click();
      assert.deepEqual(await page.violations(), [], `${name}: ${view}`);
    }
    await page.close();
  }
});

test("the page says that the simulation stopped", async () => {
  const page = await simulation.open();
  assert.deepEqual(simulation.complaints, []);
  simulation.end();
  await page.getByText("The simulator stopped or cannot be reached").waitFor();
  await page.close();
});
