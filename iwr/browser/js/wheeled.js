// The scroller's position once the wheel has moved it, or has turned out not to.
async (target, before) => {
  const clock = window[Symbol.for("iwr.clock")];
  const position = () => [target.scroller.scrollLeft, target.scroller.scrollTop];
  for (let i = 0; i < 6 && String(position()) === String(before); i++) await clock.frame();
  await clock.frame();
  return position();
}
