// Whether the focused element, in whichever shadow root or frame, takes text. `isForeign`: it is in a frame of another
// origin, which has to be asked itself.
() => {
  const hook = window[Symbol.for("iwr.hook")];
  const rootOf = (element) => (hook ? hook.rootOf(element) : element.shadowRoot);
  let focused = document.activeElement;
  for (;;) {
    const root = focused && rootOf(focused);
    if (root?.activeElement) focused = root.activeElement;
    else if (focused?.tagName === "IFRAME" && focused.contentDocument)
      focused = focused.contentDocument.activeElement;
    else break;
  }
  if (!focused) return { isForeign: false, takesText: false, oneLine: false };
  const buttons = [
    "button", "submit", "reset", "checkbox", "radio", "file", "image", "range", "color",
  ];
  const input = focused.tagName === "INPUT";
  const field = focused.tagName === "TEXTAREA" || (input && !buttons.includes(focused.type));
  return {
    isForeign: focused.tagName === "IFRAME",
    takesText: (field && !focused.readOnly) || focused.isContentEditable,
    oneLine: input,
  };
}
