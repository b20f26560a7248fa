// Follows the numbers of pages. Runs in the browser, is given paths, and calls back with what is wrong and how many were followed.
//
// A number that counts things stands in `data-count`: a link to where they are listed, which states the same number in
// `data-total` or has as many rows in `data-rows`; behind a fragment, within that element. `data-measure` is for numbers that
// count no rows: bytes, days, shares, numbers of the past. `data-quoted` is for what the page quotes from evidence or tables.
// A path may be a page itself, as text.
const [paths, done] = arguments;
const NOUNS =
  "devices?|modules?|models?|findings?|files?|artefacts?|rules?|packs?|markets?|rows?|lists?|imports?|people|persons?|waivers?|tags?|sites?" +
  "|makers?|brands?|organisations?|things?|observations?|answers?|decisions?|backups?|tokens?|changes?|relations?|views?" +
  "|more|new|changed|gone|unverified|verified|before|here|known|fail|review|unknown|pass";
const COUNTED = new RegExp(`(?<![\\w.,:/#-])\\d[\\d,]*\\+?\\s+(?:of\\s+(?:the\\s+)?)?(?:${NOUNS})(?!\\w)`, "i");
const LABELLED = /(?<!\w)(?:devices|modules|findings|files|rules|fail|review|unknown|pass):?\s+\d+(?![\w.,:/-])/i;
const pages = new Map();
const page = async (href) => {
  const at = href.split("#")[0];
  if (!pages.has(at)) {
    const text = at.startsWith("<") ? at : await (await fetch(at)).text();
    pages.set(at, new DOMParser().parseFromString(text, "text/html"));
  }
  return pages.get(at);
};
const number = (text) => {
  const found = text.match(/\d[\d,]*/);
  return found ? Number(found[0].replaceAll(",", "")) : null;
};
const words = (element) => element.textContent.replace(/\s+/g, " ").trim().slice(0, 90);
const listed = (whole, href) => {
  const fragment = href.split("#")[1];
  const place = fragment ? whole.getElementById(decodeURIComponent(fragment)) : whole.querySelector("main");
  if (!place) return { none: "nothing has this name there" };
  const within = (css) => (place.matches(css) ? place : place.querySelector(css));
  const total = within("[data-total]");
  const rows = within("[data-rows]");
  if (!total && !rows) return { none: "nothing is listed there" };
  const stated = total ? number(total.dataset.total || total.textContent) : null;
  const shown = rows ? rows.children.length : null;
  if (total && rows && !whole.querySelector("a[rel=next]") && stated !== shown) return { none: `it states ${stated} and lists ${shown}` };
  return { count: stated ?? shown };
};
// Pages of these kinds are many: so many of each that the given paths lead to are walked, too.
const KINDS = ["devices", "findings", "modules", "organisations", "policy", "evidence"];
const MORE = 6;
const more = async () => {
  const found = new Map(KINDS.map((kind) => [kind, new Set()]));
  for (const path of paths.filter((p) => !p.startsWith("<"))) {
    for (const link of (await page(path)).querySelectorAll("main a[href^='/']")) {
      const href = link.getAttribute("href").split("#")[0];
      const list = found.get(href.split(/[/?]/)[1]);
      if (list && list.size < MORE && /^\/\w+\/[^?]+$/.test(href) && !paths.includes(href)) list.add(href);
    }
  }
  return [...found.values()].flatMap((list) => [...list]);
};
const walk = async () => {
  const wrong = [];
  let followed = 0;
  for (const path of [...paths, ...(await more())]) {
    const main = (await page(path)).querySelector("main").cloneNode(true);
    for (const element of main.querySelectorAll("[data-count]")) {
      const link = element.closest("a[href]");
      const says = number(element.dataset.count || element.textContent);
      if (!link || says === null) {
        wrong.push(`${path}: “${words(element)}” leads nowhere`);
        continue;
      }
      const href = new URL(link.getAttribute("href"), new URL(path.startsWith("<") ? "/" : path, location.href)).href;
      const { count, none } = listed(await page(href), href);
      followed += 1;
      if (count !== says) wrong.push(`${path}: “${words(link)}” says ${says}, ${href.slice(location.origin.length)} ${none ?? count}`);
    }
    const known = "[data-count],[data-total],[data-measure],[data-quoted],svg,select,textarea,code,script,.date";
    for (const element of main.querySelectorAll(known)) element.replaceWith("\u00a7");
    for (const element of main.querySelectorAll("p,li,td,th,dd,dt,h1,h2,h3,h4,summary,figcaption,button,label,a,span,div,strong")) {
      if (element.querySelector("p,li,td,dd,div,h2,h3")) continue;
      const text = element.textContent.replace(/\s+/g, " ").trim();
      const found = text.match(COUNTED) || text.match(LABELLED) || text.match(/^\d+\+?$/);
      if (found) wrong.push(`${path}: “${found[0]}” of “${words(element)}” is not marked`);
    }
  }
  return [[...new Set(wrong)], followed];
};
walk().then(done, (error) => done([[String(error && error.stack)], 0]));
