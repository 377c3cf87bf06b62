/* One patch: picture, outlines, captions with their claims, and what was known and asked. */
function card(entry) {
  const node = make("article", { tabindex: "0", id: `patch-${entry.id}`, "aria-label": `patch ${entry.id}` });
  const text = make("div", { class: "text" });
  text.append(make("small", {}, make("a", { href: `#patch=${entry.id}` }, `patch ${entry.id}`), described(entry)));
  entry.captions.forEach((caption, place) => text.append(...captioned(entry, caption, `${entry.id}.${place}`, node)));
  if (!entry.captions.length) text.append(make("p", { class: "reason" }, "No caption was accepted."));
  text.append(make("p", { class: "note", hidden: "", "aria-live": "polite" }));
  if (entry.elements.length) text.append(folded(`Facts (${entry.elements.length})`, "facts", () => entry.elements.map(known)));
  if (entry.prompts.length) text.append(folded(`Prompts (${entry.prompts.length})`, "prompts", () => entry.prompts.flatMap(asked)));
  if (entry.rejected.length) text.append(folded(`Rejected attempts (${entry.rejected.length})`, "rejected", () => entry.rejected.flatMap(refused)));
  node.append(...pictured(entry), text);
  return node;
}

function described(entry) {
  const { image_name: name, acquired, year, gsd, split } = entry.metadata;
  const said = [name, acquired ?? year ?? "no date", gsd && `${gsd} m`, split, entry.status].filter(Boolean);
  return plain(` · ${said.join(" · ")}`);
}

function pictured(entry) {
  if (!entry.picture) return [];
  const image = make("img", { src: entry.picture, loading: "lazy", decoding: "async", alt: plain(entry.captions[0]?.text ?? "") });
  const outlines = make("svg", { viewBox: "0 0 1000 1000", preserveAspectRatio: "none", "aria-hidden": "true" });
  for (const element of entry.elements) {
    const path = make("path", { d: element.outline });
    path.dataset.element = element.id;
    outlines.append(path);
  }
  return [make("figure", {}, image, outlines)];
}

function captioned(entry, caption, id, node) {
  const told = make("p", { class: "caption", dir: "auto" }, ...claimed(caption, (claim, place) => claimNode(entry, claim, `${id}.${place}`, node)));
  const by = `${caption.task}, ${caption.annotator}${caption.attempts > 1 ? `, attempt ${caption.attempts}` : ""} · ${caption.prompt} · seed ${caption.seed}`;
  return [told, make("small", {}, plain(by))];
}

/* A text in pieces; spans count characters as Python does, and where claims overlap the worst one stands. */
function claimed(said, toNode) {
  const letters = Array.from(said.text);
  const pieces = [];
  let end = 0;
  apart(said.claims).forEach(([claim, place]) => {
    const [from, to] = claim;
    pieces.push(plain(letters.slice(end, from).join("")), toNode({ ...named(claim), text: letters.slice(from, to).join("") }, place));
    end = to;
  });
  return [...pieces, plain(letters.slice(end).join(""))];
}

const worst = ["contradicted", "unsupported", "supported"];
function apart(claims) {
  const kept = [];
  const ordered = claims.map((claim, place) => [claim, place]).sort(([a], [b]) => worst.indexOf(a[3]) - worst.indexOf(b[3]) || a[0] - b[0]);
  for (const each of ordered) {
    const [from, to] = each[0];
    if (to > from && kept.every(([other]) => to <= other[0] || other[1] <= from)) kept.push(each);
  }
  return kept.sort(([a], [b]) => a[0] - b[0]);
}

const named = ([, , kind, verdict, element, fact]) => ({ kind, verdict, element, fact });
const VERDICTS = { supported: "borne out", unsupported: "no fact tells", contradicted: "a fact speaks against it" };
const verdictOf = (claim) => (claim.verdict in VERDICTS ? claim.verdict : "unsupported");

function claimNode(entry, claim, id, node) {
  const span = make("span", { class: `claim ${verdictOf(claim)}`, role: "button", tabindex: "0", "aria-expanded": "false", id: `claim-${id}` }, plain(claim.text));
  span.addEventListener("pointerenter", () => { if (!node.dataset.open) point(entry, claim, node); });
  span.addEventListener("pointerleave", () => { if (!node.dataset.open) unpoint(node); });
  span.addEventListener("focus", () => { if (node.dataset.open !== span.id) { close(node); point(entry, claim, node); } });
  span.addEventListener("click", () => toggle(entry, claim, node, span));
  return span;
}

