// Runs in every frame before the page's own scripts: remembers who listens to what, gives elements lasting numbers,
// and finds an element again by its number or its path.
(() => {
  const KEY = Symbol.for("iwr.hook");
  if (window[KEY]) return;
  const WATCHED = new Set(["click", "dblclick", "mousedown", "mouseup", "pointerdown", "pointerup", "touchstart", "touchend", "contextmenu",
    "keydown", "keyup", "keypress", "beforeinput", "input", "wheel", "mousewheel"]);
  const listeners = new WeakMap(), numbers = new WeakMap(), elements = new Map();
  const born = crypto.randomUUID ? crypto.randomUUID().slice(0, 8) : String(Math.random());
  let last = 0;

  const add = EventTarget.prototype.addEventListener;
  EventTarget.prototype.addEventListener = function addEventListener(type, listener, options) {
    const target = this || window;
    if (listener && WATCHED.has(type)) listeners.set(target, (listeners.get(target) || new Set()).add(type));
    return add.call(target, type, listener, options);
  };

  const roots = new WeakMap(); // of closed shadow trees, by their hosts
  const attach = Element.prototype.attachShadow;
  Element.prototype.attachShadow = function attachShadow(...args) {
    const root = attach.apply(this, args);
    roots.set(this, root);
    return root;
  };

  // The shadow tree of an element, closed ones included; each frame knows its own.
  function rootOf(element) {
    if (element.shadowRoot) return element.shadowRoot;
    const view = element.ownerDocument.defaultView;
    return view === window || !view || !view[KEY] ? roots.get(element) || null : view[KEY].rootOf(element);
  }

  const listen = (target, ...rest) => add.call(target, ...rest); // without being remembered

  // Whether `target` hears one of `types`, through addEventListener, a property or an attribute.
  function hears(target, types) {
    const known = listeners.get(target);
    return types.some((type) => (known && known.has(type)) || typeof target["on" + type] === "function");
  }

  function number(element) {
    if (!numbers.has(element)) {
      numbers.set(element, `${born}:${++last}`);
      elements.set(`${born}:${last}`, new WeakRef(element));
    }
    return numbers.get(element);
  }

  function element(number) {
    const reference = elements.get(number);
    const found = reference && reference.deref();
    return found && found.isConnected ? found : null;
  }

  // " >>> " steps into a shadow root, " ||| " into a frame.
  function find(path) {
    let root = document, found = null;
    for (const part of path.split(/ (?:>>>|\|\|\|) /)) {
      try { found = root && root.querySelector(part); } catch (error) { return null; }
      if (!found) return null;
      root = rootOf(found) || (found.tagName === "IFRAME" ? found.contentDocument : found);
    }
    return found;
  }

  Object.defineProperty(window, KEY, {value: Object.freeze({hears, number, element, find, listen, rootOf}), enumerable: false});
})();
