/** The colours of parts, as in ritornello/rendering/palette.py, and the colours of the theme, read from studio.css. */

const HUES = ["#56B4E9", "#E69F00", "#009E73", "#CC79A7", "#F0E442", "#D55E00", "#0072B2"];
const DRUMS = "#D5D9E0";
export const OPACITIES = 8; // steps of velocity, so that notes of one colour are drawn together

/** Red, green and blue of "#RRGGBB". */
const rgb = (colour) => [1, 3, 5].map((at) => parseInt(colour.slice(at, at + 2), 16));

/** The colour that results from drawing `over` on `under` with an opacity of 0-1. */
export function blend(over, under, opacity) {
  const [a, b] = [rgb(over), rgb(under)];
  return "#" + a.map((value, at) => Math.round(value * opacity + b[at] * (1 - opacity)).toString(16).padStart(2, "0")).join("");
}

/** The colour of each part: hues for pitched parts in their order, grey for drums; darker where the page is light. */
export function partColours(parts, is_light) {
  let pitched = 0;
  return parts.map((part) => {
    if (part.is_drums) return is_light ? "#5B6472" : DRUMS;
    const hue = HUES[pitched % HUES.length];
    const colour = Math.floor(pitched / HUES.length) % 2 ? blend("#FFFFFF", hue, 0.45) : hue;
    pitched++;
    return is_light ? blend("#000000", colour, 0.22) : colour;
  });
}

/** Opacity of a velocity (1-127) as one of OPACITIES steps (0 is the softest). */
export const opacityStep = (velocity) => Math.min(OPACITIES - 1, Math.floor(((velocity - 1) / 127) * OPACITIES));

/** Colours of a part for each step of velocity on a background: from an opacity of `softest` (0-1) to 1. */
export function shades(colour, background, softest) {
  return Array.from({ length: OPACITIES }, (_, step) => blend(colour, background, softest + ((1 - softest) * step) / (OPACITIES - 1)));
}

const NAMES = ["page", "lane", "black-key", "beat", "octave", "bar", "faint", "text", "accent", "select", "ghost"];

/** The colours of the theme in force, by name. */
export function themeColours() {
  const style = getComputedStyle(document.documentElement);
  const colours = Object.fromEntries(NAMES.map((name) => [name.replace("-", "_"), style.getPropertyValue(`--${name}`).trim()]));
  return { ...colours, softest: isLight() ? 0.62 : 0.5 }; // opacity of the softest notes
}

/** Whether the page is light: as the user chose on the page, else as the system is set. */
export function isLight() {
  const chosen = document.documentElement.dataset.theme;
  return chosen ? chosen === "light" : matchMedia("(prefers-color-scheme: light)").matches;
}
