// Runs in every frame before the page's own scripts. In virtual time the page's clock stands still until `settle` moves it, so what
// a page shows depends on what was done to it and not on how fast the machine is. In real time only the date and Math.random are fixed.
(() => {
  const KEY = Symbol.for("iwr.clock"), VIRTUAL = __VIRTUAL__, START = __START__, FRAME = 1000 / 60;
  if (window[KEY]) return;
  const native = {
    Date, performance: performance.now.bind(performance), timeout: setTimeout.bind(window), frame: requestAnimationFrame.bind(window),
    fetch: window.fetch, MutationObserver: window.MutationObserver, send: XMLHttpRequest.prototype.send, Worker: window.Worker,
    play: HTMLMediaElement.prototype.play, pause: HTMLMediaElement.prototype.pause,
  };
  const host = hostClock();
  const clock = host || {now: 0, last: 0, reads: 0, pending: 0, begun: 0, wild: false, timers: new Map(), loads: new Set(), media: new Map()};

  function hostClock() { // frames of the same origin share the clock of the outermost one
    try { return window.top !== window && window.top[KEY] ? window.top[KEY].clock : null; } catch { return null; }
  }

  // ---- what the page sees --------------------------------------------------------------------------------------------------

  function read() {
    if (!VIRTUAL) return native.performance();
    if (++clock.reads > 1000) clock.now += 0.1; // a page that spins until some time has come gets there
    return clock.now;
  }

  class PageDate extends native.Date {
    constructor(...args) { args.length ? super(...args) : super(PageDate.now()); }
    static now() { return START + Math.floor(read()); }
  }
  window.Date = new Proxy(PageDate, {apply: () => new PageDate().toString()});
  native.Date.prototype.constructor = window.Date;

  let seed = 0x2545f491; // mulberry32
  Math.random = () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };

  const begin = () => { clock.pending++; clock.begun++; };
  window.fetch = function fetch(...args) {
    begin();
    const answer = native.fetch.apply(this, args);
    answer.then(() => clock.pending--, () => clock.pending--);
    return answer;
  };
  XMLHttpRequest.prototype.send = function send(...args) {
    begin();
    this.addEventListener("loadend", () => clock.pending--, {once: true});
    try { return native.send.apply(this, args); } catch (error) { clock.pending--; throw error; }
  };
  for (const [kind, name] of [[HTMLImageElement, "src"], [HTMLScriptElement, "src"], [HTMLLinkElement, "href"]]) {
    const property = Object.getOwnPropertyDescriptor(kind.prototype, name);
    Object.defineProperty(kind.prototype, name, {...property, set(value) { property.set.call(this, value); expect(this); }});
  }
  function expect(element) {
    if (element.loading === "lazy") return;
    clock.begun++;
    clock.loads.add(element);
    for (const type of ["load", "error"]) element.addEventListener(type, () => clock.loads.delete(element), {once: true});
  }
  function unfinished(element) {
    if (element.tagName === "IMG") return !element.complete;
    const runs = element.tagName === "SCRIPT" ? /^$|module|javascript/.test(element.type) : element.rel === "stylesheet";
    return element.isConnected && runs;
  }
  if (native.Worker) window.Worker = class Worker extends native.Worker {
    constructor(...args) { clock.wild = true; super(...args); }
  };

  function later(run, delay, every = null) {
    clock.timers.set(++clock.last, {due: clock.now + delay, every, run});
    return clock.last;
  }
  const forget = (id) => { clock.timers.delete(Number(id)); };
  const callable = (handler, args) => (typeof handler === "function" ? () => handler.apply(window, args) : () => (0, eval)(String(handler)));
  const wait = (delay) => (delay > 1 && delay < 2 ** 31 ? Number(delay) : 1);

  if (VIRTUAL) {
    performance.now = read;
    Object.defineProperty(performance, "timeOrigin", {get: () => START});
    Object.defineProperty(Event.prototype, "timeStamp", {get: () => clock.now});
    window.setTimeout = (handler, delay, ...args) => later(callable(handler, args), wait(delay));
    window.setInterval = (handler, delay, ...args) => later(callable(handler, args), wait(delay), Math.max(4, wait(delay)));
    window.requestAnimationFrame = (handler) => {
      const due = (Math.floor(clock.now / FRAME + 1e-6) + 1) * FRAME;
      return later(() => handler(due), due - clock.now);
    };
    window.requestIdleCallback = (handler) => later(() => handler({didTimeout: false, timeRemaining: () => 10}), 1);
    window.clearTimeout = window.clearInterval = window.cancelAnimationFrame = window.cancelIdleCallback = forget;
    holdMedia();
  } else {
    trackTimers();
  }

  function trackTimers() { // in real time: only remember which one-shot timers are still to come
    const clear = window.clearTimeout.bind(window);
    window.setTimeout = (handler, delay, ...args) => {
      const id = native.timeout(() => { clock.timers.delete(id); callable(handler, args)(); }, delay);
      clock.timers.set(id, {due: native.performance() + wait(delay)});
      return id;
    };
    window.clearTimeout = (id) => { forget(id); clear(id); };
  }

  // Videos and sounds never run by themselves: `settle` seeks those that the page believes to be playing.
  // clock.media: element -> {playing, time}, the time in virtual seconds, which real loading cannot shift.
  function holdMedia() {
    const media = HTMLMediaElement.prototype, tell = (element, type) => queueMicrotask(() => element.dispatchEvent(new Event(type)));
    media.play = function play() {
      if (!playing(this)) { clock.media.set(this, {playing: true, time: this.currentTime}); tell(this, "play"); tell(this, "playing"); }
      return Promise.resolve();
    };
    media.pause = function pause() {
      if (playing(this)) { clock.media.get(this).playing = false; tell(this, "pause"); }
      native.pause.call(this);
    };
    Object.defineProperty(media, "paused", {get() { return !playing(this); }});
    addEventListener("play", (event) => { // autoplay, or a press on the built-in controls
      if (!event.isTrusted) return;
      native.pause.call(event.target);
      if (!playing(event.target)) clock.media.set(event.target, {playing: true, time: (clock.media.get(event.target) || {time: 0}).time});
    }, true);
  }
  function playing(element) { return (clock.media.get(element) || {}).playing || false; }

  // ---- what moves it -------------------------------------------------------------------------------------------------------

  const channel = new MessageChannel(), turns = [];
  channel.port1.onmessage = () => turns.shift()();
  const turn = () => new Promise((done) => { turns.push(done); channel.port2.postMessage(0); });
  const frame = async () => {
    await new Promise((done) => { native.frame(() => done()); native.timeout(done, 200); });
    await turn();
    await turn();
  };

  function* documents(top = window) {
    yield top.document;
    for (let i = 0; i < top.frames.length && i < 50; i++) {
      try { if (top.frames[i].document) yield* documents(top.frames[i]); } catch { /* another origin */ }
    }
  }

  const inView = (e) => { const box = e.getBoundingClientRect(); return box.bottom >= 0 && box.top <= e.ownerDocument.defaultView.innerHeight; };
  const loading = (media) => media.networkState === 2 && media.readyState < 3;
  function busy(lazy = false) { // real work, which takes no virtual time
    if (clock.pending > 0) return true;
    for (const [element] of clock.media) if (element.seeking) return true;
    for (const element of clock.loads) if (unfinished(element)) return true;
    for (const page of documents()) {
      if (page.readyState === "loading" || (page.fonts && page.fonts.status === "loading")) return true;
      for (const image of page.images) if (!image.complete && (image.loading !== "lazy" || (lazy && inView(image)))) return true;
      for (const kind of ["video", "audio"]) for (const media of page.getElementsByTagName(kind)) if (loading(media)) return true;
    }
    return false;
  }
  async function idle(late) {
    while (busy(true) && !late()) await new Promise((done) => native.timeout(done, 2));
    await turn(); // the event that tells of it
  }

  function next(until) {
    let first = null, found = null;
    for (const [id, timer] of clock.timers) if (timer.due <= until && (!first || timer.due < first.due)) { first = timer; found = id; }
    if (!first) return null;
    clock.now = Math.max(clock.now, first.due);
    first.every ? (first.due += first.every) : clock.timers.delete(found);
    return first.run;
  }

  async function advance(ms, late) {
    const until = clock.now + ms;
    for (let run; !late() && (run = next(until)); ) {
      clock.reads = 0;
      try { run(); } catch (error) { reportError(error); }
      await turn();
      if (busy()) await idle(late);
    }
    clock.now = Math.max(clock.now, until);
    for (const page of documents()) move(page, ms);
    for (const element of clock.media.keys()) play(element, ms / 1000);
    await idle(late);
  }

  function move(page, ms) { // the browser's own timeline is stopped from outside, see chromium.py
    for (const animation of page.getAnimations()) {
      if (animation.playState !== "running" || animation.timeline !== page.timeline) continue;
      const time = (animation.currentTime || 0) + ms * animation.playbackRate;
      const over = animation.playbackRate < 0 ? time <= 0 : time >= animation.effect.getComputedTiming().endTime;
      over ? animation.finish() : (animation.currentTime = time);
    }
    for (const media of page.querySelectorAll("video[autoplay], audio[autoplay]")) if (!clock.media.has(media)) media.play();
  }

  function play(element, seconds) {
    const state = clock.media.get(element), length = element.duration;
    if (!state.playing || !(length > 0)) return;
    const time = state.time + seconds * element.playbackRate;
    state.time = element.loop ? time % length : Math.min(time, length);
    if (time < length || element.loop) return;
    state.playing = false;
    element.dispatchEvent(new Event("ended"));
  }
  async function show(element, time) { // a video at its time, until that frame is on the screen
    if (Math.abs(element.currentTime - time) < 1e-3) return;
    const shown = new Promise((done) => { element.requestVideoFrameCallback ? element.requestVideoFrameCallback(done) : done(); });
    element.currentTime = time;
    await Promise.race([shown, new Promise((done) => native.timeout(done, 400))]);
  }

  const calm = new CSSStyleSheet(); // a blinking caret is the one thing that no clock stops
  calm.replaceSync("* { caret-color: transparent !important; }");
  function hideCaret(page) {
    if (page === document && !page.adoptedStyleSheets.includes(calm)) page.adoptedStyleSheets = [...page.adoptedStyleSheets, calm];
  }

  function nothingBy(until) {
    for (const timer of clock.timers.values()) if (timer.due <= until) return false;
    for (const media of clock.media.values()) if (media.playing) return false;
    for (const page of documents()) if (page.getAnimations().some((animation) => animation.playState === "running")) return false;
    return true;
  }

  // Moves virtual time on by `horizon` ms and until the page is still. False: still not still after `patience` real ms.
  async function settle(horizon, patience) {
    const end = native.performance() + patience, late = () => native.performance() > end;
    const watch = new native.MutationObserver(() => {});
    for (const page of documents()) watch.observe(page, {subtree: true, childList: true, attributes: true, characterData: true});
    hideCaret(document);
    await frame();
    await idle(late);
    const until = clock.now + horizon;
    let begun = clock.begun, stirred = true;
    for (const share of [0.05, 0.25, 0.5, 1]) {
      if (!stirred && nothingBy(until)) break;
      await advance(Math.max(0, until - (1 - share) * horizon - clock.now), late);
      watch.takeRecords();
      begun = clock.begun;
      await frame();
      stirred = clock.begun !== begun || watch.takeRecords().length > 0;
    }
    clock.now = Math.max(clock.now, until);
    // What the last frame set off gets its time, too. Only what happened counts, not how long it took: else two runs would differ.
    for (let extra = 0; !late() && stirred; extra++) {
      await idle(late);
      if (extra < 4) await advance(0.25 * horizon, late);
      watch.takeRecords();
      begun = clock.begun;
      await frame();
      stirred = clock.begun !== begun || watch.takeRecords().length > 0;
    }
    watch.disconnect();
    for (const [element, state] of clock.media) await show(element, state.time);
    return !late();
  }

  // Real time: still for 100 ms, with no finite animation and no one-shot timer of the next second left.
  async function quiet(horizon, patience) {
    const end = native.performance() + patience, watch = new native.MutationObserver(() => { last = native.performance(); });
    let last = native.performance();
    watch.observe(document, {subtree: true, childList: true, attributes: true, characterData: true});
    addEventListener("scroll", () => { last = native.performance(); }, true);
    const moving = () => busy() || native.performance() - last < 100
      || document.getAnimations().some((a) => a.playState === "running" && a.effect.getComputedTiming().endTime < 1e4)
      || [...clock.timers.values()].some((timer) => timer.due - native.performance() < horizon);
    await frame();
    while (moving() && native.performance() < end) await new Promise((done) => native.timeout(done, 20));
    watch.disconnect();
    return native.performance() < end;
  }

  // Lets exactly `ms` pass, whatever is still to come: for gestures that last, such as press and hold.
  const pass = (ms) => {
    const end = native.performance() + 5000;
    return VIRTUAL ? advance(ms, () => native.performance() > end) : new Promise((done) => native.timeout(done, ms));
  };

  Object.defineProperty(window, KEY, {
    value: Object.freeze({clock, frame, pass, shared: !!host, settle: VIRTUAL ? settle : quiet}), enumerable: false,
  });
})();
