// The facets of the catalogue: tick boxes and the address say the same, so that a selection can be shared.
// Within a facet any ticked value will do; between facets all must hold.

const catalogue = document.getElementById("catalogue");
const form = catalogue.querySelector("form");
const cards = [...catalogue.querySelectorAll("[data-facets]")].map((node) => ({
  node,
  facets: JSON.parse(node.dataset.facets),
}));
const boxes = [...form.querySelectorAll("input[type=checkbox]")];
const counter = catalogue.querySelector("[data-count]");

function chosen() {
  const found = {};
  for (const box of boxes) if (box.checked) (found[box.name] ??= []).push(box.value);
  return found;
}

function matches(facets, selection, except) {
  return Object.entries(selection).every(
    ([facet, values]) => facet === except || values.some((value) => facets[facet]?.includes(value)),
  );
}

function show() {
  const selection = chosen();
  let shown = 0;
  for (const { node, facets } of cards) {
    node.hidden = !matches(facets, selection);
    if (!node.hidden) shown += 1;
  }
  counter.textContent = shown;
  for (const box of boxes) {
    const count = cards.filter(
      ({ facets }) => facets[box.name]?.includes(box.value) && matches(facets, selection, box.name),
    ).length;
    const label = box.closest("label");
    label.querySelector(".facet__count").textContent = count;
    label.classList.toggle("facet--empty", count === 0 && !box.checked);
  }
}

function write() {
  const address = new URL(location.href);
  address.search = "";
  for (const [facet, values] of Object.entries(chosen()))
    for (const value of values) address.searchParams.append(facet, value);
  history.replaceState(null, "", address);
}

function read() {
  const asked = new URLSearchParams(location.search);
  for (const box of boxes) {
    box.checked = asked.getAll(box.name).includes(box.value);
    if (box.checked) box.closest("details").open = true;
  }
}

form.addEventListener("change", () => {
  show();
  write();
});
form.addEventListener("reset", (event) => {
  event.preventDefault();
  for (const box of boxes) box.checked = false;
  show();
  write();
});
form.addEventListener("submit", (event) => event.preventDefault());
addEventListener("popstate", () => {
  read();
  show();
});
// On a phone the open facets would fill the first screen.
if (matchMedia("(max-width: 59.984375em)").matches)
  for (const facet of form.querySelectorAll("details")) facet.open = false;
read();
show();
