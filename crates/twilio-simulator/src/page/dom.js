// DOM helpers. All content is inserted as text or elements, never as markup.

export const $ = (id) => document.getElementById(id);

export function element(tag, properties = {}, ...children) {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
}

const PATHS = {
  send: "M12 4l7.5 8H15v8H9v-8H4.5z",
  attach: "M5 4h14a2 2 0 0 1 2 2v12a2 2 0 0 1-2 2H5a2 2 0 0 1-2-2V6a2 2 0 0 1 2-2zm0 2v9.2l4-4 4.2 4.2 2.3-2.2L19 16.6V6zm10.2 1.6a1.7 1.7 0 1 1 0 3.4 1.7 1.7 0 0 1 0-3.4z",
  call: "M6.600 2.500l3.400 4-2 3a12 12 0 0 0 6.500 6.500l3-2 4 3.400-2.500 4.100C10.500 21.500 2.500 13.500 2.500 5z",
  power: "M11 3h2v9h-2zM7.1 5.9l1.4 1.5a6 6 0 1 0 7 0l1.4-1.5a8 8 0 1 1-9.8 0z",
  close: "M6.4 5L12 10.6 17.6 5 19 6.4 13.4 12l5.6 5.6-1.4 1.4-5.6-5.6L6.4 19 5 17.6l5.6-5.6L5 6.4z",
  auto: "M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18zm0 2v14a7 7 0 0 1 0-14z",
  light: "M12 7.5a4.5 4.5 0 1 1 0 9 4.5 4.5 0 0 1 0-9zM11 1.5h2v3h-2zm0 18h2v3h-2zM1.5 11h3v2h-3zm18 0h3v2h-3zM5.3 3.9l2.1 2.1L6 7.4 3.9 5.3zm12.7 12.7l2.1 2.1-1.4 1.4-2.1-2.1zM3.9 18.7L6 16.6 7.4 18l-2.1 2.1zM16.6 6l2.1-2.1 1.4 1.4L18 7.4z",
  dark: "M13 3a9 9 0 1 0 8 12A7.5 7.5 0 0 1 13 3z",
  phones: "M8 2h8a2 2 0 0 1 2 2v16a2 2 0 0 1-2 2H8a2 2 0 0 1-2-2V4a2 2 0 0 1 2-2zm0 3v12h8V5zm3 13.5v1.5h2v-1.5z",
  operator: "M12 3a4.5 4.5 0 1 1 0 9 4.5 4.5 0 0 1 0-9zm0 11c4.7 0 8.5 2.4 8.5 5.4V21h-17v-1.6C3.500 16.400 7.300 14 12 14z",
  trouble: "M13 2L4 14h6l-1 8 9-12h-6z",
  wire: "M4 6h13.200l-2.600-2.600L16 2l5 5-5 5-1.400-1.400L17.200 8H4zm16 10H6.800l2.600-2.600L8 12l-5 5 5 5 1.400-1.400L6.800 18H20z",
  clock: "M12 3a9 9 0 1 1 0 18 9 9 0 0 1 0-18zm0 2a7 7 0 1 0 0 14 7 7 0 0 0 0-14zm1 2.500V12l3 2-1 1.600-4-2.600V7.500z",
  tick: "M9 17.200L4.300 12.500l1.400-1.400L9 14.400 18.300 5l1.400 1.400z",
  ticks: "M6.500 17.200L1.800 12.500l1.400-1.400 3.300 3.300L15.800 5l1.400 1.400zm5.400-.1l-1.200-1.200 1.400-1.400 9-9.400 1.400 1.400z",
  alarm: "M12 2.500L22.500 21h-21zM11 9v6h2V9zm0 7.500v2h2v-2z",
  file: "M6 2h8l5 5v15H6zm7 1.800V8h4.200z",
  more: "M8.600 5.400L10 4l8 8-8 8-1.400-1.400 6.600-6.600z",
  copy: "M8 2h10a2 2 0 0 1 2 2v13h-2V4H8zM4 6h10a2 2 0 0 1 2 2v12a2 2 0 0 1-2 2H4a2 2 0 0 1-2-2V8a2 2 0 0 1 2-2zm0 2v12h10V8z",
  lock: "M7 10V7a5 5 0 0 1 10 0v3h1.500v11h-13V10zm2 0h6V7a3 3 0 0 0-6 0z",
};

export function icon(name) {
  const namespace = "http://www.w3.org/2000/svg";
  const drawing = document.createElementNS(namespace, "svg");
  drawing.setAttribute("viewBox", "0 0 24 24");
  drawing.setAttribute("aria-hidden", "true");
  const path = document.createElementNS(namespace, "path");
  path.setAttribute("d", PATHS[name]);
  path.setAttribute("fill-rule", "evenodd");
  drawing.append(path);
  return drawing;
}

export async function ask(path, method = "GET", body) {
  const options = { method, headers: body === undefined ? {} : { "content-type": "application/json" } };
  if (body !== undefined) options.body = JSON.stringify(body);
  const answer = await fetch(path, options);
  const text = await answer.text();
  let data = null;
  try {
    data = text ? JSON.parse(text) : null;
  } catch {
    throw new Error(text);
  }
  if (!answer.ok) throw new Error(data?.error ?? `the simulator answered ${answer.status}`);
  return data;
}

// Values kept between visits, if the browser stores any.
export const store = {
  get(name) {
    try {
      return localStorage.getItem(name);
    } catch {
      return null;
    }
  },
  set(name, value) {
    try {
      localStorage.setItem(name, value);
    } catch {
      // Restored on the next visit.
    }
  },
};

// Announces something once to screen readers.
export function announce(text) {
  $("heard").append(element("p", { textContent: text }));
  if ($("heard").childElementCount > 20) $("heard").firstElementChild.remove();
}

// Formats +15550005678 for people.
export const pretty = (number) => number.replace(/^\+1(\d{3})(\d{3})(\d{4})$/, "+1 $1 $2 $3");

export const many = (count, one) => `${count} ${one}${Number(count) === 1 ? "" : "s"}`;

export const weight = (bytes) => (bytes < 1e6 ? `${Math.max(1, Math.round(bytes / 1e3))} kB` : `${(bytes / 1e6).toFixed(1)} MB`);
