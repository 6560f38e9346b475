// A table that is wider than the page scrolls in a box of Material's; the keyboard must be able to scroll it too.

const watcher = new ResizeObserver((entries) => {
  for (const { target } of entries) {
    if (target.scrollWidth > target.clientWidth) target.tabIndex = 0;
    else target.removeAttribute("tabindex");
  }
});

addEventListener("load", () => {
  for (const box of document.querySelectorAll(".md-typeset__scrollwrap")) watcher.observe(box);
});
