// Twilio's official library for Node against both sides: it accepts the simulator's signatures, and our gateway
// accepts the library's. Run it with e2e/run.sh peers/twilio_node.mjs.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { openSync } from "node:fs";
import net from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, afterEach, before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";

import express from "express";
import twilio from "twilio";

const HERE = path.dirname(fileURLToPath(import.meta.url));
const OPENCLAW = process.env.OPENCLAW ?? path.join(HERE, "../../target/debug/openclaw");
const ACCOUNT = "AC0123456789abcdef0123456789abcdef";
const TOKEN = "0123456789abcdef0123456789abcdef";
const [LINE, PHONE] = ["+15550001234", "+15550005678"];

const folder = await mkdtemp(path.join(tmpdir(), "openclaw-e2e-"));
const log = path.join(folder, "programs.log");
const running = [];
let hasFailed = false;

// Just below the range for outgoing connections, so that the port stays free until it is used.
async function freePort() {
  for (;;) {
    const port = 10_000 + Math.floor(Math.random() * 10_000);
    const probe = net.createServer().listen(port, "127.0.0.1");
    const isFree = await once(probe, "listening").then(
      () => true,
      () => false,
    );
    if (!isFree) continue;
    probe.close();
    await once(probe, "close");
    return port;
  }
}

function start(...words) {
  const output = openSync(log, "a");
  const env = { ...process.env, OPENCLAW_STATE_DIR: folder, HOME: folder };
  const program = spawn(OPENCLAW, words, { stdio: ["ignore", output, output], env });
  running.push(program);
}

