// Where a person could click an element: {point: [x, y]} in viewport coordinates, or {reason} naming what is in the way.
// They are those of the outermost frame of this origin, `frames` of them around the element's own.
(element) => {
  const name = (e) => {
    const text = (e.getAttribute("aria-label") || e.innerText || "").replace(/\s+/g, " ").trim().slice(0, 40);
    return `<${e.tagName.toLowerCase()}${e.id ? "#" + e.id : ""}${[...e.classList].slice(0, 2).map((c) => "." + c).join("")}>${text ? ` "${text}"` : ""}`;
  };
  if (!element.isConnected) return {reason: "the element is no longer on the page"};
  if (element.matches(":disabled")) return {reason: `${name(element)} is disabled`};

  // A native control is often hidden behind its styled label, a link may have no box but its children's.
  const boxes = (e) => (e.tagName === "AREA" ? areaBoxes(e) : [...e.getClientRects()]).filter((r) => r.width > 0 && r.height > 0);

  // An <area> is a part of the image that shows its map.
  function areaBoxes(area) {
    const map = area.closest("map"), images = map ? [...area.ownerDocument.images] : [];
    const image = images.find((e) => e.useMap === "#" + map.name);
    if (!image) return [];
    const outer = image.getBoundingClientRect(), [x, y, radius] = area.coords.split(",").map(Number);
    const left = outer.left + image.clientLeft, top = outer.top + image.clientTop;
    if (area.shape === "default" || !area.coords) return [outer];
    if (area.shape.startsWith("circ")) return [new DOMRect(left + x - radius, top + y - radius, 2 * radius, 2 * radius)];
    const numbers = area.coords.split(",").map(Number), xs = numbers.filter((_, i) => i % 2 === 0), ys = numbers.filter((_, i) => i % 2);
    const right = Math.max(...xs), bottom = Math.max(...ys);
    return [new DOMRect(left + Math.min(...xs), top + Math.min(...ys), right - Math.min(...xs), bottom - Math.min(...ys))];
  }
  const target = [element, ...(element.labels || []), ...element.querySelectorAll("*")].find((e) => boxes(e).length);
  if (!target) return {reason: `${name(element)} is not visible`};

  const hook = window[Symbol.for("iwr.hook")];
  const rootOf = (e) => (hook ? hook.rootOf(e) : e.shadowRoot);
  const up = (node) => node.parentNode || node.host || null;
  const inside = (node, outer) => { for (; node; node = up(node)) if (node === outer) return true; return false; };
  const hit = (doc, x, y) => {
    let found = doc.elementFromPoint(x, y);
    while (found && rootOf(found)) {
      const deeper = rootOf(found).elementFromPoint(x, y);
      if (!deeper || deeper === found) break;
      found = deeper;
    }
    return found;
  };
  // A text of the host that the target shows in a slot: the browser names the host, the click goes to the slot.
  const showsText = (host, x, y) => {
    if (!inside(target, host)) return false;
    const texts = [...target.querySelectorAll("slot")].flatMap((slot) => slot.assignedNodes({flatten: true}));
    return texts.some((node) => node.nodeType === Node.TEXT_NODE && textBoxes(node).some((r) => holds(r, x, y)));
  };
  function textBoxes(node) {
    const range = node.ownerDocument.createRange();
    range.selectNodeContents(node);
    return [...range.getClientRects()];
  }
  const holds = (r, x, y) => r.left <= x && x <= r.right && r.top <= y && y <= r.bottom;
  const accepts = (found, x, y) => inside(found, target) || [element, ...(element.labels || [])].some((e) => inside(found, e))
    || (inside(target, found) && getComputedStyle(target).pointerEvents === "none") || showsText(found, x, y);

  function point() {
    let blocker = null;
    const box = boxes(target).sort((a, b) => b.width * b.height - a.width * a.height)[0];
    for (const [u, v] of [[0.5, 0.5], [0.25, 0.5], [0.75, 0.5], [0.5, 0.25], [0.5, 0.75]]) {
      let x = box.left + u * box.width, y = box.top + v * box.height, view = target.ownerDocument.defaultView, frames = 0;
      let found = hit(target.ownerDocument, x, y), free = found && accepts(found, x, y);
      while (free && view.frameElement) { // out through the frames around it
        const frame = view.frameElement, outer = frame.getBoundingClientRect();
        x += outer.left + frame.clientLeft;
        y += outer.top + frame.clientTop;
        found = hit(frame.ownerDocument, x, y);
        free = found === frame;
        view = frame.ownerDocument.defaultView;
        frames += 1;
      }
      if (free) return {point: [x, y], frames};
      blocker = blocker || found;
    }
    return {blocker};
  }

  let answer = point();
  if (answer.blocker !== undefined) {
    target.scrollIntoView({block: "center", inline: "center", behavior: "instant"});
    answer = point();
  }
  if (answer.point) return answer;
  return {reason: answer.blocker ? `${name(element)} is covered by ${name(answer.blocker)}` : `${name(element)} is outside the page`};
}
