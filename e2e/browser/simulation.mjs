// A running simulation and a browser, with a user's actions as functions.
import { spawn } from "node:child_process";
import { mkdirSync } from "node:fs";
import { createServer } from "node:http";
import { connect, createServer as listen } from "node:net";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import axe from "axe-core";
import { chromium } from "playwright-core";

const here = dirname(fileURLToPath(import.meta.url));
export const program = process.env.OPENCLAW ?? join(here, "../../target/debug/openclaw");
const screenshots = process.env.SCREENSHOTS ?? join(here, "screenshots");
const patience = 60_000;
const quiet = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"];

export class Simulation {
  static async start(...options) {
    mkdirSync(screenshots, { recursive: true });
    const own = new Simulation();
    own.complaints = [];
    own.process = spawn(program, ["telephony", "simulate", ...options], { stdio: ["ignore", "pipe", "inherit"] });
    own.url = await new Promise((found, failed) => {
      own.process.on("exit", (code) => failed(new Error(`the simulation ended with ${code}`)));
      own.process.stdout.on("data", (text) => {
        const match = String(text).match(/http:\S+/);
        if (match) found(match[0].replace(/\/?$/, "/"));
      });
    });
    own.browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: quiet });
    return own;
  }

  async open(options = {}) {
    const { before, url, ...rest } = options;
    const page = await this.browser.newPage({ viewport: { width: 1280, height: 840 }, ...rest });
    if (before) await page.addInitScript(before);
    page.setDefaultTimeout(patience);
    page.on("pageerror", (error) => this.complaints.push(error.message));
    page.on("console", (line) => line.type() === "error" && this.complaints.push(line.text()));
    page.phone = (number) => new Phone(page, number);
    page.shot = async (name) => {
      // Bubbles are animated, and a screenshot would be blurred.
      await page.evaluate(() => Promise.all(document.getAnimations().map((one) => one.finished.catch(() => {}))));
      await page.screenshot({ path: join(screenshots, `${name}.png`) });
    };
    // Injected from outside, because the page's policy blocks scripts.
    page.violations = async () => {
      await page.evaluate(axe.source);
      const { violations } = await page.evaluate(() => window.axe.run({ resultTypes: ["violations"] }));
      return violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => `${node.html.slice(0, 160)} ${node.any[0]?.message ?? ""}`).join(" | ")}`);
    };
    await page.goto(url ?? this.url);
    await page.locator("#link.live").waitFor();
    return page;
  }

  // Sends a message, optionally with a picture, through the API, as the gateway would.
  send(to, text, picture) {
    return this.create("Messages", { To: to, Body: text, ...(picture ? { MediaUrl: picture } : {}) });
  }

  // Calls a phone through the API and says something.
  call(to, words) {
    return this.create("Calls", { To: to, Twiml: `<Response><Say>${words}</Say></Response>` });
  }

  async create(resource, fields) {
    const account = await (await fetch(`${this.url}_simulator/account`)).json();
    const form = new URLSearchParams({ From: account.numbers[0], ...fields });
    const authorization = `Basic ${btoa(`${account.sid}:0123456789abcdef0123456789abcdef`)}`;
    const answer = await fetch(`${this.url}2010-04-01/Accounts/${account.sid}/${resource}.json`, { method: "POST", body: form, headers: { authorization } });
    if (answer.status !== 201) throw new Error(await answer.text());
  }

  // Texts from a phone without the page.
  async text(from, body, files = []) {
    const account = await (await fetch(`${this.url}_simulator/account`)).json();
    const text = JSON.stringify({ from, to: account.numbers[0], body, files });
    const answer = await fetch(`${this.url}_simulator/inbound-message`, { method: "POST", body: text, headers: { "content-type": "application/json" } });
    if (answer.status !== 200) throw new Error(await answer.text());
  }

  end() {
    this.process.removeAllListeners("exit");
    this.process.kill("SIGINT");
  }

  async stop() {
    await this.browser?.close();
    this.end();
  }
}

// Serves a picture and records the requests.
export class Shelf {
  static async open(picture) {
    const own = new Shelf();
    own.asked = [];
    own.server = createServer((request, response) => {
      own.asked.push(`${request.method} ${request.url}`);
      const isThere = request.url === "/evening.png";
      response.writeHead(isThere ? 200 : 404, { "content-type": isThere ? "image/png" : "text/plain", "content-length": isThere ? picture.length : 0 });
      response.end(isThere && request.method === "GET" ? picture : undefined);
    });
    await new Promise((listening) => own.server.listen(0, "127.0.0.1", listening));
    return own;
  }

  url(path) {
    return `http://127.0.0.1:${this.server.address().port}${path}`;
  }

  close() {
    this.server.close();
  }
}

