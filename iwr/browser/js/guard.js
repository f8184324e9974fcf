// Runs in every frame before the page's own scripts: what a page could flood the browser or its driver with becomes cheap.
(() => {
  for (const name of Object.keys(console)) if (typeof console[name] === "function") console[name] = () => {};
  const quiet = (event) => event.preventDefault(); // an error that is not reported costs no message to the driver
  addEventListener("error", quiet);
  addEventListener("unhandledrejection", quiet);

  let entries = 0;
  for (const name of ["pushState", "replaceState"]) {
    const change = history[name];
    history[name] = function (...args) { if (++entries <= 200) change.apply(this, args); };
  }
  window.print = () => {};
})();
