// Runs in every frame before the page's own scripts: what a page could flood the browser or its driver with becomes cheap.
(() => {
  let left = 50; // messages that still reach the driver
  const report = console.error, warn = console.warn;
  const text = (word) => String(word?.message ?? word).slice(0, 500);
  const say = (write, words) => {
    if (left <= 0) return;
    left -= 1;
    try { write(words.slice(0, 8).map(text).join(" ")); } catch { /* an object that cannot be a text */ }
  };
  for (const name of Object.keys(console)) if (typeof console[name] === "function") console[name] = () => {};
  console.error = (...words) => say(report, words);
  console.warn = (...words) => say(warn, words);
  const quiet = (event) => { // an error that the browser reports itself could be of any length
    event.preventDefault();
    say(report, [event.reason ?? event.message ?? event.type]);
  };
  addEventListener("error", quiet);
  addEventListener("unhandledrejection", quiet);

  let entries = 0;
  for (const name of ["pushState", "replaceState"]) {
    const change = history[name];
    history[name] = function (...args) { if (++entries <= 200) change.apply(this, args); };
  }
  window.print = () => {};
})();
