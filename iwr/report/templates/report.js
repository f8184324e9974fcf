"use strict";
// Sorting, filtering, views and keys. The report is complete without it.

const root = document.documentElement;
root.classList.add("js");
const remember = (key, value) => { try { localStorage.setItem("iwr." + key, value); } catch { /* storage is switched off */ } };
const recall = (key) => { try { return localStorage.getItem("iwr." + key); } catch { return null; } };

// dark and light: the reader's choice, else the system's
const theme = document.getElementById("theme");
function show(dark) {
  root.classList.toggle("dark", dark);
  theme.setAttribute("aria-pressed", String(dark));
}
const system = matchMedia("(prefers-color-scheme: dark)");
show((recall("theme") ?? (system.matches ? "dark" : "light")) === "dark");
system.addEventListener("change", () => { if (!recall("theme")) show(system.matches); });
function toggleTheme() {
  const dark = !root.classList.contains("dark");
  remember("theme", dark ? "dark" : "light");
  show(dark);
}
theme.addEventListener("click", toggleTheme);

// tables: a click on a heading sorts; what is not computed stays at the end
for (const button of document.querySelectorAll(".sort")) button.addEventListener("click", () => sort(button.closest("th")));
function sort(head) {
  const text = head.dataset.kind === "text";
  const order = head.getAttribute("aria-sort") === (text ? "ascending" : "descending") ? -1 : 1;
  const direction = text ? order : -order;
  const body = head.closest("table").tBodies[0];
  const value = (row) => {
    const cell = row.cells[head.cellIndex];
    if (text) return cell.textContent.trim();
    return cell.dataset.value === "" ? null : Number(cell.dataset.value);
  };
  const keyed = [...body.rows].map((row) => [value(row), row]);
  keyed.sort(([a], [b]) => {
    if (a === null || b === null) return (a === null) - (b === null);
    return direction * (text ? a.localeCompare(b, undefined, { numeric: true }) : a - b);
  });
  body.append(...keyed.map(([, row]) => row));
  for (const other of head.parentElement.cells) if (other.hasAttribute("aria-sort")) other.setAttribute("aria-sort", "none");
  head.setAttribute("aria-sort", direction > 0 ? "ascending" : "descending");
}

// the list of tasks; the filters are kept in the address, behind the #
const filters = document.getElementById("filters");
if (filters) {
  const fields = [...filters.elements].filter((field) => field.name);
  const value = (name) => filters.elements[name].value;
  const rows = [...document.querySelectorAll("[data-task]")];
  const fits = (row) => {
    const cells = [...row.querySelectorAll("[data-cause]")];
    return row.dataset.task.toLowerCase().includes(value("task").trim().toLowerCase())
      && fields.every((field) => !("axis" in field.dataset) || !field.value || row.dataset[field.name] === field.value)
      && (!value("outcome") || cells.some((cell) => cell.dataset.cause === value("outcome")
        && (!value("model") || cell.dataset.model === value("model"))));
  };
  const apply = () => {
    let count = 0;
    for (const row of rows) {
      row.hidden = !fits(row);
      count += !row.hidden;
    }
    for (const cell of document.querySelectorAll(".exhibit [data-model]"))
      cell.hidden = value("model") !== "" && cell.dataset.model !== value("model");
    document.getElementById("count").textContent = count + (count === 1 ? " task" : " tasks");
    for (const link of document.querySelectorAll("[data-keeps-filters]")) link.hash = address();
  };
  const address = () => {
    const given = fields.filter((field) => field.value).map((field) => [field.name, field.value]);
    return "#" + new URLSearchParams(given);
  };
  const read = () => {
    if (!location.hash.includes("=")) return;
    const given = new URLSearchParams(location.hash.slice(1));
    for (const field of fields) field.value = given.get(field.name) ?? "";
    apply();
    if (given.size) filters.scrollIntoView();
  };
  filters.addEventListener("input", () => {
    apply();
    history.replaceState(null, "", address());
  });
  filters.addEventListener("submit", (event) => event.preventDefault());
  addEventListener("hashchange", read);
  read();
}

