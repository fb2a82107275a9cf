/** The brand colour, and the ink that can be read on it (WCAG 2.2 relative luminance and contrast). */
const FALLBACK = "#2457d6";

const HEX = /^#([0-9a-f]{3}|[0-9a-f]{6})$/i;

export function brand(wish: string | null | undefined): { color: string; ink: string } {
  const color = wish && HEX.test(wish) ? wish : FALLBACK;
  const light = luminance(color);
  // The better contrast of white and black is never below 4.58; anything softer than black would miss 4.5 in the middle.
  return { color, ink: 1.05 / (light + 0.05) >= (light + 0.05) / 0.05 ? "#ffffff" : "#000000" };
}

function luminance(hex: string): number {
  const digits = hex.length === 4 ? hex.replace(/[0-9a-f]/gi, "$&$&") : hex;
  const [red = 0, green = 0, blue = 0] = [1, 3, 5].map((at) => {
    const part = Number.parseInt(digits.slice(at, at + 2), 16) / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}
