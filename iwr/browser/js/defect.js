// In a page of a judge's self-test: the page works as the true one does until a step, and is then spoilt in one way.
// The test says when that step begins: window[Symbol.for("iwr.defect")](path of the target, path of what is observed).
// `plan` is the record of judge/defects.py.
((plan) => {
  const hook = window[Symbol.for("iwr.hook")], own = new WeakSet();
  const POINTER = ["pointerdown", "mousedown", "pointerup", "mouseup", "click", "dblclick", "auxclick", "contextmenu", "touchstart", "touchend"];
  const HOVER = ["pointerover", "mouseover", "pointerenter", "mouseenter", "pointermove", "mousemove"];
  const EVENTS = {pointer: POINTER, hover: HOVER, keys: ["keydown", "keypress", "keyup"], wheel: ["wheel"],
    text: ["keydown", "keypress", "keyup", "beforeinput", "input", "change"], value: ["input", "change"]};
  const OPPOSITE = {ArrowLeft: "ArrowRight", ArrowUp: "ArrowDown", PageUp: "PageDown", Home: "End"};
  for (const [key, other] of Object.entries(OPPOSITE)) OPPOSITE[other] = key;
  const CODES = {ArrowLeft: 37, ArrowUp: 38, ArrowRight: 39, ArrowDown: 40, PageUp: 33, PageDown: 34, End: 35, Home: 36};
  const LATE = 20000, QUIET = 200, SHORT = 50; // ms
  let target = null, observed = null, armed = false;

  // ---- elements ----------------------------------------------------------------------------------------------------------

  const inside = (root) => [...root.querySelectorAll("*")].flatMap((e) => (e.shadowRoot ? [e, ...inside(e.shadowRoot)] : [e]));
  const roots = () => [document, ...inside(document).map((e) => e.shadowRoot).filter(Boolean)];
  const center = (e) => { const box = e.getBoundingClientRect(); return [box.x + box.width / 2, box.y + box.height / 2]; };

  function neighbour(element) { // the nearest other one of its kind
    const {width, height} = element.getBoundingClientRect(), [x, y] = center(element);
    const alike = (other) => {
      const box = other.getBoundingClientRect();
      if (other === element || other.contains(element) || element.contains(other) || !box.width || !box.height) return false;
      return Math.abs(Math.log((box.width + 1) / (width + 1))) < 0.7 && Math.abs(Math.log((box.height + 1) / (height + 1))) < 0.7;
    };
    const rank = (other) => Math.hypot(center(other)[0] - x, center(other)[1] - y) + (other.className === element.className ? 0 : 1e5);
    const others = [...element.getRootNode().querySelectorAll(element.localName)].filter(alike);
    return others.sort((a, b) => rank(a) - rank(b))[0] || null;
  }
  const counterpart = (part, whole, other) => (part === whole ? other : other.querySelector(part.localName) || other);

  const bare = (text) => text.replace(/\s+/g, "").toLowerCase();
  function holders(text) { // the smallest elements that hold a text
    const needle = bare(text), all = [];
    const descend = (element) => {
      if (/^(script|style|noscript|template)$/.test(element.localName)) return;
      const field = /^(input|textarea)$/.test(element.localName);
      if (!bare(field ? element.value : element.textContent).includes(needle) && !element.shadowRoot) return;
      const before = all.length;
      for (const child of [...element.children, ...(element.shadowRoot ? element.shadowRoot.children : [])]) descend(child);
      if (all.length === before && bare(field ? element.value : element.textContent).includes(needle)) all.push(element);
    };
    if (document.body) descend(document.body);
    return all;
  }
  function inView(element) {
    const box = element.getBoundingClientRect();
    const shows = box.width > 0 && box.height > 0 && element.checkVisibility({opacityProperty: true, visibilityProperty: true});
    if (!shows || box.bottom <= 0 || box.right <= 0 || box.top >= innerHeight || box.left >= innerWidth) return false;
    const hit = element.getRootNode().elementFromPoint(...center(element)); // something else where it is clipped
    return !hit || hit === element || element.contains(hit) || getComputedStyle(element).pointerEvents === "none";
  }

  // ---- events ------------------------------------------------------------------------------------------------------------

  function copy(event, changes = {}) {
    const fields = {};
    for (const key in event) if (typeof event[key] !== "function") fields[key] = event[key];
    const twin = new event.constructor(event.type, {...fields, ...changes});
    own.add(twin);
    return twin;
  }
  function intercept(event) {
    if (!armed || own.has(event)) return;
    if (plan.at_target && target && !event.composedPath().includes(target)) return;
    const origin = event.composedPath()[0];
    if (!SPOIL[plan.kind](event, origin)) return;
    event.stopImmediatePropagation();
    if (!plan.keeps_default) event.preventDefault();
  }
  const SPOIL = { // what becomes of an event; whether it is swallowed
    "dead handler": () => true,
    "late effect": (event, origin) => {
      const twin = copy(event);
      setTimeout(() => origin.dispatchEvent(twin), LATE);
      return true;
    },
    "wrong target": (event, origin) => {
      const other = target && neighbour(target);
      if (!other) return false;
      const [clientX, clientY] = center(other);
      counterpart(origin, target, other).dispatchEvent(copy(event, {clientX, clientY}));
      return true;
    },
    "other direction": (event, origin) => {
      if (event.type === "wheel") {
        const twin = copy(event, {deltaX: -event.deltaX, deltaY: -event.deltaY});
        if (origin.dispatchEvent(twin)) scrollerOf(origin, event).scrollBy(-event.deltaX, -event.deltaY);
        return true;
      }
      const key = OPPOSITE[event.key];
      if (!key) return false;
      origin.dispatchEvent(copy(event, {key, code: key, keyCode: CODES[key], which: CODES[key]}));
      return true;
    },
  };
  function scrollerOf(element, event) {
    for (; element instanceof Element; element = element.parentElement) {
      const style = getComputedStyle(element);
      if (event.deltaY && /auto|scroll/.test(style.overflowY) && element.scrollHeight > element.clientHeight) return element;
      if (event.deltaX && /auto|scroll/.test(style.overflowX) && element.scrollWidth > element.clientWidth) return element;
    }
    return document.scrollingElement || document.documentElement;
  }

  // ---- changes of the page -----------------------------------------------------------------------------------------------

  function watch(react) {
    const observer = new MutationObserver((records) => react(records, observer));
    const options = {subtree: true, childList: true, attributes: true, attributeOldValue: true, characterData: true, characterDataOldValue: true};
    for (const root of roots()) observer.observe(root, options);
  }
  function undo(records, observer) {
    for (const {type, target: node, attributeName, attributeNamespace, oldValue, addedNodes, removedNodes, nextSibling} of records.reverse()) {
      if (type === "characterData") node.data = oldValue;
      else if (type === "attributes" && oldValue === null) node.removeAttributeNS(attributeNamespace, attributeName);
      else if (type === "attributes") node.setAttributeNS(attributeNamespace, attributeName, oldValue);
      else {
        for (const added of addedNodes) if (added.parentNode === node) added.remove();
        const place = nextSibling && nextSibling.parentNode === node ? nextSibling : null;
        for (const removed of removedNodes) node.insertBefore(removed, place);
      }
    }
    observer.takeRecords();
  }

  function loseEffect() { // what changed is as it was, a moment later
    const fields = inside(document).filter((e) => /^(input|select|textarea)$/.test(e.localName) && !plan.keeps_default);
    const values = fields.map((e) => [e, e.checked, e.type === "file" ? null : e.value]);
    const scrollers = inside(document).filter((e) => e.scrollHeight > e.clientHeight || e.scrollWidth > e.clientWidth);
    const places = scrollers.map((e) => [e, e.scrollLeft, e.scrollTop]);
    let changes = [], timer = null;
    const soon = (observer) => {
      clearTimeout(timer);
      timer = setTimeout(() => {
        undo(changes, observer);
        changes = [];
        for (const [e, checked, value] of values) { e.checked = checked; if (value !== null && e.value !== value) e.value = value; }
        for (const [e, left, top] of places) e.scrollTo({left, top, behavior: "instant"});
      }, QUIET);
    };
    watch((records, observer) => { changes.push(...records); soon(observer); });
    const idle = new MutationObserver(() => {});
    for (const type of ["scroll", "change", "input"]) hook.listen(window, type, () => soon(idle), {capture: true, once: true});
  }

  function keepState() { // everything changes but what shows the text
    const shown = new Set(holders(plan.text).filter(inView));
    watch((records, observer) => {
      const fresh = holders(plan.text).filter((e) => !shown.has(e));
      const brings = ({type, target: node, addedNodes}) => fresh.some((e) =>
        e.contains(node) || [...addedNodes].some((added) => added.contains(e)) || (type === "attributes" && node.contains(e)));
      if (fresh.length) undo(records.filter(brings), observer);
    });
  }

  function keepList() { // what is to go stays
    let list = holders(plan.text)[0];
    while (list && list.parentElement) {
      const kin = [...list.parentElement.children].filter((e) => e.localName === list.localName);
      list = list.parentElement;
      if (kin.length > 1) break;
    }
    if (list) watch((records, observer) => undo(records.filter(({target: node}) => list.contains(node)), observer));
  }

  function affectOther() { // the neighbour of what is observed changes in its place
    const other = observed && neighbour(observed);
    if (!other) return;
    watch((records, observer) => {
      const mine = records.filter(({type, target: node}) => type === "attributes" && observed.contains(node));
      const values = mine.map(({target: node, attributeName}) => [node, attributeName, node.getAttribute(attributeName)]);
      undo(mine, observer);
      for (const [node, name, value] of values) {
        const twin = counterpart(node, observed, other);
        value === null ? twin.removeAttribute(name) : twin.setAttribute(name, value);
      }
      observer.takeRecords();
    });
  }

  function writeOther() { // a word of the text is another, wherever the text shows anew
    const shown = new Set(holders(plan.text).filter(inView));
    const word = new RegExp(`(?<![\\w])${plan.word.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")}(?![\\w])`, "gi");
    const pass = () => {
      for (const holder of holders(plan.text)) {
        if (shown.has(holder)) continue;
        if (/^(input|textarea)$/.test(holder.localName)) holder.value = holder.value.replace(word, plan.other);
        const texts = document.createTreeWalker(holder, NodeFilter.SHOW_TEXT);
        while (texts.nextNode()) texts.currentNode.data = texts.currentNode.data.replace(word, plan.other);
      }
    };
    pass();
    watch(pass);
    for (const delay of [100, 400, 900]) setTimeout(pass, delay);
  }

  function swapItems() { // two neighbours of the list change places once it is in order
    let timer = null;
    const swap = (observer) => {
      let [one, other] = plan.texts.slice(0, 2).map((text) => holders(text).filter(inView)[0]);
      if (!one || !other) return;
      while (one && !one.parentElement.contains(other)) one = one.parentElement;
      while (other && other.parentElement !== one.parentElement) other = other.parentElement;
      if (!other || one === other) return;
      const place = document.createComment("");
      one.replaceWith(place);
      other.replaceWith(one);
      place.replaceWith(other);
      observer.disconnect();
    };
    watch((records, observer) => { clearTimeout(timer); timer = setTimeout(() => swap(observer), SHORT); });
  }

  // ---- the plan ----------------------------------------------------------------------------------------------------------

  const BEGIN = {"lost effect": loseEffect, "stale state": keepState, "filter does nothing": keepList, "effect elsewhere": affectOther,
    "wrong text": writeOther, "off by one": writeOther, "wrong order": swapItems};
  if (SPOIL[plan.kind])
    for (const type of plan.events.flatMap((name) => EVENTS[name])) hook.listen(window, type, intercept, {capture: true, passive: false});
  if (plan.kind === "layout only") {
    const sheet = new CSSStyleSheet();
    sheet.replaceSync("* { border-radius: 7px !important; } :root { padding: 3px 5px !important; background-color: #f3eee4; }");
    document.adoptedStyleSheets = [...document.adoptedStyleSheets, sheet];
  }
  Object.defineProperty(window, Symbol.for("iwr.defect"), {enumerable: false, value: (targetPath, observedPath) => {
    target = targetPath && hook.find(targetPath);
    observed = observedPath && hook.find(observedPath);
    armed = true;
    if (BEGIN[plan.kind]) BEGIN[plan.kind]();
  }});
  document.currentScript.remove();
})(__PLAN__);
