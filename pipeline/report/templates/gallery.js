/* The gallery: the address holds its whole state, so that every view can be linked to. */
const PER_PAGE = 24;
const form = document.getElementById("filters");
const cards = document.getElementById("cards");
let found = [];

function state() {
  return Object.fromEntries(new URLSearchParams(location.hash.slice(1)));
}

function remember(changes) {
  const next = new URLSearchParams(Object.entries({ ...state(), ...changes }).filter(([, value]) => value));
  history.replaceState(null, "", `#${next}`);
}

function go(changes) {
  remember(changes);
  show();
}

function show() {
  const started = performance.now();
  const now = state();
  for (const name of FILTERS) form.elements[name].value = now[name] ?? "";
  if (form.elements.search !== document.activeElement) form.elements.search.value = now.search ?? "";
  form.elements.outlines.checked = now.outlines !== "off";
  found = find(now);
  const pages = Math.max(1, Math.ceil(found.length / PER_PAGE));
  const page = Math.min(pages, Math.max(1, pageOf(now)));
  const here = found.slice((page - 1) * PER_PAGE, page * PER_PAGE);
  if (document.readyState === "loading" && !here.every(isThere)) {
    document.addEventListener("DOMContentLoaded", show, { once: true });
    return;
  }
  cards.classList.toggle("bare", now.outlines === "off");
  cards.classList.toggle("one", found.length === 1);
  cards.replaceChildren(...here.map((place) => card(entryAt(place))));
  document.getElementById("said").textContent = `${found.length.toLocaleString("en")} of ${count.toLocaleString("en")} patches`;
  document.getElementById("page").textContent = `page ${page} of ${pages}`;
  document.getElementById("earlier").disabled = page === 1;
  document.getElementById("later").disabled = page === pages;
  document.getElementById("found").setAttribute("d", found.length < count ? found.map(square).join("") : "");
  if (now.claim) openClaim(now.claim);
  document.documentElement.dataset.answered = (performance.now() - started).toFixed(1);
}

function pageOf(now) {
  if (!now.claim) return Number.parseInt(now.page, 10) || 1;
  const place = found.findIndex((each) => String(index.ids[each]) === now.claim.split(".")[0]);
  return Math.floor(place / PER_PAGE) + 1;
}

function openClaim(id) {
  const span = document.getElementById(`claim-${id}`);
  if (!span) return;
  span.focus();
  span.click();
  span.closest("article").scrollIntoView();
}

const square = (place) => {
  if (!index.boxes[place]) return "";
  const [x, y, width, height] = index.boxes[place];
  return `M${x} ${y}h${width}v${height}h${-width}z`;
};

function options(name) {
  const select = form.elements[name];
  select.append(make("option", { value: "" }, "all"));
  for (const [word, sum] of tally(name)) select.append(make("option", { value: word }, plain(`${word} (${sum.toLocaleString("en")})`)));
  select.closest("label").hidden = !index.words[name].length;
}

function turn(step) {
  go({ page: String((Number.parseInt(document.getElementById("page").textContent.split(" ")[1], 10) || 1) + step), claim: "" });
  document.getElementById("gallery").scrollIntoView();
}

function tapped(event) {
  const map = event.currentTarget;
  const at = new DOMPoint(event.clientX, event.clientY).matrixTransform(map.getScreenCTM().inverse());
  const distance = ([x, y, width, height]) => Math.hypot(Math.max(x - at.x, 0, at.x - x - width), Math.max(y - at.y, 0, at.y - y - height));
  let nearest = -1;
  index.boxes.forEach((box, place) => { if (box && (nearest < 0 || distance(box) < distance(index.boxes[nearest]))) nearest = place; });
  if (nearest < 0) return;
  history.replaceState(null, "", `#patch=${index.ids[nearest]}`);
  show();
  document.getElementById("gallery").scrollIntoView();
}

/* Arrows lead from claim to claim of a card, or from card to card; Enter and space open a claim. */
function keyed(event) {
  const { target, key } = event;
  if (target.matches(".claim") && (key === "Enter" || key === " ")) {
    event.preventDefault();
    target.click();
  }
  if (key === "Escape") for (const open of cards.querySelectorAll("article[data-open]")) close(open);
  const step = { ArrowRight: 1, ArrowLeft: -1 }[key];
  const among = target.matches(".claim") ? target.closest("article").querySelectorAll(".claim[role]") : target.matches("article") ? cards.children : null;
  if (!step || !among) return;
  event.preventDefault();
  among[[...among].indexOf(target) + step]?.focus();
}

let waiting = 0;
FILTERS.forEach(options);
form.addEventListener("submit", (event) => event.preventDefault());
form.addEventListener("reset", (event) => {
  event.preventDefault();
  form.elements.search.value = "";
  history.replaceState(null, "", "#");
  show();
});
form.addEventListener("change", ({ target }) => {
  if (target.name === "outlines") {
    remember({ outlines: target.checked ? "" : "off" });
    cards.classList.toggle("bare", !target.checked);
  } else if (target.name !== "search") go({ [target.name]: target.value, page: "", patch: "", claim: "" });
});
form.elements.search.addEventListener("input", ({ target }) => {
  clearTimeout(waiting);
  waiting = setTimeout(() => go({ search: target.value, page: "", patch: "", claim: "" }), 150);
});
document.getElementById("earlier").addEventListener("click", () => turn(-1));
document.getElementById("later").addEventListener("click", () => turn(1));
document.getElementById("map").addEventListener("click", tapped);
cards.addEventListener("keydown", keyed);
window.addEventListener("hashchange", () => { if (location.hash !== "#gallery") show(); });
show();
if (state().patch) cards.scrollIntoView();
document.documentElement.dataset.opened = performance.now().toFixed(1);
