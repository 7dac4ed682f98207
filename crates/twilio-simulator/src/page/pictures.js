// Files that a phone sends: chosen, pasted or dropped, made smaller as phones do, and looked at.

import { $, element, icon, weight } from "./dom.js";

// A message takes so much; a photo beyond the second figure is made smaller before it leaves, as every phone does.
export const MOST = 10;
export const LARGEST = 5 * 1024 * 1024;
const PHOTO = 1024 * 1024;
const LONGEST_EDGE = 2048;

export async function take(file) {
  const isPhoto = ["image/jpeg", "image/png", "image/webp"].includes(file.type);
  const kept = isPhoto && file.size > PHOTO ? await shrink(file) : file;
  return { name: file.name, type: kept.type || "application/octet-stream", blob: kept, url: URL.createObjectURL(kept) };
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

const kind = (type) => (type.split("/")[1] ?? type).split(";")[0].replace("jpeg", "jpg").replace(/\+.*/, "").toUpperCase();

// A file of a message: a picture that opens large, something to play, or something to save.
export function show({ url, content_type: type, size }, whose) {
  const said = `from ${whose}, ${kind(type)}, ${weight(size)}`;
  if (/^image\/(jpeg|jpg|png|gif|bmp|webp)$/.test(type)) {
    const picture = element("img", { src: url, alt: `Picture ${said}`, loading: "lazy", decoding: "async" });
    const opener = element("button", { type: "button", className: "picture" }, picture);
    opener.addEventListener("click", () => enlarge(url, picture.alt));
    return opener;
  }
  if (/^(audio|video)\//.test(type)) {
    const player = element(type.split("/")[0], { src: url, controls: true, preload: "metadata" });
    player.setAttribute("aria-label", `Recording ${said}`);
    return player;
  }
  const extension = type === "text/vcard" ? "vcf" : kind(type).toLowerCase();
  return element("a", { className: "file", href: url, download: `file.${extension}` }, icon("file"), `${kind(type)}, ${weight(size)}`);
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
