// What turning the wheel over an element (or over the page, for the root element) would move: {scroller, point}.
// `point` is where the wheel reaches that scroller and no inner one; null when there is no such place in view.
(element, [dx, dy]) => {
  const doc = element.ownerDocument, root = doc.scrollingElement || doc.documentElement;
  const view = doc.defaultView, page = (e) => e === root || e === doc.body || e === doc.documentElement;
  const hook = window[Symbol.for("iwr.hook")], rootOf = (e) => (hook ? hook.rootOf(e) : e.shadowRoot);
  const up = (node) => node.parentElement || node.getRootNode().host || null;
  const room = (e, axis, by) => {
    const [at, most] = axis === "x" ? [e.scrollLeft, e.scrollWidth - e.clientWidth] : [e.scrollTop, e.scrollHeight - e.clientHeight];
    return by > 0 ? at < most - 1 : by < 0 ? at > 1 : false;
  };
  const scrolls = (e, axis) => {
    const overflow = (of) => getComputedStyle(of)[axis === "x" ? "overflowX" : "overflowY"];
    const value = e === root && overflow(e) === "visible" && doc.body ? overflow(doc.body) : overflow(e); // the body's applies to the window
    const size = axis === "x" ? e.scrollWidth - e.clientWidth : e.scrollHeight - e.clientHeight;
    if (page(e)) return e === root && size > 0 && value !== "hidden" && value !== "clip";
    return size > 0 && ["auto", "scroll", "overlay"].includes(value);
  };
  const able = (e) => (dx && scrolls(e, "x")) || (dy && scrolls(e, "y"));
  const moves = (e) => (dx && scrolls(e, "x") && room(e, "x", dx)) || (dy && scrolls(e, "y") && room(e, "y", dy));
  const box = (e) => (page(e) ? {left: 0, top: 0, right: view.innerWidth, bottom: view.innerHeight} : e.getBoundingClientRect());
  const visible = (e) => {
    const b = box(e);
    return [Math.max(0, b.left), Math.max(0, b.top), Math.min(view.innerWidth, b.right), Math.min(view.innerHeight, b.bottom)];
  };
  const area = (e) => { const [l, t, r, b] = visible(e); return Math.max(0, r - l) * Math.max(0, b - t); };

  let scroller = null;
  for (let e = element; e && !scroller; e = up(e)) if (able(e)) scroller = e;
  if (!scroller && page(element)) // the page itself is fixed: its largest scrolling part is what a person would mean
    scroller = [...doc.querySelectorAll("*")].filter((e) => able(e) && area(e) > 0).sort((a, b) => area(b) - area(a))[0];
  scroller = scroller || root;

  const reached = (x, y) => {
    let e = doc.elementFromPoint(x, y);
    while (e && rootOf(e) && rootOf(e).elementFromPoint(x, y) && rootOf(e).elementFromPoint(x, y) !== e) e = rootOf(e).elementFromPoint(x, y);
    for (; e; e = up(e)) {
      if (e === scroller || (page(e) && page(scroller))) return true;
      if (e.tagName === "IFRAME" || moves(e)) return false;
    }
    return page(scroller);
  };
  let offset = [0, 0];
  for (let w = view; w.frameElement; w = w.parent) {
    const frame = w.frameElement.getBoundingClientRect();
    offset = [offset[0] + frame.left + w.frameElement.clientLeft, offset[1] + frame.top + w.frameElement.clientTop];
  }
  // Over what scrolls by itself any place will do; where only the page scrolls, a part of it may listen to the wheel.
  const places = page(scroller) && !page(element) ? [visible(element), visible(scroller)] : [visible(scroller)];
  for (const [left, top, right, bottom] of places) for (const v of [0.5, 0.3, 0.7, 0.1, 0.9]) for (const u of [0.5, 0.3, 0.7, 0.05, 0.95]) {
    const x = left + u * (right - left), y = top + v * (bottom - top);
    if (right > left && bottom > top && reached(x, y)) return {scroller, point: [x + offset[0], y + offset[1]]};
  }
  return {scroller, point: null};
}
