// Colours as the system has them, or light, or dark; the choice is kept where the browser lets pages keep one.
"use strict";
(() => {
  const root = document.documentElement;
  const kept = () => { try { return localStorage.getItem("theme") ?? ""; } catch { return ""; } };
  const use = (theme) => { if (theme) root.dataset.theme = theme; else delete root.dataset.theme; };
  use(kept());
  addEventListener("DOMContentLoaded", () => {
    document.getElementById("theme").addEventListener("click", () => {
      const next = { "": "dark", dark: "light", light: "" }[root.dataset.theme ?? ""];
      use(next);
      try { localStorage.setItem("theme", next); } catch { /* this page only */ }
    });
  });
})();
