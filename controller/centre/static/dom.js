// Small words of this page: elements, numbers, Vietnamese and English names.
const SVG = "http://www.w3.org/2000/svg";

export function html(tag, attributes = {}, ...children) {
  return fill(document.createElement(tag), attributes, children);
}

export function svg(tag, attributes = {}, ...children) {
  return fill(document.createElementNS(SVG, tag), attributes, children);
}

function fill(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  node.append(...children);
  return node;
}

/** Write only what changed, so that the browser paints only what changed. */
export function say(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

export function mark(node, name, value) {
  if (node.getAttribute(name) !== value) node.setAttribute(name, value);
}

/** Keeps a figure on one line with what it belongs to: "A −8,0", "5,7 xcqđ". */
export const tight = (text) => text.replace(/ (-?\d)/g, "\u00a0$1").replace(/(\d) (?=xcqđ|pcu|s\b)/g, "$1\u00a0").replace(/\u00a0-(?=\d)/g, "\u00a0\u2212");

export const english = (text) => html("i", { lang: "en" }, text);

const HUES = ["#5fb4ff", "#c79bff", "#ffb86b", "#5fe0cf", "#ff93b0", "#d3dc6f", "#8f9dff", "#f29e7a"];
export const hue = (stage) => HUES[stage % HUES.length];

export function clock(seconds) {
  const whole = Math.floor(seconds) % 86400;
  const pair = (value) => String(value).padStart(2, "0");
  return `${pair(Math.floor(whole / 3600))}:${pair(Math.floor(whole / 60) % 60)}:${pair(whole % 60)}`;
}

export const number = (value) => value.toLocaleString("vi-VN");
