"use strict";
// Sorting, filtering, views and keys. The report is complete without it.

const root = document.documentElement;
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

// the list of tasks
const filters = document.getElementById("filters");
if (filters) {
  const words = document.getElementById("words");
  const outcome = document.getElementById("outcome");
  const axes = [...filters.querySelectorAll("[data-axis]")];
  const rows = [...document.getElementById("matrix").tBodies[0].rows];
  const apply = () => {
    const wanted = words.value.trim().toLowerCase();
    let count = 0;
    for (const row of rows) {
      const fits = row.cells[0].textContent.toLowerCase().includes(wanted)
        && axes.every((axis) => !axis.value || row.dataset[axis.dataset.axis] === axis.value)
        && (!outcome.value || row.dataset.outcome.split("|").includes(outcome.value));
      row.hidden = !fits;
      count += fits;
    }
    document.getElementById("count").textContent = count + (count === 1 ? " task" : " tasks");
  };
  filters.addEventListener("input", apply);
  filters.addEventListener("submit", (event) => event.preventDefault());
}

// reference and candidate
const views = [...document.querySelectorAll("input[name=view]")];
function choose(name) {
  const view = views.find((one) => one.value === name);
  if (!view) return;
  view.checked = true;
  document.body.dataset.view = name;
  remember("view", name);
}
for (const view of views) view.addEventListener("change", () => choose(view.value));
if (views.length) choose(recall("view") ?? "side");
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
const steps = [...document.querySelectorAll(".step")];
function go(by) {
  const here = steps.indexOf(document.activeElement.closest(".step"));
  const next = steps[Math.min(steps.length - 1, Math.max(0, here + by))];
  if (next) { next.focus({ preventScroll: true }); next.scrollIntoView({ block: "start" }); }
}
const follow = (selector) => document.querySelector(selector)?.click();
const keys = document.getElementById("keys");
document.getElementById("help").addEventListener("click", () => keys.showModal());
const actions = {
  j: () => go(1), k: () => go(-1), n: () => follow("a[rel=next]"), p: () => follow("a[rel=prev]"), m: () => follow("a[data-next-model]"),
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
