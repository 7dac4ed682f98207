// Files that a phone sends: chosen, pasted or dropped, resized as phones do, and displayed.

import { $, element, icon, weight } from "./dom.js";

// The size limit of a message, and the size above which a photo is resized before sending, as phones do.
export const MOST = 10;
export const LARGEST = 5 * 1024 * 1024;
const PHOTO = 1024 * 1024;
const LONGEST_EDGE = 2048;

export async function take(file) {
  const isPhoto = ["image/jpeg", "image/png", "image/webp"].includes(file.type);
  const kept = isPhoto && file.size > PHOTO ? await shrink(file) : file;
  return { name: file.name, type: kept.type || "application/octet-stream", blob: kept, url: URL.createObjectURL(kept) };
}

// Accepts files dropped on an element, and highlights it.
export function listenToDrops(place, pick) {
  const brings = (event) => event.dataTransfer?.types.includes("Files");
  place.addEventListener("dragover", (event) => {
    if (!brings(event)) return;
    event.preventDefault();
    place.classList.add("over");
  });
  place.addEventListener("dragleave", (event) => {
    if (!place.contains(event.relatedTarget)) place.classList.remove("over");
  });
  place.addEventListener("drop", (event) => {
    if (!brings(event)) return;
    event.preventDefault();
    place.classList.remove("over");
    pick(event.dataTransfer.files);
  });
}

async function shrink(file) {
  const bitmap = await createImageBitmap(file);
  const scale = Math.min(1, LONGEST_EDGE / Math.max(bitmap.width, bitmap.height));
  const canvas = element("canvas", { width: Math.round(bitmap.width * scale), height: Math.round(bitmap.height * scale) });
  canvas.getContext("2d").drawImage(bitmap, 0, 0, canvas.width, canvas.height);
  bitmap.close();
  const small = await new Promise((done) => canvas.toBlob(done, "image/jpeg", 0.85));
  return small && small.size < file.size ? small : file;
}

export function toBase64(blob) {
  return new Promise((done, failed) => {
    const reader = new FileReader();
    reader.addEventListener("load", () => done(reader.result.slice(reader.result.indexOf(",") + 1)));
    reader.addEventListener("error", () => failed(reader.error));
    reader.readAsDataURL(blob);
  });
}

const kind = (type) => (type.split("/")[1] ?? type).split(";")[0].replace("jpeg", "jpg").replace(/^(x-|vnd\.)/, "").replace(/\+.*/, "").toUpperCase();

// A file of a message: a picture that opens large, a player, or, if the browser supports neither, a download.
export function show({ url, content_type: type, size }, whose) {
  const said = `from ${whose}, ${kind(type)}, ${weight(size)}`;
  const link = (note) => {
    const extension = type === "text/vcard" ? "vcf" : kind(type).toLowerCase();
    const made = element("a", { className: "file", href: url, download: `file.${extension}` }, icon("file"),
      element("span", {}, `${kind(type)}, ${weight(size)}`, ...(note ? [element("small", { textContent: note })] : [])));
    made.setAttribute("aria-label", `Save the file ${said}`);
    return made;
  };
  if (/^image\/(jpeg|jpg|png|gif|bmp|webp)$/.test(type)) {
    const picture = element("img", { src: url, alt: `Picture ${said}`, loading: "lazy", decoding: "async" });
    const opener = element("button", { type: "button", className: "picture" }, picture);
    opener.addEventListener("click", () => enlarge(url, picture.alt));
    picture.addEventListener("error", () => giveWay(opener, link("cannot be shown")));
    return opener;
  }
  const [medium] = type.split("/");
  if (!["audio", "video"].includes(medium)) return link();
  const player = element(medium, { src: url, controls: true, preload: "metadata" });
  if (player.canPlayType(type) === "") return link("cannot be played here");
  player.setAttribute("aria-label", `Recording ${said}`);
  player.addEventListener("error", () => giveWay(player, link("cannot be played here")));
  return player;
}

// The replacement of a control also takes its Tab stop.
function giveWay(control, other) {
  other.tabIndex = control.tabIndex;
  const hasFocus = control === document.activeElement;
  control.replaceWith(other);
  if (hasFocus) other.focus();
}

// A file to be sent.
export function preview(file, alt) {
  const name = () => element("span", { className: "file", textContent: file.name });
  if (!file.type.startsWith("image/")) return name();
  const picture = element("img", { src: file.url, alt });
  picture.addEventListener("error", () => picture.replaceWith(name()));
  return picture;
}

export function enlarge(url, said) {
  $("viewer-picture").src = url;
  $("viewer-picture").alt = said;
  $("viewer-said").textContent = said;
  $("viewer").showModal();
}

$("viewer-close").append(icon("close"));
$("viewer").addEventListener("click", (event) => {
  if (event.target === $("viewer")) $("viewer").close();
});
