// Commands, codes and long texts, each with a button that copies it.

import { announce, element, icon } from "./dom.js";

const SHOWN_FOR = 1500;

export function copyButton(text, what) {
  const button = element("button", { type: "button", className: "round copy", title: `Copy ${what}` }, icon("copy"));
  button.setAttribute("aria-label", `Copy ${what}`);
  button.addEventListener("click", async () => {
    const isCopied = await copy(text);
    announce(isCopied ? `Copied ${what}.` : `The browser does not allow copying ${what}.`);
    button.replaceChildren(icon(isCopied ? "tick" : "alarm"));
    setTimeout(() => button.replaceChildren(icon("copy")), SHOWN_FOR);
  });
  return button;
}

async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return false;
  }
}

// A command or a value on a line of its own.
export const command = (text, what = "the command") =>
  element("p", { className: "command" }, element("code", { textContent: text }), copyButton(text, what));
