// Search: Pagefind's components, fetched when somebody searches and not before.
// A dialog on every page; on the results page the same parts stand in the page, and its address can be shared.

const script = document.getElementById("site-search-script");
const bundle = new URL(script.dataset.bundle, location.href);
const root = new URL(script.dataset.root, location.href);
const FILTERS = ["kind", "category", "tier", "evidence", "proven", "hardware", "tag"];

let loading;

function load() {
  loading ??= new Promise((resolve, reject) => {
    const style = document.createElement("link");
    style.rel = "stylesheet";
    style.href = new URL("pagefind-component-ui.css", bundle);
    document.head.append(style);
    const config = element("pagefind-config", { "bundle-path": bundle.pathname, "base-url": root.pathname });
    document.body.append(config);
    import(new URL("pagefind-component-ui.js", bundle)).then(() => {
      // Rank pages whose words are the query above pages that repeat a part of it: LoraConfig before LoRA.
      instance().pagefindOptions.ranking = { termSimilarity: 2.0 };
      resolve();
    }, reject);
  });
  return loading;
}

function instance() {
  return window.PagefindComponents.getInstanceManager().getInstance("default");
}

function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

function filters() {
  return FILTERS.map((filter) =>
    element("pagefind-filter-dropdown", { filter, label: filter[0].toUpperCase() + filter.slice(1) }),
  );
}

// A combo box takes no name from its content and must say which list it controls; Pagefind, which draws it anew with
// every search, leaves both out.
function nameFilters(scope) {
  const name = () => {
    for (const filter of scope.querySelectorAll("pagefind-filter-dropdown")) {
      const box = filter.querySelector("[role=combobox]");
      const list = filter.querySelector("[role=listbox]");
      if (!box || !list) continue;
      list.id = `${filter.id}-list`;
      box.setAttribute("aria-label", filter.getAttribute("label"));
      box.setAttribute("aria-controls", list.id);
    }
  };
  new MutationObserver(name).observe(scope, { childList: true, subtree: true });
  name();
}

let modal;

async function open() {
  const here = document.getElementById("search-page");
  if (here) {
    here.querySelector("input")?.focus();
    return;
  }
  if (!modal) {
    // Into the page before its parts are defined: a defined modal moves its children, and they would render twice.
    const all = element("a", { class: "search-all", href: new URL("search/", root) });
    all.textContent = "Open as a page";
    modal = element(
      "pagefind-modal",
      {},
      element("pagefind-modal-header", {}, element("pagefind-input", { placeholder: "Search the site" })),
      element(
        "pagefind-modal-body",
        {},
        element("div", { class: "search-filters" }, ...filters()),
        element("pagefind-summary"),
        element("pagefind-results", { "max-sub-results": "3" }),
      ),
      element("pagefind-modal-footer", {}, element("pagefind-keyboard-hints"), all),
    );
    modal.addEventListener("keydown", closeListFirst, true);
    document.body.append(modal);
    await load();
    nameFilters(modal);
    instance().on("search", (term, chosen) => (all.href = address(term, chosen ?? {})));
  }
  await load();
  modal.open();
}

// Escape closes an open list of values and leaves the dialog for the next Escape.
function closeListFirst(event) {
  const list = event.key === "Escape" && modal.querySelector(".pf-dropdown-trigger.open");
  if (!list) return;
  event.preventDefault();
  event.stopPropagation();
  list.click();
  list.focus();
}

function address(term, chosen) {
  const url = new URL("search/", root);
  if (term) url.searchParams.set("q", term);
  for (const [filter, values] of Object.entries(chosen))
    for (const value of values) url.searchParams.append(filter, value);
  return url;
}

async function resultsPage(page) {
  await load();
  page.replaceChildren(
    element("pagefind-input", { placeholder: "Search the site" }),
    element("div", { class: "search-filters" }, ...filters()),
    element("pagefind-summary"),
    element("pagefind-results", { "max-sub-results": "3" }),
  );
  nameFilters(page);
  const asked = new URLSearchParams(location.search);
  const chosen = {};
  for (const filter of FILTERS) if (asked.has(filter)) chosen[filter] = asked.getAll(filter);
  const search = instance();
  await search.triggerLoad();
  const term = asked.get("q") ?? "";
  if (term || Object.keys(chosen).length) search.triggerSearchWithFilters(term, chosen);
  search.on("search", (text, picked) => history.replaceState(null, "", address(text, picked ?? {})));
  const input = page.querySelector("input");
  input.value = term;
  input.focus();
}

function mirrorPalette() {
  const dark = document.body.getAttribute("data-md-color-scheme") === "slate";
  document.documentElement.toggleAttribute("data-pf-theme", dark);
  if (dark) document.documentElement.setAttribute("data-pf-theme", "dark");
}

function typing(target) {
  return target instanceof Element && (target.isContentEditable || target.closest("input, textarea, select, dialog[open]"));
}

document.addEventListener("keydown", (event) => {
  const command = (event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k";
  const plain = event.key === "/" && !event.ctrlKey && !event.metaKey && !event.altKey;
  if (!command && !(plain && !typing(event.target))) return;
  event.preventDefault();
  open();
});
document.addEventListener("click", (event) => {
  if (event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
  if (!event.target.closest?.("[data-search-open]")) return;
  event.preventDefault();
  open();
});
new MutationObserver(mirrorPalette).observe(document.body, { attributeFilter: ["data-md-color-scheme"] });
mirrorPalette();

const page = document.getElementById("search-page");
if (page) resultsPage(page);
