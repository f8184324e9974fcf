"use strict";
// One time line for the recording, the reference and the candidate. The recording's clock leads.

const player = document.querySelector(".player");
if (player) {
  const film = document.getElementById("film");
  const scrubber = document.getElementById("scrubber");
  const play = document.getElementById("play");
  const length = Number(player.dataset.seconds);
  const marks = [...player.querySelectorAll(".mark-button")];
  const time = (mark) => Number(mark.dataset.time);
  let end = length; // where playing stops

  for (const mark of marks) mark.parentElement.style.left = 100 * time(mark) / length + "%";

  // the last picture that is there at a mark, and the step that it shows
  const latest = (mark, kind) => marks.slice(0, marks.indexOf(mark) + 1).findLast((one) => one.dataset[kind]);
  const put = (name, mark, kind, words) => {
    const picture = document.getElementById(name + "-now");
    const source = latest(mark, kind);
    picture.hidden = !source;
    if (source && picture.getAttribute("src") !== source.dataset[kind]) picture.src = source.dataset[kind];
    document.getElementById(name + "-title").textContent = words + (source ? ", step " + source.dataset.step : ": no picture");
  };
  function show(seconds) {
    const mark = marks.findLast((one) => time(one) <= seconds + 0.02) ?? marks[0];
    for (const one of marks) one.toggleAttribute("aria-current", one === mark);
    put("reference", mark, "reference", "Reference");
    put("candidate", mark, "candidate", "Candidate");
    if (!mark.dataset.candidate) document.getElementById("candidate-title").textContent += ` (step ${mark.dataset.step}: ${mark.dataset.outcome})`;
    scrubber.value = seconds;
    document.getElementById("clock").textContent = seconds.toFixed(1) + " s";
  }
  function seek(seconds) {
    film.currentTime = seconds;
    show(seconds);
  }
  function tick() {
    if (film.paused) return;
    if (film.currentTime >= end) { film.pause(); seek(end); return; }
    show(film.currentTime);
    requestAnimationFrame(tick);
  }
  function start(from, to) {
    end = to;
    seek(from);
    film.play().catch(() => { play.textContent = "Play"; });
  }
  function playStep(number) {
    const index = marks.findIndex((mark) => Number(mark.dataset.step) === number);
    const from = index > 0 ? time(marks[index - 1]) : 0;
    const next = index + 1 < marks.length ? time(marks[index + 1]) : length;
    document.getElementById("replay").scrollIntoView({ block: "start" });
    start(from, Math.min(next, time(marks[index]) + 1));
  }

  scrubber.addEventListener("input", () => { film.pause(); seek(Number(scrubber.value)); });
  film.addEventListener("play", () => { play.textContent = "Pause"; requestAnimationFrame(tick); });
  film.addEventListener("pause", () => { play.textContent = "Play"; });
  film.addEventListener("seeked", () => { if (film.paused) show(film.currentTime); });
  play.addEventListener("click", () => {
    if (!film.paused) film.pause();
    else start(film.currentTime >= length - 0.1 ? 0 : film.currentTime, length);
  });
  for (const mark of marks) mark.addEventListener("click", () => { film.pause(); seek(time(mark)); });
  for (const button of document.querySelectorAll(".play-step")) button.addEventListener("click", () => playStep(Number(button.dataset.step)));
  for (const button of document.querySelectorAll("[data-seek]")) button.addEventListener("click", () => {
    film.pause();
    seek(Number(button.dataset.seek));
    document.getElementById("replay").scrollIntoView({ block: "start" });
  });
  show(0);
}