// steps
const steps = [...document.querySelectorAll(".step")];
const offsetOf = (step) => step.getBoundingClientRect().top;
function showStep(step) {
  step.open = true;
  step.querySelector("summary").focus({ preventScroll: true });
  step.scrollIntoView({ block: "start" });
}
function current() { // the step with the focus, else the first one on the screen
  const focused = document.activeElement.closest(".step");
  return focused ?? steps.find((step) => step.getBoundingClientRect().bottom > 80);
}
function target() {
  const step = steps.find((one) => "#" + one.id === location.hash);
  if (step) showStep(step);
}
addEventListener("hashchange", target);
for (const link of document.querySelectorAll("a[href^='#step-']")) link.addEventListener("click", () => {
  if (link.hash === location.hash) target(); // the address does not change
});
const unfold = document.getElementById("unfold");
function toggleAll() {
  if (!unfold) return;
  const open = steps.some((step) => !step.open);
  for (const step of steps) step.open = open;
  unfold.textContent = open ? "Fold all" : "Unfold all";
}
unfold?.addEventListener("click", toggleAll);

// reference and candidate
const views = [...document.querySelectorAll("input[name=view]")];
function choose(name) {
  const view = views.find((one) => one.value === name);
  if (!view) return;
  const step = current();
  const before = step && offsetOf(step);
  view.checked = true;
  document.body.dataset.view = name;
  remember("view", name);
  if (step && before < innerHeight) scrollBy({ top: offsetOf(step) - before, behavior: "instant" }); // the step stays where it is
}
for (const view of views) view.addEventListener("change", () => choose(view.value));
if (views.length) choose(recall("view") ?? "side");
const shot = document.querySelector(".frame img");
if (shot?.height) document.body.style.setProperty("--ratio", shot.getAttribute("width") / shot.getAttribute("height"));
target();
for (const pair of document.querySelectorAll(".pair")) {
  const range = pair.querySelector("input[type=range]");
  const pictures = pair.querySelector(".pictures");
  const cut = () => pair.style.setProperty("--cut", range.value + "%");
  range.addEventListener("input", cut);
  const drag = (event) => {
    if (document.body.dataset.view !== "swipe" || !event.buttons) return;
    const box = pictures.getBoundingClientRect();
    range.value = Math.round(100 * (event.clientX - box.left) / box.width);
    cut();
    event.preventDefault();
  };
  pictures.addEventListener("pointerdown", drag);
  pictures.addEventListener("pointermove", drag);
}

// keys
function go(by) {
  const here = steps.indexOf(document.activeElement.closest(".step"));
  const next = steps[Math.min(steps.length - 1, Math.max(0, here + by))];
  if (!next) return;
  next.querySelector("summary").focus({ preventScroll: true });
  next.scrollIntoView({ block: "start" });
}
const follow = (selector) => document.querySelector(selector)?.click();
const keys = document.getElementById("keys");
document.getElementById("help").addEventListener("click", () => keys.showModal());
const actions = {
  f: () => document.querySelector(".to-failure")?.click(), e: toggleAll, j: () => go(1), k: () => go(-1), n: () => follow("a[rel=next]"), p: () => follow("a[rel=prev]"), m: () => follow("a[data-next-model]"),
  s: () => (current() ?? steps[0])?.querySelector(".play-step")?.click(),
  u: () => follow(".trail a"), 1: () => choose("side"), 2: () => choose("swipe"), 3: () => choose("difference"),
  t: toggleTheme, "?": () => keys.showModal(), "/": () => document.getElementById("words")?.focus(),
};
document.addEventListener("keydown", (event) => {
  const typing = event.target.closest("input:not([type=radio]):not([type=range]), select, textarea");
  const action = Object.hasOwn(actions, event.key) && actions[event.key];
  if (!action || typing || keys.open || event.ctrlKey || event.metaKey || event.altKey) return;
  event.preventDefault();
  action();
});
