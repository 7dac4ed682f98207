// The details of one request: parameters, headers, signature, and the answer with its error code.

import { ask, element } from "./dom.js";
import { copyButton } from "./copy.js";

// Headers that developers look for come first.
const FIRST = ["x-twilio-signature", "i-twilio-idempotency-token", "authorization", "content-type", "location"];

export async function detail(entry) {
  if (entry.kind === "alert") return [about("Alert", verdict(entry.method, entry.target), pairs(entry.pairs))];
  const url = element("p", { className: "url" }, element("b", { textContent: entry.method }), ` ${entry.target}`);
  try {
    const { request, answer, failure } = await ask(`/_simulator/log/${entry.id}`);
    return [url, ...asked(request), ...answered(entry, answer, failure)];
  } catch (error) {
    return [url, element("p", { className: "quiet", textContent: `No details: ${error.message}.` })];
  }
}

function asked({ headers, parameters, left_out, signed }) {
  const shown = [];
  if (parameters.length > 0) {
    const filled = parameters.filter(([, value]) => value !== "");
    const empty = parameters.filter(([, value]) => value === "").map(([name]) => name);
    const more = [empty.length > 0 ? `Empty: ${empty.join(", ")}` : "", left_out > 0 ? `${left_out} more were too large to keep` : ""].filter(Boolean);
    shown.push(about("Parameters", pairs(filled), ...more.map((textContent) => element("p", { className: "quiet", textContent }))));
  }
  if (headers.length > 0) shown.push(about("Headers", pairs(sorted(headers))));
  if (signed !== null) {
    shown.push(element("details", {}, element("summary", { textContent: "Signed text" }),
      element("p", { className: "quiet", textContent: "X-Twilio-Signature is the HMAC-SHA1 of this text with the auth token, in base64. The text is the URL, then all names and values in order." }),
      text(signed, "Signed text")));
  }
  return shown;
}

function answered(entry, answer, failure) {
  if (answer === null) {
    return [about("No answer", verdict("", failure ?? "the client did not wait for it"))];
  }
  const json = parsed(answer.body);
  const shown = [pairs(sorted(answer.headers))];
  if (json?.code) shown.unshift(verdict(json.code, json.message));
  if (answer.body) shown.push(text(json ? JSON.stringify(json, null, 2) : answer.body, "Body of the answer"));
  return [about(`Answer: ${entry.status}${entry.took === null ? "" : ` after ${entry.took} ms`}`, ...shown)];
}

function parsed(body) {
  try {
    return JSON.parse(body);
  } catch {
    return null;
  }
}

const about = (title, ...children) => element("section", {}, element("h3", { textContent: title }), ...children);

const verdict = (code, message) => element("p", { className: "verdict" }, ...(code ? [element("b", { textContent: `Error ${code}` }), " "] : []), message);

const named = (header) => header.replace(/(^|-)[a-z]/g, (start) => start.toUpperCase());

function sorted(headers) {
  const place = (name) => (FIRST.includes(name) ? FIRST.indexOf(name) : FIRST.length);
  return [...headers].sort(([one], [other]) => place(one) - place(other)).map(([name, value]) => [named(name), value]);
}

function pairs(all) {
  return element("dl", { className: "pairs" }, ...all.map(([name, value]) => element("div", {}, element("dt", { textContent: name }), element("dd", { textContent: value }))));
}

// A long text that also scrolls with the keyboard.
function text(textContent, label) {
  const made = element("pre", { textContent, tabIndex: 0 });
  made.setAttribute("role", "group");
  made.setAttribute("aria-label", label);
  return element("div", { className: "text" }, made, copyButton(textContent, `the ${label.toLowerCase()}`));
}
