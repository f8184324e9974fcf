// One walk over the page: what is there, what a person could read, what a person could act on. See snapshot.py for the fields.
() => {
  const KEY = Symbol.for("iwr.hook");
  const hook = window[KEY];
  const POINTER = ["click", "dblclick", "mousedown", "mouseup", "pointerdown", "pointerup", "touchstart", "touchend"];
  const KEYS = ["keydown", "keyup", "keypress", "beforeinput", "input"];
  const CONTROLS = new Set(["BUTTON", "INPUT", "SELECT", "TEXTAREA", "SUMMARY"]);
  const UNSEEN = new Set(["SCRIPT", "STYLE", "NOSCRIPT", "TEMPLATE", "HEAD", "META", "LINK", "TITLE", "BR"]);
  const ROLES = new Set(["button", "link", "checkbox", "radio", "switch", "tab", "menuitem", "menuitemcheckbox", "menuitemradio", "option",
    "combobox", "textbox", "searchbox", "slider", "spinbutton", "treeitem"]);
  const TAG_ROLES = {BUTTON: "button", SELECT: "combobox", TEXTAREA: "textbox", SUMMARY: "button", IMG: "img", NAV: "navigation", HEADER: "banner",
    FOOTER: "contentinfo", MAIN: "main", ASIDE: "complementary", UL: "list", OL: "list", LI: "listitem", TABLE: "table", TR: "row", TD: "cell",
    TH: "columnheader", H1: "heading", H2: "heading", H3: "heading", H4: "heading", H5: "heading", H6: "heading", DIALOG: "dialog", CANVAS: "canvas",
    VIDEO: "video", FORM: "form", SECTION: "region", ARTICLE: "article", OPTION: "option", PROGRESS: "progressbar", METER: "meter", LABEL: "label",
    IFRAME: "iframe", P: "paragraph", AREA: "link"};
  const INPUT_ROLES = {button: "button", submit: "button", reset: "button", image: "button", file: "button", color: "button", checkbox: "checkbox",
    radio: "radio", range: "slider", number: "spinbutton", search: "searchbox"};
  const HINTS = /^(id|class|name|type|title|alt|href|for|data-.*|aria-controls|aria-label)$/;
  const STATES = ["expanded", "selected", "checked", "pressed", "current", "disabled", "hidden", "invalid", "sort", "valuenow", "modal"];
  const MOST = 20000;
  const nodes = [], runs = [], paths = new WeakMap(), steps = new WeakMap();
  let breaks = 0, gap = false;  // line breaks so far; white space before the next text

  const squash = (text, most = 300) => String(text || "").replace(/\s+/g, " ").trim().slice(0, most);
  const attribute = (element, name) => element.getAttribute(name) || "";
  const tagOf = (element) => element.tagName.toUpperCase();
  const area = (box) => box[2] * box[3];
  const round = (box) => box.map((v) => Math.round(v * 10) / 10);
  const meet = (a, b) => {
    const x = Math.max(a[0], b[0]), y = Math.max(a[1], b[1]);
    return [x, y, Math.max(0, Math.min(a[0] + a[2], b[0] + b[2]) - x), Math.max(0, Math.min(a[1] + a[3], b[1] + b[3]) - y)];
  };
  const hears = (target, types) => {
    const win = target.ownerDocument ? target.ownerDocument.defaultView : target.defaultView || target;
    return !!(win && win[KEY]) && win[KEY].hears(target, types);
  };
  const pageHears = (doc, types) => [doc.defaultView, doc, doc.documentElement, doc.body].some((target) => target && hears(target, types));

  function roleOf(element) {
    const given = attribute(element, "role").split(" ")[0];
    if (given) return given;
    const tag = tagOf(element);
    if (tag === "INPUT") return INPUT_ROLES[element.type] || "textbox";
    if (tag === "A") return element.hasAttribute("href") ? "link" : "generic";
    if (tag === "SVG") return "img";
    if (element.isContentEditable && !(element.parentElement && element.parentElement.isContentEditable)) return "textbox";
    return TAG_ROLES[tag] || "generic";
  }

  function nameOf(element) {
    const root = element.getRootNode();
    const by = attribute(element, "aria-labelledby").split(/\s+/).filter(Boolean).map((id) => root.getElementById && root.getElementById(id)).filter(Boolean);
    if (by.length) return squash(by.map((e) => e.textContent).join(" "));
    if (attribute(element, "aria-label")) return squash(attribute(element, "aria-label"));
    if (element.labels && element.labels.length) return squash([...element.labels].map((label) => label.innerText).join(" "));
    if (attribute(element, "alt")) return squash(attribute(element, "alt"));
    if (isInputButton(element)) return squash(element.value || element.type);
    const title = tagOf(element) === "SVG" && element.querySelector("title");
    return title ? squash(title.textContent) : squash(attribute(element, "title"));
  }

  const isInputButton = (element) => tagOf(element) === "INPUT" && ["button", "submit", "reset"].includes(element.type);

  function statesOf(element) {
    const states = {}, tag = tagOf(element);
    const box = tag === "LABEL" ? element.control : element;
    for (const name of STATES) if (element.hasAttribute("aria-" + name)) states[name] = attribute(element, "aria-" + name);
    if (box && /^(checkbox|radio)$/.test(box.type)) states.checked = String(box.checked);
    if (tag === "DETAILS" || tag === "DIALOG") states.open = String(element.open);
    if (tag === "SUMMARY" && element.parentElement) states.expanded = String(!!element.parentElement.open);
    if (element.matches(":disabled")) states.disabled = "true";
    if (element.readOnly && (tag === "INPUT" || tag === "TEXTAREA")) states.readonly = "true";
    if (tag === "VIDEO" || tag === "AUDIO") states.playing = String(!element.paused);
    return states;
  }

  function valueOf(element) {
    const tag = tagOf(element);
    if (tag === "SELECT") return [...element.selectedOptions].map((option) => squash(option.text)).join(", ");
    if (tag === "TEXTAREA") return element.value.slice(0, 5000);
    if (tag === "PROGRESS" || tag === "METER") return String(element.value);
    if (tag !== "INPUT" || isInputButton(element) || ["checkbox", "radio", "image", "hidden"].includes(element.type)) return null;
    return element.type === "password" ? "•".repeat(element.value.length) : element.value.slice(0, 5000);
  }

  // semantic | listener | class | pointer, or inherited: under (below a listener) | page (only the document listens).
  function actsHow(element, style, c) {
    const tag = tagOf(element);
    if (tag === "INPUT" && element.type === "hidden") return null;
    if (CONTROLS.has(tag) || (["A", "AREA"].includes(tag) && element.hasAttribute("href")) || (tag === "LABEL" && element.control)) return "semantic";
    if (ROLES.has(roleOf(element)) || (element.hasAttribute("tabindex") && element.tabIndex >= 0)) return "semantic";
    if ((tag === "VIDEO" || tag === "AUDIO") && element.controls) return "semantic";
    if (tag === "BODY" || tag === "HTML") return null;
    if (hears(element, POINTER)) return "listener";
    if (element.classList.contains("btn")) return "class";
    if (style.cursor === "pointer" && !c.pointer) return "pointer";
    return c.under;
  }

  const unique = (element, root) => /^[A-Za-z][\w-]*$/.test(element.id) && root.querySelectorAll("#" + element.id).length === 1;
  // "li:nth-of-type(3)", for all children of a parent at once
  function step(element, parent) {
    if (!steps.has(element)) {
      const kinds = new Map();
      for (const child of parent && parent.children ? parent.children : [element])
        kinds.has(child.localName) ? kinds.get(child.localName).push(child) : kinds.set(child.localName, [child]);
      for (const [name, same] of kinds)
        same.forEach((child, i) => steps.set(child, CSS.escape(name) + (same.length > 1 ? `:nth-of-type(${i + 1})` : "")));
    }
    return steps.get(element);
  }

  // CSS path of an element from that of its parent; " >>> " steps into a shadow root, " ||| " into a frame.
  function pathOf(element) {
    const root = element.getRootNode(), parent = element.parentNode;
    if (unique(element, root)) return before(root) + "#" + element.id;
    const own = step(element, parent);
    return parent && parent.nodeType === 1 ? `${paths.get(parent) || pathOf(parent)} > ${own}` : before(root) + own;
  }

  function before(root) {
    if (root.host) return pathOf(root.host) + " >>> ";
    const frame = root.defaultView && root.defaultView !== window && root.defaultView.frameElement;
    return frame ? pathOf(frame) + " ||| " : "";
  }

  // Something opaque lies over the point that is neither an ancestor nor a part of the element.
  function coveredAt(element, x, y) {
    const root = element.getRootNode();
    const top = root.elementFromPoint ? root.elementFromPoint(x, y) : null;
    if (!top || top.contains(element) || element.contains(top) || (root.host && root.host.contains(top))) return false;
    for (let at = top; at && !at.contains(element); at = at.parentElement) {
      const style = getComputedStyle(at);
      const paints = style.backgroundImage !== "none" || alpha(style.backgroundColor) > 0.5 || ["IMG", "CANVAS", "VIDEO", "IFRAME"].includes(tagOf(at));
      if (Number(style.opacity) > 0.5 && paints) return true;
    }
    return false;
  }

  const alpha = (colour) => {
    const parts = colour.match(/[\d.]+/g) || [];
    return colour.startsWith("rgba") || colour.includes("/") ? Number(parts[parts.length - 1]) : 1;
  };

  function say(element, index, text, rects, kind, c) {
    const shown = [...rects].filter((r) => r.width * r.height > 0);
    if (!text.trim()) gap = true;
    if (!text.trim() || !shown.length) return;
    const left = Math.min(...shown.map((r) => r.left)), top = Math.min(...shown.map((r) => r.top));
    const box = [left + c.dx, top + c.dy, Math.max(...shown.map((r) => r.right)) - left, Math.max(...shown.map((r) => r.bottom)) - top];
    const part = meet(box, c.clip);
    let seen = c.visible && area(part) >= 0.3 * area(box) && c.readable;
    if (seen && c.touchable) {
      seen = !(coveredAt(element, part[0] + part[2] / 2 - c.dx, part[1] + part[3] / 2 - c.dy)
        && coveredAt(element, part[0] + Math.min(4, part[2] / 2) - c.dx, part[1] + part[3] / 2 - c.dy));
    }
    runs.push({n: index, t: (gap ? " " : "") + text.replace(/\s+/g, " ").slice(0, 5000), box: round(box), seen, block: c.block, row: breaks, kind});
    gap = false;
  }

  function sayPseudo(element, which, index, rect, inner) {
    const content = inner.win.getComputedStyle(element, which).content;
    if (/^["']/.test(content)) say(element, index, content.slice(1, -1).replace(/\\(.)/g, "$1"), [rect], "pseudo", inner);
  }

  function describe(element, style, c, box, opacity, clip) {
    const shown = meet(box, clip);
    const visible = style.visibility === "visible" && opacity > 0.05 && (style.display === "contents" || area(box) > 0.5);
    const hints = [...element.attributes].filter((a) => HINTS.test(a.name)).map((a) => a.value);
    if (tagOf(element) === "IMG") hints.push(attribute(element, "src").split("/").pop().slice(0, 80));
    const node = {i: nodes.length, p: c.parent, u: hook.number(element), tag: element.localName, role: roleOf(element), name: nameOf(element), box: round(box),
      visible, inView: visible && area(shown) > 0.5, share: Math.round(100 * area(shown) / Math.max(1, area(box))) / 100, how: actsHow(element, style, c),
      value: valueOf(element), placeholder: squash(element.placeholder), states: statesOf(element), hints: squash(hints.join(" "), 400),
      marks: [...element.attributes].filter((a) => a.name !== "value").map((a) => `${a.name}=${a.value.slice(0, 300)}`).join("\n").slice(0, 1500),
      look: [style.color, style.backgroundColor, style.backgroundImage.slice(0, 200), style.borderColor, style.fontWeight, style.textDecorationLine, style.fill,
        style.boxShadow, String(Math.round(opacity * 20) / 20), style.transform, style.filter].join("|"),
      hovered: element.matches(":hover"), focused: element.matches(":focus"), layer: style.position};
    if (/auto|scroll/.test(style.overflowY) && element.scrollHeight > element.clientHeight + 1)
      node.scrollY = [Math.round(element.scrollTop), element.scrollHeight - element.clientHeight];
    if (/auto|scroll/.test(style.overflowX) && element.scrollWidth > element.clientWidth + 1)
      node.scrollX = [Math.round(element.scrollLeft), element.scrollWidth - element.clientWidth];
    if (tagOf(element) === "SELECT") node.options = [...element.options].slice(0, 200).map((option) => squash(option.text, 100));
    node.path = pathOf(element);
    paths.set(element, node.path);
    return node;
  }

  function visit(element, c) {
    const tag = tagOf(element);
    if (tag === "BR") breaks += 1;
    if (nodes.length >= MOST || UNSEEN.has(tag)) return;
    const style = c.win.getComputedStyle(element);
    if (style.display === "none" || (style.display !== "contents" && !element.checkVisibility())) return;
    const rect = element.getBoundingClientRect(), box = [rect.x + c.dx, rect.y + c.dy, rect.width, rect.height];
    const opacity = c.opacity * Number(style.opacity);
    const clip = style.position === "fixed" ? c.frame : style.position === "absolute" ? c.absolute : c.clip;
    const node = describe(element, style, c, box, opacity, clip);
    nodes.push(node);
    const inner = {...c, opacity, parent: node.i, visible: node.visible, pointer: style.cursor === "pointer", touchable: style.pointerEvents !== "none",
      readable: alpha(style.color) > 0.05 && parseFloat(style.fontSize) >= 1, under: hears(element, POINTER) && tag !== "BODY" && tag !== "HTML" ? "under" : c.under,
      block: style.display === "inline" || style.display === "contents" ? c.block : node.i};
    const clips = style.overflow !== "visible" || style.clipPath !== "none" || (style.position === "absolute" && style.clip !== "auto");
    inner.clip = clips && tag !== "HTML" && tag !== "BODY" ? meet(clip, box) : clip;
    inner.absolute = style.position !== "static" || style.transform !== "none" ? inner.clip : c.absolute;
    sayPseudo(element, "::before", node.i, rect, inner);
    read(element, tag, node, rect, inner);
    sayPseudo(element, "::after", node.i, rect, inner);
    if (tag === "IFRAME") enter(element, box, inner);
    if (tag === "IMG" && element.useMap) enterMap(element, box, style, inner);
  }

  // The areas of an image map have no boxes of their own: they are parts of the image.
  function enterMap(image, box, style, c) {
    const map = [...image.ownerDocument.querySelectorAll("map")].find((e) => "#" + e.name === image.useMap);
    for (const part of map ? map.querySelectorAll("area") : []) {
      const numbers = part.coords.split(",").map(Number), xs = numbers.filter((_, i) => i % 2 === 0), ys = numbers.filter((_, i) => i % 2);
      let [left, top, right, bottom] = [Math.min(...xs), Math.min(...ys), Math.max(...xs), Math.max(...ys)];
      if (part.shape === "circle") [left, top, right, bottom] = [xs[0] - xs[1], ys[0] - xs[1], xs[0] + xs[1], ys[0] + xs[1]];
      const whole = part.shape === "default" || !part.coords;
      const place = whole ? box : [box[0] + image.clientLeft + left, box[1] + image.clientTop + top, right - left, bottom - top];
      nodes.push(describe(part, style, c, place, c.opacity, meet(c.clip, box)));
    }
  }

  function read(element, tag, node, rect, inner) {
    if (node.value) say(element, node.i, node.value, [rect], "value", inner);
    else if (node.placeholder) say(element, node.i, node.placeholder, [rect], "placeholder", inner);
    else if (isInputButton(element)) say(element, node.i, node.name, [rect], "text", inner);
    if (tag === "SELECT" || tag === "TEXTAREA") return;
    const assigned = tag === "SLOT" ? element.assignedNodes() : [];
    for (const child of assigned.length ? assigned : (hook.rootOf(element) || element).childNodes) {
      if (child.nodeType === 1) visit(child, inner);
      if (child.nodeType !== 3) continue;
      const range = element.ownerDocument.createRange();
      range.selectNodeContents(child);
      say(element, node.i, child.data, range.getClientRects(), "text", inner);
    }
  }

  function enter(element, box, c) {
    let inside = null;
    try { inside = element.contentDocument && element.contentDocument.documentElement; } catch (error) { inside = null; }
    if (!inside) return;
    const frame = meet(c.clip, box);
    visit(inside, {...c, win: element.contentWindow, dx: box[0] + element.clientLeft, dy: box[1] + element.clientTop, clip: frame, absolute: frame, frame,
      pointer: false, under: pageHears(element.contentDocument, POINTER) ? "page" : null});
  }

  const view = [0, 0, innerWidth, innerHeight];
  visit(document.documentElement, {win: window, dx: 0, dy: 0, clip: view, absolute: view, frame: view, opacity: 1, parent: -1, block: 0, visible: true,
    pointer: false, under: pageHears(document, POINTER) ? "page" : null});
  const root = document.scrollingElement || document.documentElement;
  return JSON.stringify({nodes, runs, width: innerWidth, height: innerHeight, cut: nodes.length >= MOST,
    scroll: [Math.round(scrollX), Math.round(scrollY)], reach: [Math.max(0, root.scrollWidth - innerWidth), Math.max(0, root.scrollHeight - innerHeight)],
    address: location.pathname + location.search + location.hash,
    keys: pageHears(document, KEYS) || [...document.querySelectorAll("*")].some((element) => hears(element, KEYS))});
}