/* The outline and the fact that a claim speaks of. */
function point(entry, claim, node) {
  for (const marked of node.querySelectorAll("[data-element]")) marked.classList.toggle("pointed", marked.dataset.element === claim.element);
  for (const row of node.querySelectorAll("[data-fact]")) {
    row.classList.toggle("pointed", row.dataset.fact === claim.fact && row.closest("[data-element]").dataset.element === claim.element);
  }
  const element = entry.elements.find((each) => each.id === claim.element);
  const value = element?.facts[claim.fact];
  const fact = claim.fact && `${claim.fact}${value === undefined ? "" : ` = ${worded(value)}`}`;
  const of = claim.element && `${element?.facts.noun ?? ""} ${claim.element}`.trim();
  const note = node.querySelector(".note");
  note.replaceChildren(make("strong", {}, `${claim.kind} “`, isolated(claim.text), "”: "), VERDICTS[verdictOf(claim)],
    ...[of && ["; ", isolated(of)], fact && [": ", isolated(fact)]].filter(Boolean).flat());
  note.hidden = false;
}

function unpoint(node) {
  for (const marked of node.querySelectorAll(".pointed")) marked.classList.remove("pointed");
  node.querySelector(".note").hidden = true;
}

function close(node) {
  for (const open of node.querySelectorAll('[aria-expanded="true"]')) open.setAttribute("aria-expanded", "false");
  delete node.dataset.open;
  unpoint(node);
}

function toggle(entry, claim, node, span) {
  const open = node.dataset.open === span.id;
  close(node);
  if (open) return;
  const facts = node.querySelector("details.facts");
  if (facts) { facts.open = true; fill(facts); }
  point(entry, claim, node);
  node.dataset.open = span.id;
  span.setAttribute("aria-expanded", "true");
}

/* Details are made when they are first opened. */
const makers = new WeakMap();
function folded(title, kind, content) {
  const node = make("details", { class: kind }, make("summary", {}, title));
  makers.set(node, content);
  node.addEventListener("toggle", () => { if (node.open) fill(node); });
  return node;
}

function fill(node) {
  const content = makers.get(node);
  if (content) node.append(...content());
  makers.delete(node);
}

const worded = (value) => {
  if (typeof value === "string") return value;
  if (Array.isArray(value) && value.every((each) => typeof each !== "object")) return value.join(", ");
  return JSON.stringify(value);
};
const listed = (content, mark) => make("dl", {}, ...Object.entries(content).flatMap(([key, value]) => {
  const row = make("dd", {}, isolated(worded(value)));
  if (mark) row.dataset.fact = key;
  return [make("dt", {}, isolated(key)), row];
}));

function known(element) {
  const node = make("div", { class: "element" }, make("strong", {}, isolated(element.facts.noun ?? element.kind)), " ", make("small", {}, isolated(element.id)),
    listed(element.facts, true), make("small", {}, "tags as mapped"), listed(element.tags, false));
  node.dataset.element = element.id;
  return node;
}

function asked(prompt) {
  const rules = make("details", {}, make("summary", {}, "Rules and examples"));
  makers.set(rules, () => prefixOf(prompt.prefix).map((message) => make("pre", {}, `${message.role}: ${plain(message.content)}`)));
  rules.addEventListener("toggle", () => { if (rules.open) fill(rules); });
  return [make("small", {}, plain(`${prompt.key} · ${prompt.prompt} · seed ${prompt.seed}`)), make("pre", { dir: "auto" }, plain(prompt.content)), rules];
}

function refused(attempt) {
  const text = make("p", { dir: "auto" }, ...claimed(attempt, (claim) => make("span", { class: `claim ${verdictOf(claim)}` }, plain(claim.text))));
  const reasons = attempt.reasons.map((reason) => make("li", {}, isolated(reason)));
  return [text, make("small", {}, plain(`${attempt.task}, ${attempt.annotator}, attempt ${attempt.attempt}${attempt.final ? ", given up" : ", asked again"}`)), make("ul", { class: "reason" }, ...reasons)];
}
