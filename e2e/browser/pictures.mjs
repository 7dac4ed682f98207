// Pictures through the gateway, as a phone in the browser sees them: `e2e/run.sh browser/pictures.mjs`. The built-in
// Twilio, a gateway with a configuration of its own, and `openclaw telephony send --media`; settings as in phone.mjs.
import assert from "node:assert/strict";
import { execFile, execFileSync, spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { promisify } from "node:util";
import { Simulation, drawPicture, program } from "./simulation.mjs";

const PHONE = "+15550005678";
const folder = mkdtempSync(join(tmpdir(), "openclaw-pictures-"));
const config = join(folder, "openclaw.json");
const environment = { ...process.env, OPENCLAW_STATE_DIR: join(folder, "state"), HOME: folder };

const sends = execFileSync(program, ["telephony", "send", "--help"], { encoding: "utf8" }).includes("--media");
const skip = sends ? false : "this program sends no files yet";

let simulation, gateway;

async function freePort() {
  const probe = createServer();
  await new Promise((listening) => probe.listen(0, "127.0.0.1", listening));
  const { port } = probe.address();
  await new Promise((closed) => probe.close(closed));
  return port;
}

async function eventually(look, what) {
  for (const deadline = Date.now() + 60_000; Date.now() < deadline; ) {
    if (await look().catch(() => false)) return;
    await new Promise((soon) => setTimeout(soon, 50));
  }
  throw new Error(`${what} did not come in time`);
}

before(async () => {
  simulation = await Simulation.start("--twilio-only");
  const { sid, numbers } = await (await fetch(`${simulation.url}_simulator/account`)).json();
  const port = await freePort();
  const own = `http://127.0.0.1:${port}`;
  const telephony = {
    enabled: true, provider: "twilio", fromNumber: numbers[0], inboundPolicy: "open", publicUrl: own, serve: { port },
    twilio: { accountSid: sid, authToken: "0123456789abcdef0123456789abcdef", apiBaseUrl: simulation.url.replace(/\/$/, "") },
    sms: { coalesceMs: 0, segmentsPerSecond: null }, agent: { kind: "echo" },
  };
  writeFileSync(config, JSON.stringify({ channels: { telephony } }));
  gateway = spawn(program, ["gateway", "--config", config], { env: environment, stdio: ["ignore", "ignore", "inherit"] });
  await eventually(async () => (await fetch(`${own}/health`)).ok, "the gateway");
  const settings = { SmsUrl: `${own}/telephony/webhook` };
  const change = { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify({ number: numbers[0], settings }) };
  assert.equal((await fetch(`${simulation.url}_simulator/numbers`, change)).status, 200);
});

after(async () => {
  gateway?.kill("SIGINT");
  await simulation?.stop();
  rmSync(folder, { recursive: true, force: true });
});

test("a picture comes back the way it went: from the phone to the agent, and from a file to the phone", { skip }, async () => {
  const page = await simulation.open();
  const phone = page.phone(PHONE);
  const picture = await drawPicture(page);
  await phone.root.locator("input.files").setInputFiles({ name: "evening.png", mimeType: "image/png", buffer: picture });
  await phone.write("What do you see?");
  await phone.waitForAnswers(1);
  assert.match((await phone.answers())[0], /What do you see\?/);
  await phone.root.getByRole("img", { name: /^Picture from this phone, PNG/ }).waitFor();

  const file = join(folder, "hills.png");
  writeFileSync(file, picture);
  const sent = await promisify(execFile)(program, ["telephony", "send", PHONE, "These hills.", "--media", file, "--config", config], { env: environment });
  assert.match(sent.stdout, /^Sent: MM/m);
  const shown = phone.root.getByRole("img", { name: /^Picture from your program, PNG/ });
  await shown.waitFor();
  await page.waitForFunction((image) => image.complete && image.naturalWidth === 640, await shown.elementHandle());
  await phone.waitForDelivery();
  await page.getByRole("button", { name: "Files", exact: true }).click();
  const lines = await page.locator("#log li").allTextContents();
  assert.ok(lines.some((line) => line.includes("fetch picture") && line.includes("/telephony/webhook/m/")), lines.join("\n"));
  assert.ok(lines.some((line) => line.includes("file store")), lines.join("\n"));
  await page.shot("pictures-both-ways");
  assert.deepEqual(simulation.complaints, []);
  await page.close();
});
