"use strict";

/* What was embedded in the page: an index that filters look at, and the details in chunks, each read when first needed.
   The script stands behind the first chunk and may run before the browser has seen the others. */
const read = (id) => JSON.parse(document.getElementById(id).textContent);
const index = read("index");
const count = index.ids.length;
const FILTERS = Object.keys(index.columns);
const chunks = new Map();

function entryAt(place) {
  const number = Math.floor(place / index.chunk);
  if (!chunks.has(number)) chunks.set(number, read(`chunk-${number}`));
  return chunks.get(number)[place % index.chunk];
}

const isThere = (place) => Boolean(document.getElementById(`chunk-${Math.floor(place / index.chunk)}`));

let prefixes = null;
function prefixOf(number) {
  prefixes ??= read("prefixes");
  return prefixes[number];
}

/* Places of the patches that a state asks for. */
function find(state) {
  const wanted = FILTERS.filter((name) => state[name]).map((name) => [index.columns[name], index.words[name].indexOf(state[name])]);
  const words = (state.search ?? "").toLowerCase().split(/\s+/).filter(Boolean);
  const found = [];
  for (let place = 0; place < count; place += 1) {
    if (state.patch && String(index.ids[place]) !== state.patch) continue;
    if (!wanted.every(([column, word]) => column[place].includes(word))) continue;
    if (words.every((word) => index.texts[place].includes(word))) found.push(place);
  }
  return found;
}

/* How many patches carry each word of a filter, the commonest first. */
function tally(name) {
  const sums = index.words[name].map(() => 0);
  for (const row of index.columns[name]) for (const word of row) sums[word] += 1;
  return index.words[name].map((word, place) => [word, sums[place]]).sort((a, b) => b[1] - a[1]);
}

/* Elements are made by name, texts become text nodes and nothing else: what comes from the map is never read as HTML. */
const DRAWN = new Set(["svg", "path"]);
function make(tag, attributes = {}, ...children) {
  const node = DRAWN.has(tag) ? document.createElementNS("http://www.w3.org/2000/svg", tag) : document.createElement(tag);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  node.append(...children);
  return node;
}

/* Control and direction characters would hide or turn what stands around them; they are shown by number. */
const HIDDEN = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/gu;
const plain = (text) => String(text).replace(HIDDEN, (letter) => `⟨U+${letter.codePointAt(0).toString(16).toUpperCase().padStart(4, "0")}⟩`);
const isolated = (text) => make("bdi", {}, plain(text));
