// Pages work without this file. It adds keys, dropping files, and looking again by itself.
(() => {
  "use strict";
  const $ = (selector, root = document) => root.querySelector(selector);
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];
  const typing = (el) => el && (el.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(el.tagName));

  // Rows: j and k go from one to the next, Enter opens (it is a link), x ticks its box.
  const links = () => all("main tbody tr").map((row) => $("a[href]", row)).filter(Boolean);
  const step = (by) => {
    const list = links();
    const at = list.findIndex((link) => link.closest("tr").contains(document.activeElement));
    const next = list[Math.min(Math.max(at + by, 0), list.length - 1)];
    if (next) {
      next.focus();
      next.closest("tr").scrollIntoView({ block: "nearest" });
    }
  };

  const KEYS = [
    ["/", "to the query"],
    ["j, k", "next row, row before"],
    ["Enter", "open the row"],
    ["x", "tick the row"],
    ["n", "next page"],
    ["?", "these keys"],
    ["Esc", "close"],
  ];
  const help = () => {
    let dialog = $("#keys");
    if (!dialog) {
      dialog = document.createElement("dialog");
      dialog.id = "keys";
      dialog.setAttribute("aria-label", "Keys");
      const list = document.createElement("dl");
      for (const [key, what] of KEYS) {
        const dt = document.createElement("dt");
        const kbd = document.createElement("kbd");
        kbd.textContent = key;
        dt.append(kbd);
        const dd = document.createElement("dd");
        dd.textContent = what;
        list.append(dt, dd);
      }
      const form = document.createElement("form");
      form.method = "dialog";
      const button = document.createElement("button");
      button.textContent = "Close";
      form.append(button);
      dialog.append(list, form);
      document.body.append(dialog);
    }
    if (!dialog.open) dialog.showModal();
  };

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || $("dialog[open]")) return;
    if (typing(document.activeElement)) {
      if (event.key === "Escape") document.activeElement.blur();
      return;
    }
    const done = {
      "/": () => $("#q") && ($("#q").focus(), $("#q").select(), true),
      j: () => (step(1), true),
      k: () => (step(-1), true),
      x: () => {
        const row = document.activeElement.closest("tr");
        const box = row && $("input[type=checkbox]", row);
        return box && (box.click(), true);
      },
      n: () => $("a[rel=next]") && ($("a[rel=next]").click(), true),
      "?": () => (help(), true),
    }[event.key];
    if (done && done()) event.preventDefault();
  });

  // One box for all boxes of a table.
  document.addEventListener("change", (event) => {
    if (!event.target.matches("input[data-all]")) return;
    for (const box of all("tbody input[type=checkbox]", event.target.closest("table"))) box.checked = event.target.checked;
  });

  // Files dropped anywhere on the page go into its form.
  const drop = $("form.drop");
  if (drop) {
    const over = (on) => drop.classList.toggle("over", on);
    document.addEventListener("dragover", (event) => {
      event.preventDefault();
      over(true);
    });
    document.addEventListener("dragleave", (event) => event.relatedTarget || over(false));
    document.addEventListener("drop", (event) => {
      event.preventDefault();
      over(false);
      if (!event.dataTransfer.files.length) return;
      $("#files", drop).files = event.dataTransfer.files;
      drop.requestSubmit();
    });
    drop.addEventListener("submit", () => {
      const button = $("button", drop);
      button.disabled = true;
      button.textContent = "Sending …";
    });
  }

  // What is folded away is printed, and folded again behind that.
  let folded = [];
  window.addEventListener("beforeprint", () => {
    folded = all("main details:not([open])");
    for (const details of folded) details.open = true;
  });
  window.addEventListener("afterprint", () => {
    for (const details of folded) details.open = false;
  });

  // Forms that ask before they act.
  document.addEventListener("submit", (event) => {
    const ask = event.submitter && event.submitter.dataset.ask;
    if (ask && !window.confirm(ask)) event.preventDefault();
  });

  // A page that lives is fetched again, and its content put in place unless somebody is at work in it.
  const seconds = Number(document.body.dataset.live || 0);
  let touched = false;
  document.addEventListener("input", () => (touched = true));
  const look = async () => {
    if (document.hidden || touched || typing(document.activeElement) || $("dialog[open]") || $("main").contains(document.activeElement)) return;
    const answer = await fetch(location.href, { headers: { "x-live": "1" }, redirect: "error" }).catch(() => null);
    if (!answer || !answer.ok) return;
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const fresh = $("main", page);
    if (!fresh) return;
    if (fresh.innerHTML !== $("main").innerHTML) {
      const open = all("main details").map((d) => d.open);
      const top = window.scrollY;
      $("main").replaceWith(fresh);
      all("main details").forEach((d, i) => i in open && (d.open = open[i]));
      window.scrollTo(0, top);
    }
    if (Number(page.body.dataset.live || 0) === 0) clearInterval(timer);
  };
  const timer = seconds > 0 ? setInterval(look, seconds * 1000) : 0;
})();
