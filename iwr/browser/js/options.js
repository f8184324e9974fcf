// The options of the <select> that the element is or belongs to; null without one.
(element) => {
  const select = element.tagName === "SELECT" ? element : element.closest("select");
  if (!select) return null;
  return [...select.options].map((option) => ({
    label: option.label.trim(),
    value: option.value,
    index: option.index,
    disabled: option.disabled,
  }));
}
