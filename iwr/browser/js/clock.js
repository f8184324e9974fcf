// Runs in every frame before the page's own scripts. In virtual time the page's clock stands still until `settle` moves it, so what
// a page shows depends on what was done to it and not on how fast the machine is. In real time only the date and Math.random are fixed.
(() => {
  const KEY = Symbol.for("iwr.clock"), VIRTUAL = __VIRTUAL__, START = __START__, FRAME = 1000 / 60;
  const EFFECT = 5000; // ms after an action in which what it set off is waited for
  const LOOP = 3; // so many runs of one function, and still another is due: a loop, not an effect
  const WORKER = 1000, SNAP = 1500; // most real ms for the answer of a worker, for the end of scrolling
  if (window[KEY]) return;
  const native = {
    Date, performance: performance.now.bind(performance), timeout: setTimeout.bind(window), frame: requestAnimationFrame.bind(window),
    fetch: window.fetch, MutationObserver: window.MutationObserver, send: XMLHttpRequest.prototype.send, Worker: window.Worker,
    play: HTMLMediaElement.prototype.play, pause: HTMLMediaElement.prototype.pause,
    attachShadow: Element.prototype.attachShadow, listen: EventTarget.prototype.addEventListener, source: Function.prototype.toString,
  };
  const host = hostClock();
  const clock = host || {now: 0, last: 0, reads: 0, pending: 0, begun: 0, wild: false, timers: new Map(), loads: new Set(), media: new Map(),
    current: null, // the timer that runs now
    action: null, // when the last action was over; null: none has been waited for
    mark: 0, // timers up to this one were set before the last state
    fired: new Map(), // source of a function -> how often it ran as a one-shot timer since the last state
    loops: new Set(), // sources of functions that set themselves off again and again
    old: new WeakSet(), // animations that already ran in the last state
    roots: [], // weak references to shadow roots
    workers: new Map(), // worker -> real time until which its answer is waited for
    silent: new WeakSet(), // workers that once did not answer in time
    scrolling: new Map(), // scroller -> whether it snaps
    scrolled: false};

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
    constructor(...args) {
      super(...args);
      clock.wild = true;
      expectAnswer(this);
      for (const type of ["message", "error"]) native.listen.call(this, type, () => clock.workers.delete(this));
    }
    postMessage(...args) { expectAnswer(this); super.postMessage(...args); }
  };
  function expectAnswer(worker) {
    if (!clock.silent.has(worker)) clock.workers.set(worker, native.performance() + WORKER);
  }
  function workerBusy() {
    for (const [worker, until] of clock.workers) {
      if (native.performance() < until) return true;
      clock.workers.delete(worker);
      clock.silent.add(worker);
    }
    return false;
  }

  Element.prototype.attachShadow = function attachShadow(...args) {
    const root = native.attachShadow.apply(this, args);
    adopt(root);
    return root;
  };
  const adopted = new WeakSet();
  function adopt(root) {
    if (adopted.has(root)) return;
    adopted.add(root);
    clock.roots.push(new WeakRef(root));
    watchScrolling(root);
  }
  function watchScrolling(root) { // scroll events do not leave a shadow tree
    native.listen.call(root, "scroll", (event) => {
      const page = event.target.nodeType === 9 && event.target, scroller = page ? page.scrollingElement : event.target;
      const snaps = (element) => element && getComputedStyle(element).scrollSnapType !== "none";
      clock.scrolled = true;
      if (scroller) clock.scrolling.set(event.target, snaps(scroller) || (page && (snaps(page.documentElement) || snaps(page.body))));
    }, {capture: true, passive: true});
    native.listen.call(root, "scrollend", (event) => { clock.scrolling.delete(event.target); }, {capture: true, passive: true});
  }
  watchScrolling(document);

  // A timer is an effect of the last action when that set it, or a timer that is one did. Intervals, loops and frames are not.
  const sourceOf = (handler) => (typeof handler === "function" ? native.source.call(handler) : String(handler));
  const isNative = (source) => source.endsWith("{ [native code] }");
  const isEffect = (id, timer) => timer.source !== null && id > clock.mark && !timer.background && !clock.loops.has(timer.source);
  function later(run, delay, every = null, source = null) {
    const background = !!clock.current && clock.current.background;
    clock.timers.set(++clock.last, {set: clock.now, due: clock.now + delay, every, run, source, background});
    return clock.last;
  }
  function countRun(timer) {
    if (timer.source !== null) clock.fired.set(timer.source, (clock.fired.get(timer.source) || 0) + 1);
  }
  const forget = (id) => { clock.timers.delete(Number(id)); };
  const callable = (handler, args) => (typeof handler === "function" ? () => handler.apply(window, args) : () => (0, eval)(String(handler)));
  const wait = (delay) => (delay > 1 && delay < 2 ** 31 ? Number(delay) : 1);

  if (VIRTUAL) {
    performance.now = read;
    Object.defineProperty(performance, "timeOrigin", {get: () => START});
    Object.defineProperty(Event.prototype, "timeStamp", {get: () => clock.now});
    window.setTimeout = (handler, delay, ...args) => later(callable(handler, args), wait(delay), null, sourceOf(handler));
    window.setInterval = (handler, delay, ...args) => later(callable(handler, args), wait(delay), Math.max(4, wait(delay)));
    window.requestAnimationFrame = (handler) => {
      const due = (Math.floor(clock.now / FRAME + 1e-6) + 1) * FRAME;
      return later(() => handler(due), due - clock.now);
    };
    if (window.scheduler && scheduler.postTask) scheduler.postTask = postTask;
    window.requestIdleCallback = (handler) => later(() => handler({didTimeout: false, timeRemaining: () => 10}), 1);
    window.clearTimeout = window.clearInterval = window.cancelAnimationFrame = window.cancelIdleCallback = forget;
    holdMedia();
  } else {
    trackTimers();
  }

  function postTask(task, {signal, delay = 0} = {}) {
    return new Promise((done, fail) => {
      if (signal && signal.aborted) return fail(signal.reason);
      const run = () => { try { done(task()); } catch (error) { fail(error); } };
      const id = later(run, wait(delay), null, sourceOf(task));
      if (signal) native.listen.call(signal, "abort", () => { forget(id); fail(signal.reason); }, {once: true});
    });
  }

  function trackTimers() { // in real time: only remember which one-shot timers are still to come
    const clear = window.clearTimeout.bind(window);
    window.setTimeout = (handler, delay, ...args) => {
      const source = sourceOf(handler), number = ++clock.last;
      const id = native.timeout(() => { countRun({source}); clock.timers.delete(id); callable(handler, args)(); }, delay);
      clock.timers.set(id, {due: native.performance() + wait(delay), number, source});
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

  function* trees() { // documents and the shadow trees in them, closed ones too
    yield* documents();
    clock.roots = clock.roots.filter((reference) => reference.deref());
    for (const reference of clock.roots) {
      const root = reference.deref();
      if (root && root.isConnected) yield root;
    }
  }
  function adoptDeclared() { // shadow trees that the parser made
    for (const page of documents()) for (const element of page.querySelectorAll("*")) if (element.shadowRoot) adopt(element.shadowRoot);
  }
  function* animations() {
    for (const tree of trees()) {
      const timeline = (tree.ownerDocument || tree).timeline;
      for (const animation of tree.getAnimations())
        if (animation.playState === "running" && animation.timeline === timeline && animation.effect) yield animation;
    }
  }

  const inView = (e) => { const box = e.getBoundingClientRect(); return box.bottom >= 0 && box.top <= e.ownerDocument.defaultView.innerHeight; };
  const mediaIn = (tree) =>
    (tree.getElementsByTagName ? [...tree.getElementsByTagName("video"), ...tree.getElementsByTagName("audio")] : tree.querySelectorAll("video, audio"));
  const loading = (media) => media.networkState === 2 && media.readyState < 3;
  const address = (url) => (/^(data|blob):/.test(url) ? url.slice(0, 5) : url.split("/").pop()).slice(0, 60);
  function busy(lazy = false) { // real work, which takes no virtual time: what it is, or false
    if (clock.pending > 0) return "a request of a script is not answered";
    if (workerBusy()) return "a worker has not answered";
    for (const [element] of clock.media) if (element.seeking) return "a video has not reached its position";
    for (const element of clock.loads) if (unfinished(element)) return `'${address(element.src || element.href)}' is not loaded`;
    for (const tree of trees()) {
      if (tree.readyState === "loading") return "the document is not loaded";
      if (tree.fonts && tree.fonts.status === "loading") return "a font is not loaded";
      for (const image of tree.images || tree.querySelectorAll("img"))
        if (!image.complete && (image.loading !== "lazy" || (lazy && inView(image)))) return `image '${address(image.currentSrc || image.src)}' is not loaded`;
      for (const media of mediaIn(tree)) if (loading(media)) return "a video or sound is not loaded";
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
    if (!first.every && !isEffect(found, first)) first.background = true;
    if (first.every && found <= clock.mark) first.background = true;
    first.every ? (first.due += first.every) : clock.timers.delete(found);
    countRun(first);
    return first;
  }

  async function advance(ms, late) {
    const until = clock.now + ms;
    for (let timer; !late() && (timer = next(until)); ) {
      clock.reads = 0;
      clock.current = timer;
      try { timer.run(); } catch (error) { reportError(error); }
      await turn();
      clock.current = null;
      if (busy()) await idle(late);
    }
    clock.now = Math.max(clock.now, until);
    move(ms);
    for (const element of clock.media.keys()) play(element, ms / 1000);
    await idle(late);
  }

  function move(ms) { // the browser's own timeline is stopped from outside, see chromium.py
    for (const animation of [...animations()]) {
      const time = (animation.currentTime || 0) + ms * animation.playbackRate;
      const over = animation.playbackRate < 0 ? time <= 0 : time >= animation.effect.getComputedTiming().endTime;
      over ? animation.finish() : (animation.currentTime = time);
    }
    for (const tree of trees()) for (const media of tree.querySelectorAll("video[autoplay], audio[autoplay]")) if (!clock.media.has(media)) media.play();
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
    return animations().next().done;
  }

  const nameOf = (element) => (element ? `${element.localName}${element.id ? "#" + element.id : ""}${[...element.classList].map((c) => "." + c).join("")}` : "the page").slice(0, 60);
  const seconds = (ms) => `${(Math.max(0, ms) / 1000).toFixed(1)} s`;

  // What the last action set off and is still to come by `until`: {due, reason, timer}, the earliest; null when nothing is.
  function nextEffect(until) {
    let first = null;
    const offer = (due, reason, timer = null) => { if (due <= until && (!first || due < first.due)) first = {due, reason, timer}; };
    for (const [id, timer] of clock.timers)
      if (isEffect(id, timer)) offer(timer.due, `still waiting for a timer due in ${seconds(timer.due - clock.now)}`, timer);
    for (const animation of animations()) {
      if (clock.old.has(animation) || !animation.playbackRate) continue;
      const end = animation.playbackRate < 0 ? 0 : animation.effect.getComputedTiming().endTime;
      const left = (end - (animation.currentTime || 0)) / animation.playbackRate;
      offer(clock.now + left, `an animation of '${nameOf(animation.effect.target)}' still runs`);
    }
    return first;
  }

  // Why the state at the cap is not final, or null. One more run of a function that sets itself off again and again is no reason.
  function effectAtCap(action, until) {
    for (let effect; (effect = nextEffect(until)); ) {
      const {timer} = effect;
      if (!timer || timer.set <= action || (clock.fired.get(timer.source) || 0) < LOOP) return effect.reason;
      timer.background = true;
      if (!isNative(timer.source)) clock.loops.add(timer.source);
    }
    return null;
  }

  function beginNextState() {
    clock.mark = clock.last;
    clock.fired.clear();
    for (const animation of animations()) clock.old.add(animation);
  }

  // Until no scroller moves: a snapping one says when it has come to rest.
  async function scrollEnd(late) {
    const end = native.performance() + SNAP, snapping = () => [...clock.scrolling.values()].includes(true);
    while ((clock.scrolled || snapping()) && native.performance() < end && !late()) {
      clock.scrolled = false;
      await frame();
    }
    clock.scrolling.clear();
  }

  // Moves virtual time on by `horizon` ms, until all that the last action set off has come (EFFECT at most) and the page is still.
  // `part` "horizon" stops where effects are pending, "effects" goes on from there. Returns {reason, pending}: why the page is not
  // still after `patience` real ms or at the cap, or null; and whether effects are pending.
  async function settle(horizon, patience, part = "all") {
    const end = native.performance() + patience, late = () => native.performance() > end;
    const watch = new native.MutationObserver(() => {});
    const observe = () => {
      for (const tree of trees()) watch.observe(tree, {subtree: true, childList: true, attributes: true, characterData: true});
    };
    adoptDeclared();
    observe();
    hideCaret(document);
    await frame();
    await scrollEnd(late);
    await idle(late);
    const again = part === "effects" && clock.action !== null;
    if (!again) clock.action = clock.now;
    const until = clock.action + horizon, cap = clock.action + Math.max(horizon, EFFECT);
    let begun = clock.begun, stirred = !again;
    const look = async () => { // whether the next frame sets anything off
      observe();
      watch.takeRecords();
      begun = clock.begun;
      await frame();
      await scrollEnd(late);
      stirred = clock.begun !== begun || watch.takeRecords().length > 0;
    };
    for (const share of again ? [] : [0.05, 0.25, 0.5, 1]) {
      if (!stirred && nothingBy(until)) break;
      await advance(Math.max(0, until - (1 - share) * horizon - clock.now), late);
      await look();
    }
    clock.now = Math.max(clock.now, until);
    // What the last frame set off gets its time, too. Only what happened counts, not how long it took: else two runs would differ.
    for (let extra = 0; !late(); ) {
      const effect = nextEffect(cap);
      if (stirred && extra < 4) {
        await idle(late);
        await advance(0.25 * horizon, late);
        extra++;
      } else if (effect && part === "horizon") {
        break;
      } else if (effect) {
        await advance(Math.min(Math.max(0, effect.due - clock.now), 0.5 * horizon), late);
        extra = clock.now < cap ? 0 : extra;
      } else if (stirred) {
        await idle(late);
      } else break;
      await look();
    }
    watch.disconnect();
    for (const [element, state] of clock.media) await show(element, state.time);
    if (part === "horizon" && !late() && nextEffect(cap)) return {reason: null, pending: true};
    const reason = late() ? busy(true) || (stirred ? "the page still changes by itself" : "its scripts take too long") : effectAtCap(clock.action, cap + horizon);
    beginNextState();
    return {reason, pending: false};
  }

  // Real time: still for 100 ms, with no finite animation left and no timer that the last action set off. Returns as `settle` does.
  async function quiet(horizon, patience) {
    const start = native.performance(), end = start + patience, watch = new native.MutationObserver(() => { last = native.performance(); });
    let last = native.performance();
    watch.observe(document, {subtree: true, childList: true, attributes: true, characterData: true});
    addEventListener("scroll", () => { last = native.performance(); }, true);
    adoptDeclared();
    const runningAnimation = () => [...animations()].find((a) => a.effect.getComputedTiming().endTime < 1e4);
    const pendingTimer = () => [...clock.timers.values()].find((timer) => {
      if (clock.loops.has(timer.source)) return false;
      const effect = timer.number > clock.mark && timer.due < start + EFFECT, left = timer.due - native.performance();
      if (left >= horizon && !effect) return false;
      if (native.performance() > start + EFFECT && (clock.fired.get(timer.source) || 0) >= LOOP) return false;
      return true;
    });
    const moving = () => {
      if (busy()) return busy();
      const timer = pendingTimer(), animation = runningAnimation();
      if (timer) return `still waiting for a timer due in ${seconds(timer.due - native.performance())}`;
      if (animation) return `an animation of '${nameOf(animation.effect.target)}' still runs`;
      return native.performance() - last < 100 ? "the page still changes by itself" : null;
    };
    await frame();
    await scrollEnd(() => native.performance() > end);
    let reason = moving();
    while (reason && native.performance() < end) {
      await new Promise((done) => native.timeout(done, 20));
      reason = moving();
    }
    watch.disconnect();
    clock.mark = clock.last;
    clock.fired.clear();
    return {reason, pending: false};
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
