// The table of claims: filters and order, both kept in the address after '#'.
"use strict";
(() => {
  const form = document.getElementById("filters");
  const table = document.getElementById("claims");
  const body = table.tBodies[0];
  const rows = [...body.rows];
  const headings = [...table.tHead.rows[0].cells];
  const names = [...form.elements].map((field) => field.name).filter(Boolean);
  let sort = "id";

  const cell = (row, key) => row.cells[headings.findIndex((heading) => heading.dataset.key === key)];
  const value = (row, key) => cell(row, key).dataset.value ?? cell(row, key).textContent.trim();
  const order = new Map(rows.map((row, number) => [row, number]));

  const passes = (row, wanted) => Object.entries(wanted).every(([name, value]) => {
    if (!value) return true;
    if (name === "text") return value.toLowerCase().split(/\s+/).every((word) => row.dataset.text.includes(word));
    return name === "kind" ? row.dataset.kind.split(" ").includes(value) : row.dataset[name] === value;
  });

  const arrange = () => {
    const key = sort.replace("-", "");
    const sign = sort.startsWith("-") ? -1 : 1;
    const compare = (a, b) => key === "id" ? order.get(a) - order.get(b)
      : value(a, key).localeCompare(value(b, key), "en", { numeric: true }) || order.get(a) - order.get(b);
    const number = (a, b) => Number(value(a, key)) - Number(value(b, key)) || order.get(a) - order.get(b);
    const sorted = [...rows].sort((a, b) => sign * (cell(a, key).dataset.value === undefined ? compare : number)(a, b));
    body.append(...sorted);
    for (const heading of headings) {
      if (heading.dataset.key === key) heading.setAttribute("aria-sort", sign > 0 ? "ascending" : "descending");
      else heading.removeAttribute("aria-sort");
    }
  };

  const filter = () => {
    const wanted = Object.fromEntries(names.map((name) => [name, form.elements[name].value.trim()]));
    let shown = 0;
    for (const row of rows) {
      row.hidden = !passes(row, wanted);
      shown += !row.hidden;
    }
    document.getElementById("shown").textContent = `${shown} shown`;
  };

  const write = () => {
    const told = new URLSearchParams();
    for (const name of names) if (form.elements[name].value.trim()) told.set(name, form.elements[name].value.trim());
    if (sort !== "id") told.set("sort", sort);
    history.replaceState(null, "", `#${told}`);
  };

  const read = () => {
    const told = new URLSearchParams(location.hash.slice(1));
    for (const name of names) form.elements[name].value = told.get(name) ?? "";
    const asked = told.get("sort") ?? "id";
    sort = headings.some((heading) => heading.dataset.key === asked.replace("-", "")) ? asked : "id";
    arrange();
    filter();
  };

  form.addEventListener("input", () => { filter(); write(); });
  form.addEventListener("reset", () => setTimeout(() => { sort = "id"; arrange(); filter(); write(); }));
  form.addEventListener("submit", (event) => event.preventDefault());
  for (const heading of headings) {
    heading.querySelector("button").addEventListener("click", () => {
      sort = sort === heading.dataset.key ? `-${sort}` : heading.dataset.key;
      arrange();
      write();
    });
  }
  addEventListener("hashchange", read);
  addEventListener("keydown", (event) => {
    const typing = event.target.matches("input, select, textarea");
    if (event.key === "/" && !typing) {
      event.preventDefault();
      form.elements.text.focus();
    } else if (["ArrowDown", "ArrowUp"].includes(event.key) && !event.target.matches("select")) {
      const links = [...body.rows].filter((row) => !row.hidden).map((row) => row.querySelector("a"));
      const at = links.indexOf(document.activeElement);
      if (at < 0 && event.target !== form.elements.text) return;
      const next = links[at + (event.key === "ArrowDown" ? 1 : -1)];
      if (next) { event.preventDefault(); next.focus(); }
    }
  });
  read();
})();