async function eventually(find, what, within = 15_000) {
  const deadline = Date.now() + within;
  for (;;) {
    const found = await find().catch(() => undefined);
    if (found) return found;
    hasFailed ||= Date.now() > deadline;
    assert(!hasFailed, `${what} did not come within ${within} ms`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

let simulator;

async function control(what, body) {
  const method = body === undefined ? "GET" : "POST";
  const headers = { "Content-Type": "application/json" };
  const answer = await fetch(`${simulator}/_simulator/${what}`, { method, headers, body: JSON.stringify(body) });
  assert(answer.ok, `${what}: ${answer.status}`);
  return answer.status === 204 ? undefined : answer.json();
}

async function rest(method, what, form = {}) {
  const headers = { Authorization: `Basic ${btoa(`${ACCOUNT}:${TOKEN}`)}` };
  const body = method === "GET" ? undefined : new URLSearchParams(form);
  const answer = await fetch(`${simulator}/2010-04-01/Accounts/${ACCOUNT}/${what}`, { method, headers, body });
  assert(answer.ok, `${what}: ${answer.status}`);
  return answer.json();
}

async function deliverTo(url) {
  const [number] = (await rest("GET", "IncomingPhoneNumbers.json")).incoming_phone_numbers;
  await rest("POST", `IncomingPhoneNumbers/${number.sid}.json`, { SmsUrl: url, VoiceUrl: url });
}

before(async () => {
  const port = await freePort();
  simulator = `http://127.0.0.1:${port}`;
  start("telephony", "simulate", "--twilio-only", "--port", String(port));
  await eventually(() => control("messages"), "the simulator");
});

afterEach((context) => {
  hasFailed ||= !context.passed;
});

after(async () => {
  for (const program of running) {
    program.kill();
    if (program.exitCode === null) await once(program, "exit");
  }
  if (hasFailed) console.error(await readFile(log, "utf8"));
  await rm(folder, { recursive: true });
});

describe("an application that uses the library's middleware", () => {
  const heard = [];
  let server;

  before(async () => {
    const application = express();
    application.use(express.urlencoded({ extended: false }), twilio.webhook(TOKEN));
    application.use((request, response) => {
      heard.push({ url: request.originalUrl, ...request.body });
      response.type("text/xml").send(new twilio.twiml.MessagingResponse().toString());
    });
    server = application.listen(0, "127.0.0.1");
    await once(server, "listening");
  });

  after(() => server.close());

  const at = (where) => `http://127.0.0.1:${server.address().port}${where}`;

  test("takes every text that the simulator signs", async () => {
    for (const where of ["/sms", "/sms?a=1&b=%2f", "/sms?x=it's+a%20test#rc=2&rp=all"]) {
      await deliverTo(at(where));
      const body = "Grüße & 😀 = +\n 'quoted'";
      const delivery = await control("inbound-message", {
        from: PHONE,
        to: LINE,
        body,
        media: 1,
        parameters: [["Odd ", ""]],
      });
      assert.equal(delivery.status, 200, where);
      assert.deepEqual([heard.at(-1).url, heard.at(-1).Body], [where.split("#")[0], body]);
    }
  });

  test("takes the calls and the reports that it signs", async () => {
    await deliverTo(at("/voice"));
    assert.equal((await control("inbound-call", { from: PHONE, to: LINE })).status, 200);
    assert.equal(heard.at(-1).CallStatus, "ringing");
    await rest("POST", "Messages.json", { From: LINE, To: PHONE, Body: "Hello", StatusCallback: at("/status?part=1") });
    await eventually(async () => heard.at(-1).MessageStatus === "delivered", "the last report");
  });

  test("refuses what somebody else signs", async () => {
    const count = heard.length;
    const headers = { "X-Twilio-Signature": twilio.getExpectedTwilioSignature("wrong", at("/sms"), {}) };
    const answer = await fetch(at("/sms"), { method: "POST", headers });
    assert.deepEqual([answer.status, heard.length], [403, count]);
  });
});

describe("a gateway", () => {
  let url;
  const sid = () => `SM${crypto.randomUUID().replaceAll("-", "")}`;
  const text = (body, more = {}) => {
    const MessageSid = sid();
    return {
      MessageSid,
      SmsSid: MessageSid,
      AccountSid: ACCOUNT,
      From: PHONE,
      To: LINE,
      Body: body,
      FromCity: "",
      ...more,
    };
  };

  before(async () => {
    const port = await freePort();
    const telephony = {
      enabled: true,
      provider: "twilio",
      fromNumber: LINE,
      inboundPolicy: "open",
      publicUrl: `http://127.0.0.1:${port}`,
      serve: { port },
      twilio: { accountSid: ACCOUNT, authToken: TOKEN, apiBaseUrl: simulator },
      sms: { coalesceMs: 0, segmentsPerSecond: null },
      agent: { kind: "echo" },
    };
    const config = path.join(folder, "openclaw.json");
    await writeFile(config, JSON.stringify({ channels: { telephony } }));
    start("gateway", "--config", config);
    url = `http://127.0.0.1:${port}/telephony/webhook`;
    await eventually(async () => (await fetch(`http://127.0.0.1:${port}/health`)).ok, "the gateway");
  });

  async function post(parameters, { token = TOKEN, signed = url, to = signed } = {}) {
    const body = new URLSearchParams();
    for (const [name, value] of Object.entries(parameters)) [value].flat().forEach((each) => body.append(name, each));
    const headers = { "X-Twilio-Signature": twilio.getExpectedTwilioSignature(token, signed, parameters) };
    const answer = await fetch(to, { method: "POST", headers, body });
    return [answer.status, await answer.text()];
  }

  async function answers(body) {
    return (await control("messages")).filter(
      (message) => message.direction === "outbound-api" && message.body === body,
    );
  }

  test("answers the texts that the library signs", async () => {
    const texts = [
      text("Hello from Node"),
      text("Grüße & 😀 = + % 'quoted'"),
      text("More than usual", { Odd: "", "Odd ": "x", Zeichen: "ü", lower: "case" }),
      text("Twice", { Extra: ["b", "a", "b"] }),
    ];
    for (const parameters of texts) {
      assert.deepEqual(await post(parameters), [200, "<Response/>"]);
      await eventually(async () => (await answers(parameters.Body)).length === 1, `an answer to ${parameters.Body}`);
    }
  });

  test("takes a query as it was written", async () => {
    assert.equal((await post(text("Query"), { signed: `${url}?a=1&b=%2f` }))[0], 200);
  });

  test("refuses forgeries", async () => {
    assert.equal((await post(text("Forged"), { token: "wrong" }))[0], 403);
    assert.equal((await post(text("Forged"), { signed: `${url}?a=1`, to: url }))[0], 403);
    assert.deepEqual(await answers("Forged"), []);
  });
});