// A connection to the simulation that can be cut and restored.
export class Line {
  static async open(simulation) {
    const own = new Line();
    const { port } = new URL(simulation.url);
    own.sockets = new Set();
    own.server = listen((here) => {
      const there = connect(port, "127.0.0.1");
      here.pipe(there).pipe(here);
      for (const socket of [here, there]) {
        own.sockets.add(socket);
        socket.on("error", () => {}).on("close", () => [here, there].forEach((end) => end.destroy()));
      }
    });
    own.port = 0;
    await own.fix();
    own.url = `http://127.0.0.1:${own.port}/`;
    return own;
  }

  async fix() {
    await new Promise((listening) => this.server.listen(this.port, "127.0.0.1", listening));
    this.port = this.server.address().port;
  }

  cut() {
    this.server.close();
    for (const socket of this.sockets) socket.destroy();
    this.sockets.clear();
  }
}

class Phone {
  constructor(page, number) {
    this.page = page;
    this.root = page.getByRole("region", { name: `Phone ${number.replace(/^\+1(...)(...)(....)$/, "+1 $1 $2 $3")}` });
  }

  async write(text) {
    await this.root.getByRole("textbox").fill(text);
    await this.root.getByRole("textbox").press("Enter");
  }

  // The assistant's messages, without Twilio's automatic answers.
  answers() {
    return this.root.locator(".bubble:not(.mine):not(.by-twilio) .body").allTextContents();
  }

  async waitForAnswers(count) {
    await this.root.locator(".bubble:not(.mine):not(.by-twilio)").nth(count - 1).waitFor();
  }

  async waitForDelivery() {
    await this.root.locator(".bubble:not(.mine):not(.by-twilio)").last().locator("svg.delivered").waitFor();
  }

  // Pastes or drops pictures onto a part of the phone.
  async bring(event, place, base64, count) {
    const before = await this.root.locator(".picked li").count();
    await this.root.locator(place).evaluate((target, [event, base64, count]) => {
      const bytes = Uint8Array.from(atob(base64), (one) => one.charCodeAt(0));
      const data = new DataTransfer();
      for (let index = 1; index <= count; index += 1) data.items.add(new File([bytes], `drawn-${index}.png`, { type: "image/png" }));
      const options = { bubbles: true, cancelable: true };
      target.dispatchEvent(event === "paste" ? new ClipboardEvent("paste", { ...options, clipboardData: data }) : new DragEvent("drop", { ...options, dataTransfer: data }));
    }, [event, base64, count]);
    await this.root.locator(".picked li").nth(Math.min(before + count, 10) - 1).waitFor();
  }
}

// A PNG of 640 × 420: hills in the evening.
export async function drawPicture(page) {
  const url = await page.evaluate(() => {
    const canvas = Object.assign(document.createElement("canvas"), { width: 640, height: 420 });
    const pen = canvas.getContext("2d");
    const sky = pen.createLinearGradient(0, 0, 0, 420);
    for (const [place, color] of [[0, "#27326b"], [0.45, "#c8607d"], [0.7, "#f7b267"], [1, "#ffe3a3"]]) sky.addColorStop(place, color);
    pen.fillStyle = sky;
    pen.fillRect(0, 0, 640, 420);
    pen.fillStyle = "#fff3c9";
    pen.beginPath();
    pen.arc(430, 250, 46, 0, 7);
    pen.fill();
    for (const [height, swing, color] of [[270, 30, "#7a4d78"], [315, 24, "#4b3a66"], [360, 18, "#262346"]]) {
      pen.fillStyle = color;
      pen.beginPath();
      pen.moveTo(0, 420);
      for (let x = 0; x <= 640; x += 4) pen.lineTo(x, height + swing * Math.sin(x / 70 + height));
      pen.lineTo(640, 420);
      pen.fill();
    }
    return canvas.toDataURL("image/png");
  });
  return Buffer.from(url.split(",")[1], "base64");
}
