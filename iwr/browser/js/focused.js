// Whether the focused element, in whichever shadow root or frame, takes text.
() => {
  let focused = document.activeElement;
  for (;;) {
    if (focused?.shadowRoot?.activeElement) focused = focused.shadowRoot.activeElement;
    else if (focused?.tagName === "IFRAME" && focused.contentDocument)
      focused = focused.contentDocument.activeElement;
    else break;
  }
  if (!focused) return { takesText: false, oneLine: false };
  const buttons = [
    "button", "submit", "reset", "checkbox", "radio", "file", "image", "range", "color",
  ];
  const input = focused.tagName === "INPUT";
  const field = focused.tagName === "TEXTAREA" || (input && !buttons.includes(focused.type));
  return {
    takesText: (field && !focused.readOnly) || focused.isContentEditable,
    oneLine: input,
  };
}
