// Counts the SMS segments that a carrier bills for a text: GSM 03.38 if it has every character, else UCS-2.

const BASIC = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./:;<=>?¡ÄÖÑÜ§¿äöñüà";
const EXTENDED = "\f^{}\\[~]|€";

export function measure(text) {
  const characters = [...text];
  const septets = characters.map((one) => (/[A-Za-z0-9]/.test(one) || BASIC.includes(one) ? 1 : EXTENDED.includes(one) ? 2 : 0));
  const isGsm = septets.every((width) => width > 0);
  const widths = isGsm ? septets : characters.map((one) => one.length);
  const [alone, joined] = isGsm ? [160, 153] : [70, 67];
  const total = widths.reduce((sum, width) => sum + width, 0);
  if (total <= alone) return { segments: 1, left: alone - total };
  let segments = 1;
  let used = 0;
  for (const width of widths) {
    if (used + width > joined) {
      segments += 1;
      used = 0;
    }
    used += width;
  }
  return { segments, left: joined - used };
}
